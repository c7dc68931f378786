"""Stands in for the Pulumi CLI where there is none: its side of the Automation API, without a cloud behind it.

It speaks what the SDK speaks with the real one: arguments, environment, the language server's gRPC, a resource monitor,
the event stream, a state that is exported and imported. So the program really runs, through the SDK's real front door.
What it does not play is the Kubernetes provider; the contract suite does that with the real CLI, where it is installed.
"""

import json
import os
import sys
from pathlib import Path

SALT = "v1:salt"


def differences(old, new, path=""):
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            name = f'["{key}"]' if "." in key else f".{key}" if path else key
            yield from differences(old.get(key), new.get(key), path + name)
    elif old != new:
        yield path


def steps(known, wanted):
    """Each resource's operation; what is no longer wanted goes last, newest first."""
    before = {resource["urn"]: resource for resource in known}
    for resource in wanted:
        old = before.get(resource["urn"])
        paths = list(differences(old["inputs"], resource["inputs"])) if old else []
        yield ("create" if old is None else "update" if paths else "same"), resource, paths
    kept = {resource["urn"] for resource in wanted}
    for resource in reversed(known):
        if resource["urn"] not in kept:
            yield "delete", resource, []


def option(arguments, name):
    found = [a for a in arguments if a.startswith(f"{name}=")]
    return found[0].partition("=")[2] if found else arguments[arguments.index(name) + 1]


def main(arguments):
    if arguments == ["version"]:
        sys.stdout.write("v3.272.0" + "\n")
        return 0
    backend = Path(os.environ["PULUMI_BACKEND_URL"].removeprefix("file://"))
    assert os.environ["PULUMI_CONFIG_PASSPHRASE"]
    record = Path(os.environ["DOUBLE_RECORD"])
    with record.open("a") as file:
        file.write(json.dumps(arguments) + "\n")
    arguments = [a for a in arguments if a != "--non-interactive"]
    state = backend / "state.json"
    match arguments[:2]:
        case ["stack", "select"]:
            if not state.exists():
                sys.stderr.write(f"error: no stack named '{option(arguments, '--stack')}' found" + "\n")
                return 255
        case ["stack", "init"]:
            state.write_text(json.dumps({"version": 3, "deployment": {"resources": [], "salt": SALT}}))
        case ["stack", "export"]:
            sys.stdout.write(state.read_text() + "\n")
        case ["stack", "import"]:
            state.write_text(Path(option(arguments, "--file")).read_text())
        case ["stack", "output"]:
            sys.stdout.write("{}" + "\n")
        case ["stack", "history"]:
            summary = {"kind": "update", "startTime": "2026-01-01T00:00:00.000Z", "message": "", "environment": {}}
            sys.stdout.write(json.dumps([{**summary, "config": {}, "result": "succeeded", "version": 1}]) + "\n")
        case ["preview" | "up" | "destroy", *_]:
            return operate(arguments, state)
        case _:
            sys.stderr.write(f"error: the double does not play {arguments}" + "\n")
            return 255
    return 0


def operate(arguments, state):
    import pulumi_double_grpc as front  # noqa: PLC0415  Most calls of a CLI need none of it.
    import yaml  # noqa: PLC0415

    known = json.loads(state.read_text())
    (settings,) = Path.cwd().glob("Pulumi.*.yaml")
    stack, config = settings.name.split(".")[1], yaml.safe_load(settings.read_text())["config"]
    wanted, error = [], ""
    if arguments[0] != "destroy":
        preview = arguments[0] == "preview"
        wanted, error = front.declared(option(arguments, "--client"), stack, config, preview=preview)
    planned = [] if error else list(steps(known["deployment"]["resources"], wanted))
    front.events(option(arguments, "--event-log"), planned, error)
    if error:
        sys.stderr.write("error: the update failed" + "\n")
        return 255
    if arguments[0] != "preview":
        known["deployment"]["resources"] = wanted
        state.write_text(json.dumps(known))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
