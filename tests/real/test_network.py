"""Real nodes as pods: the quickstart's real twin from `coalmine run` to its verdict, then a client rollout under it.

Seven real nodes beside a lab need a few gigabytes and all of two cores; what waits for the machine rather than for the
network is printed with the figures.
"""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from orchestrator.engine.embedded import EmbeddedEngine
from orchestrator.inspection.reach import ask_all
from orchestrator.journal import Event, Journal
from orchestrator.lab import programs
from orchestrator.provision import network as networks
from orchestrator.readiness import ladder
from orchestrator.readiness.access import Access
from orchestrator.render import Images
from orchestrator.spec.load import load
from orchestrator.spec.testnet import RELAY

from .conftest import FOLDER

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-c", "from orchestrator.cli import main; main()"]
OLD, NEW = "polkadot-1.24.0-linux-amd64.tar.zst", "polkadot-1.25.1-linux-amd64.tar.zst"
COLLATOR = "polkadot-omni-node-0.24.0-linux-amd64.tar.zst"

MACHINE = {
    "all pods are ready": "  (for the machine: each node compiles its runtime)",
    "validators have prepared the parachains' code": "  (for the machine: PVF preparation)",
}
"""Rungs that wait for the machine, and what for; all others wait for the network."""

pytestmark = [pytest.mark.timeout(3000), pytest.mark.cluster]


def say(line):
    sys.stderr.write(line + "\n")


@pytest.fixture(scope="module")
def clients(lab):
    """References of the images of the two lines of validators, and of the collators."""
    made = {}
    for name in (OLD, NEW, COLLATOR):
        image = programs.made(name.partition("-linux")[0], (FOLDER / name,), say)
        lab.load(image, say)
        made[name] = image.reference
    return made


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    folder = tmp_path_factory.mktemp("real")
    (folder / "runtimes").symlink_to(FOLDER)
    return Path(shutil.copy(ROOT / "examples" / "quickstart-real.yaml", folder))


@pytest.fixture(scope="module")
def rehearsed(lab, images, cluster, clients, example):
    """The example run on validators of the older line, its network left up: its directory and how it ended."""
    runs = example.parent / "runs"
    options = ["--kubeconfig", str(lab.kubeconfig), "--runs", str(runs), "--keep"]
    options += ["--image", images.coalmine, "--prometheus-image", images.prometheus]
    options += ["--client", f"polkadot={clients[OLD]}", "--client", f"polkadot-omni-node={clients[COLLATOR]}"]
    started = time.monotonic()
    try:
        done = subprocess.run(
            [*COMMAND, "run", str(example), *options], check=False, cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        say(f"the rehearsal took {time.monotonic() - started:.0f} s on {os.cpu_count()} cores")
        (run,) = runs.iterdir()
        yield run, done
    finally:
        networks.down(cluster, EmbeddedEngine(cluster), "quickstart-real", say)


def test_the_real_quickstart_passes(rehearsed):
    run, done = rehearsed
    assert done.returncode == 0, done.stdout
    assert "PASSED" in done.stdout
    assert "SIMULATED" not in (run / "report.html").read_text()
    journal = Journal.read(run / "journal.jsonl")
    rungs = {e.detail["rung"]: e.detail["seconds"] for e in journal.all(Event) if e.name == "rung"}
    say("\n".join(f"{seconds:8.1f} s  {rung}{MACHINE.get(rung, '')}" for rung, seconds in rungs.items()))
    assert set(MACHINE) <= set(rungs)


def test_a_client_rollout_keeps_finality_going(rehearsed, cluster, images, clients, example):
    """The same file with the next line's image: pods are replaced one by one, and genesis stays as it is."""
    testnet = load([example]).testnets["quickstart-real"]
    wanted = {"polkadot": clients[NEW], "polkadot-omni-node": clients[COLLATOR]}
    newer = Images(images.coalmine, images.prometheus, wanted)
    engine = EmbeddedEngine(cluster)
    network = networks.attach(cluster, testnet, newer)
    access = Access(cluster, network)
    validators = [node for node in access.nodes if node.role == "validator"]
    collator = next(node for node in access.nodes if node.role == "collator")
    before = access.reader(collator, chain=RELAY).finalized().number
    networks.up(cluster, engine, testnet, newer, say)

    def version(node):
        return access.reader(node).rpc.call("system_version")

    deadline = time.monotonic() + 900
    while not all(str(found).startswith("1.25.1") for found in ask_all(validators, version).values()):
        assert time.monotonic() < deadline, "not all validators run the new line after 900 s"
        time.sleep(2)
    ladder.climb(cluster, network, say)
    assert access.reader(collator, chain=RELAY).finalized().number > before
