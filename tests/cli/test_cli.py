"""The command line without a cluster: what is printed where, and with which exit code."""

import io
import json
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from orchestrator import cli

ROOT = Path(__file__).parents[2]
QUICKSTART = str(ROOT / "examples" / "quickstart.yaml")


def process(*arguments):
    """The command in a process of its own, as its users start it."""
    command = [sys.executable, "-c", "from orchestrator.cli import main; main()", *arguments]
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/nowhere"}
    return subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT, env=environment)


def coalmine(*arguments, **environment):
    """The same in this process, which has imported its libraries already."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.chdir(ROOT)
        for name, value in {"HOME": "/nowhere", "KUBECONFIG": "/nowhere/config", **environment}.items():
            patch.setenv(name, value)
        code = cli._guarded([*arguments])
    return SimpleNamespace(returncode=code, stdout=out.getvalue(), stderr=err.getvalue())


def test_help_lists_the_verbs_and_the_exit_codes():
    shown = process("--help")
    assert shown.returncode == 0
    for word in ("run", "judge", "report", "validate", "render", "diff", "up", "down", "lab", "130 interrupted"):
        assert word in shown.stdout


def test_a_mistake_of_our_own_is_not_mistaken_for_a_gate_that_failed(monkeypatch, capsys):
    def broken(**_):
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(cli, "app", broken)
    assert cli._guarded([]) == 4
    shown = capsys.readouterr().err
    assert "ZeroDivisionError: oh" in shown
    assert "this is a mistake of coalmine's own" in shown


def test_a_good_file_is_good():
    done = process("validate", QUICKSTART)
    assert (done.returncode, done.stdout) == (0, "")
    assert "good: Testnet quickstart, Rehearsal quickstart" in done.stderr


def test_a_bad_file_gives_every_mistake_and_exit_code_2(tmp_path):
    bad = tmp_path / "bad.yaml"
    bad.write_text(
        Path(QUICKSTART)
        .read_text()
        .replace("signal: block-time", "signal: block-tim", 1)
        .replace("validator-3]", "validator-9]")
    )
    done = coalmine("validate", str(bad))
    assert done.returncode == 2
    lines = done.stderr.splitlines()
    assert f"{bad}:34: spec.stages[0].gates[0].signal" in lines[0]
    assert "no signal block-tim" in lines[0]
    assert "no node validator-9" in lines[1]
    assert "error: 2 mistakes, nothing was changed" in lines[2]
    listed = json.loads(coalmine("validate", str(bad), "-o", "json").stdout)
    assert [set(mistake) for mistake in listed] == [{"file", "line", "path", "message"}] * 2


def test_render_is_yaml_that_depends_on_the_seed_alone():
    first, second = (run("render", QUICKSTART, "--seed", "11" * 32).stdout for run in (process, coalmine))
    assert first == second
    kinds = [document["kind"] for document in yaml.safe_load_all(first)]
    assert kinds[0] == "Namespace"
    assert kinds.count("StatefulSet") == 4  # Three groups and Prometheus.
    assert "Secret" not in kinds


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("render", QUICKSTART, "--seed", "xyz"), "not hexadecimal"),
        (("render", QUICKSTART, "--seed", "11"), "64 hex digits"),
        (("validate", "absent.yaml"), "absent.yaml"),
        (("judge", "examples"), "is not a run"),
        (("dance",), "dance"),
        (("get", "nodes", "--lab", "nowhere"), "lab nowhere does not run"),
        (("get", "pods"), "pods"),
        (("logs", "--grep", "(", "--lab", "nowhere"), "not a regular expression"),
        (("logs", "-f", "--previous", "--lab", "nowhere"), "cannot be followed"),
        (("wait", "--for", "peace", "--lab", "nowhere"), "cannot wait for 'peace'"),
        (("wait", "--for", "ready", "--timeout", "5", "--lab", "nowhere"), "is not a duration"),
        (("rpc", "validator-0", "system_health", "{", "--lab", "nowhere"), "is not JSON"),
        (("import", "zombienet", "absent.toml"), "absent.toml"),
        (("run",), "Missing argument"),
    ],
)
def test_wrong_usage_is_exit_code_2_with_a_reason(arguments, words):
    done = coalmine(*arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_context_that_is_not_there_is_exit_code_4_with_a_hint():
    done = coalmine("down", "quickstart", "--context", "nowhere", "--yes")
    assert done.returncode == 4
    assert "hint: name a cluster with --context" in done.stderr


def test_the_users_allow_list_refuses_other_contexts(tmp_path):
    user = {"name": "x", "user": {}}
    cluster = {"name": "x", "cluster": {"server": "https://127.0.0.1:1"}}
    context = {"name": "production", "context": {"cluster": "x", "user": "x"}}
    config = tmp_path / "kubeconfig"
    config.write_text(
        yaml.dump({"clusters": [cluster], "users": [user], "contexts": [context], "current-context": "production"})
    )
    done = coalmine("up", QUICKSTART, "--kubeconfig", str(config), COALMINE_CONTEXTS="canary rehearsal")
    assert done.returncode == 2
    assert "context production is not among the allowed ones (canary, rehearsal)" in done.stderr


def test_explain_lists_kinds_and_says_what_a_field_is():
    assert "Testnet" in coalmine("explain").stdout
    shown = coalmine("explain", "testnet.relaychain.slot").stdout
    assert "Testnet.spec.relaychain.slot" in shown
    assert "Default:  6s" in shown
    assert json.loads(coalmine("explain", "testnet.ttl", "-o", "json").stdout)["required"] is False
    assert "finalized-height" in coalmine("explain", "signals").stdout
    wrong = coalmine("explain", "testnet.relaychian")
    assert (wrong.returncode, "did you mean relaychain?" in wrong.stderr) == (2, True)


def test_schema_is_json_schema():
    assert json.loads(coalmine("schema", "testnet").stdout)["title"] == "Testnet"


def test_import_zombienet_writes_a_testnet_and_lists_what_is_not_in_it(tmp_path):
    definition = tmp_path / "small.toml"
    definition.write_text(
        '[settings]\ntimeout = 5\n[relaychain]\ndefault_image = "{{POLKADOT_IMAGE}}"\nchain = "westend-local"\n'
        '[relaychain.genesis.runtimeGenesis.patch.balances]\nbalances = []\n[[relaychain.nodes]]\nname = "alice"\n'
    )
    (tmp_path / "westend.wasm").write_bytes(b"\0asm")
    out = tmp_path / "out" / "testnet.yaml"
    out.parent.mkdir()
    runtime = f"relay={tmp_path / 'westend.wasm'}"
    done = coalmine("import", "zombienet", str(definition), "-o", str(out), "--runtime", runtime)
    assert (done.returncode, done.stdout) == (0, "")
    assert "left out: settings.timeout: every rung" in done.stderr
    assert "still to do" not in done.stderr
    assert yaml.safe_load(out.read_text())["spec"]["relaychain"]["runtime"] == {"file": "../westend.wasm"}
    assert coalmine("validate", str(out)).returncode == 0
    printed = coalmine("import", "zombienet", str(definition), POLKADOT_IMAGE="mine:1")
    assert yaml.safe_load(printed.stdout)["spec"]["relaychain"]["image"] == "mine:1"
    definition.write_text("[relaychain]\nx = {{NOBODY}}\n")
    wrong = coalmine("import", "zombienet", str(definition))
    assert (wrong.returncode, f"{definition}:2: $NOBODY is not set" in wrong.stderr) == (2, True)
