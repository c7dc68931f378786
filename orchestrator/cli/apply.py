"""`coalmine render | diff | up | down`."""

import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator import __version__
from orchestrator.cli import options, stdout
from orchestrator.cli.format import Format
from orchestrator.errors import UsageError

if TYPE_CHECKING:
    from orchestrator.provision.network import Prepared
    from orchestrator.spec.load import Loaded


def render(
    files: options.Files,
    seed: Annotated[str | None, typer.Option(help="64 hex digits; a random one is made by default.")] = None,
    image: options.Image = None,
    prometheus_image: options.PrometheusImage = options.DEFAULT_PROMETHEUS,
    client: options.Clients = [],  # noqa: B006  Typer copies it.
    output: options.Output = Format.TEXT,
) -> int:
    """Print every object of a network, in the order of application. Secrets are not among them."""
    import yaml

    from orchestrator.cli.targets import client_images
    from orchestrator.provision import network
    from orchestrator.render import Images

    testnet = _load(files).testnet()
    try:
        raw = bytes.fromhex(seed) if seed else secrets.token_bytes(32)
    except ValueError:
        raise UsageError("--seed is not hexadecimal") from None
    if len(raw) != 32:
        raise UsageError("--seed must have 64 hex digits")
    named = client_images(client, lambda name, path: f"{name}:{path.name}")
    images = Images(coalmine=image or f"coalmine/coalmine:{__version__}", prometheus=prometheus_image, clients=named)
    documents = [manifest.document for manifest in network.plan(testnet, images, raw).manifests]
    if output is Format.JSON:
        stdout.data(documents)
    else:
        stdout.text(yaml.dump_all(documents, Dumper=yaml.CSafeDumper, sort_keys=False))
    return 0


def diff(
    files: options.Files,
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
    lab: options.LabName = options.DEFAULT_LAB,
    image: options.Image = None,
    prometheus_image: options.PrometheusImage = options.DEFAULT_PROMETHEUS,
    client: options.Clients = [],  # noqa: B006  Typer copies it.
    engine: options.EngineName = None,
    output: options.Output = Format.TEXT,
) -> int:
    """Say what `up` would do: first what restarts, then every object. Exit code 0: nothing, 1: something."""
    from orchestrator.cli import console, targets
    from orchestrator.engine import choice
    from orchestrator.provision import effects, network

    testnet = _load(files).testnet()
    where = options.Where(context, kubeconfig, lab, image, prometheus_image, tuple(client))
    with targets.reached(where, owned=True, progress=console.stepper()) as target:
        chosen = choice.choose(engine, target.cluster, testnet.name)
        prepared = network.prepare(target.cluster, chosen, testnet, target.images)
    different = [change for change in prepared.changes if change.action != "same"]
    if output is Format.JSON:
        stdout.data(_as_data(prepared))
        return 1 if different else 0
    for line in (*prepared.warnings, *effects.summary(prepared.effects)):
        console.say(line)
    for change in different:
        stdout.text(f"{change.action:7} {change.key}" + "".join(f"\n          {path}" for path in change.paths))
    console.say(f"{len(different)} of {len(prepared.changes)} objects differ")
    return 1 if different else 0


def _as_data(prepared: "Prepared") -> list[dict[str, object]]:
    """Every object that changes, with the effect on its pods, as JSON data."""
    return [
        {
            "object": change.key,
            "action": change.action,
            "impact": effect.impact,
            "restarting": effect.restarting,
            "added": effect.added,
            "removed": effect.removed,
            "paths": list(change.paths),
        }
        for change, effect in zip(prepared.changes, prepared.effects, strict=True)
        if change.action != "same"
    ]


def up(
    files: options.Files,
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
    lab: options.LabName = options.DEFAULT_LAB,
    image: options.Image = None,
    prometheus_image: options.PrometheusImage = options.DEFAULT_PROMETHEUS,
    client: options.Clients = [],  # noqa: B006  Typer copies it.
    engine: options.EngineName = None,
) -> int:
    """Bring a network up and wait until it does what a network does. On a running one: say what restarts, change it."""
    from orchestrator.cli import console, targets
    from orchestrator.engine import choice
    from orchestrator.provision import network
    from orchestrator.readiness import ladder

    testnet = _load(files).testnet()
    progress = console.stepper()
    where = options.Where(context, kubeconfig, lab, image, prometheus_image, tuple(client))
    with targets.reached(where, owned=False, progress=progress) as target:
        chosen = choice.choose(engine, target.cluster, testnet.name)
        planned = network.up(target.cluster, chosen, testnet, target.images, progress)
        ladder.climb(target.cluster, planned, progress)
    console.say(f"network {testnet.name} is up in namespace {testnet.namespace}")
    return 0


def down(
    name: Annotated[str, typer.Argument(help="The testnet's name.")],
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
    lab: options.LabName = options.DEFAULT_LAB,
    engine: options.EngineName = None,
    keep_data: Annotated[
        bool, typer.Option("--keep-data", help="Keep volumes, seed and genesis for the next `up`; all else goes.")
    ] = False,
    yes: options.Yes = False,
) -> int:
    """Take a network down: faults first, then every object and volume."""
    from orchestrator.cli import console, reaching
    from orchestrator.engine import choice
    from orchestrator.provision import network

    progress = console.stepper()
    where = options.Where(context, kubeconfig, lab)
    if not yes and sys.stdin.isatty():
        typer.confirm(f"delete network {name}{'' if keep_data else ' with all its data'}?", abort=True)
    cluster = reaching.existing(where)
    chosen = choice.choose(engine, cluster, name)
    (network.down_keeping_data if keep_data else network.down)(cluster, chosen, name, progress)
    return 0


def _load(files: list[Path]) -> "Loaded":
    from orchestrator.gates.library import expand
    from orchestrator.metrics.check import check
    from orchestrator.spec.load import load

    return load(files, checks=[check], expand=expand)
