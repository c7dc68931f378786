"""`coalmine render | diff | up | down`."""

import secrets
import sys
from pathlib import Path
from typing import Annotated

import typer
import yaml

from orchestrator import __version__
from orchestrator.cli import console, options
from orchestrator.cli.format import Format
from orchestrator.errors import UsageError
from orchestrator.metrics.check import check
from orchestrator.provision import network, ready
from orchestrator.provision.embedded import EmbeddedEngine
from orchestrator.render import Images
from orchestrator.spec.load import Loaded, load


def render(
    files: options.Files,
    seed: Annotated[str | None, typer.Option(help="64 hex digits; a random one is made by default.")] = None,
    image: options.Image = None,
    prometheus_image: options.PrometheusImage = options.DEFAULT_PROMETHEUS,
    output: options.Output = Format.TEXT,
) -> int:
    """Print every object of a network, in the order of application. Secrets are not among them."""
    testnet = _load(files).testnet()
    try:
        raw = bytes.fromhex(seed) if seed else secrets.token_bytes(32)
    except ValueError:
        raise UsageError("--seed is not hexadecimal") from None
    if len(raw) != 32:
        raise UsageError("--seed must have 64 hex digits")
    images = Images(coalmine=image or f"coalmine/coalmine:{__version__}", prometheus=prometheus_image)
    documents = [manifest.document for manifest in network.plan(testnet, images, raw).manifests]
    if output is Format.JSON:
        console.data(documents)
    else:
        console.text(yaml.dump_all(documents, Dumper=yaml.CSafeDumper, sort_keys=False))
    return 0


def diff(
    files: options.Files,
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
    lab: options.LabName = options.DEFAULT_LAB,
    image: options.Image = None,
    prometheus_image: options.PrometheusImage = options.DEFAULT_PROMETHEUS,
    output: options.Output = Format.TEXT,
) -> int:
    """Say what `up` would change, object by object. Exit code 0: nothing, 1: something."""
    testnet = _load(files).testnet()
    where = options.Where(context, kubeconfig, lab, image, prometheus_image)
    with options.reached(where, owned=True, progress=console.stepper()) as target:
        changes = network.preview(target.cluster, EmbeddedEngine(target.cluster), testnet, target.images)
    different = [change for change in changes if change.action != "same"]
    if output is Format.JSON:
        console.data([{"object": c.key, "action": c.action, "paths": list(c.paths)} for c in different])
    else:
        for change in different:
            console.text(f"{change.action:7} {change.key}" + "".join(f"\n          {path}" for path in change.paths))
        console.say(f"{len(different)} of {len(changes)} objects differ")
    return 1 if different else 0


def up(
    files: options.Files,
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
    lab: options.LabName = options.DEFAULT_LAB,
    image: options.Image = None,
    prometheus_image: options.PrometheusImage = options.DEFAULT_PROMETHEUS,
) -> int:
    """Bring a network up and wait until it does what a network does."""
    testnet = _load(files).testnet()
    progress = console.stepper()
    where = options.Where(context, kubeconfig, lab, image, prometheus_image)
    with options.reached(where, owned=False, progress=progress) as target:
        planned = network.up(target.cluster, EmbeddedEngine(target.cluster), testnet, target.images, progress)
        ready.climb(target.cluster, planned, progress)
    console.say(f"network {testnet.name} is up in namespace {testnet.namespace}")
    return 0


def down(
    name: Annotated[str, typer.Argument(help="The testnet's name.")],
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
    lab: options.LabName = options.DEFAULT_LAB,
    yes: options.Yes = False,
) -> int:
    """Take a network down: faults first, then every object and volume."""
    progress = console.stepper()
    where = options.Where(context, kubeconfig, lab)
    if not yes and sys.stdin.isatty():
        typer.confirm(f"delete network {name} with all its data?", abort=True)
    cluster = options.existing(where)
    network.down(cluster, EmbeddedEngine(cluster), name, progress)
    return 0


def _load(files: list[Path]) -> Loaded:
    return load(files, checks=[check])
