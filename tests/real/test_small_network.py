"""Two real validators as pods, from `coalmine run` to its verdict: the short real network of `make test`.

Genesis, keys, images, the readiness ladder, a fault on a real process and gates on real metrics are all in it. Two
validators are the fewest of which one can stop finality. `test_network` is the long one, with a parachain and upgrades.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.journal import Event, Journal
from orchestrator.lab import programs
from tests.real.conftest import FOLDER, say

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-c", "from orchestrator.cli import main; main()"]
CLIENT = "polkadot-1.25.1-linux-amd64.tar.zst"

FILE = f"""
apiVersion: coalmine.dev/v1alpha1
kind: Testnet
metadata: {{name: two-real}}
spec:
  relaychain:
    client: polkadot
    runtime: {{file: {FOLDER}/westend-fast-1025002.wasm}}
    groups: [{{name: validator, count: 2}}]
---
apiVersion: coalmine.dev/v1alpha1
kind: Rehearsal
metadata: {{name: two-real}}
spec:
  testnet: two-real
  stages:
    - name: baseline
      hold: 30s
      gates:
        - {{name: finality-advances, signal: finalized-height, increasesBy: 2}}
    - name: one-of-two-paused
      experiment:
        pause: {{target: {{nodes: [validator-1]}}}}
        duration: 40s
      gates:
        - name: finality-stalls
          signal: finalized-height
          on: {{role: validator}}
          window: {{from: inject.confirmed, to: recover.start, settle: 12s}}
          stalls: 1
        - {{name: finality-recovers, signal: finalized-height, window: {{from: recover.confirmed}}, recoversWithin: 2m}}
        - {{name: one-chain-after, chainRead: finalized-hash, window: {{from: recover.confirmed}}, agrees: true}}
"""

pytestmark = [pytest.mark.timeout(1500), pytest.mark.cluster]


@pytest.fixture(scope="module")
def rehearsed(lab, images, tmp_path_factory):
    """The directory of the run, and how it ended."""
    client = programs.made(CLIENT.partition("-linux")[0], (FOLDER / CLIENT,), say)
    lab.load(client, say)
    folder = tmp_path_factory.mktemp("two-real")
    (folder / "two-real.yaml").write_text(FILE)
    options = ["--kubeconfig", str(lab.kubeconfig), "--runs", str(folder / "runs")]
    options += ["--image", images.coalmine, "--prometheus-image", images.prometheus]
    options += ["--client", f"polkadot={client.reference}"]
    done = subprocess.run(
        [*COMMAND, "run", str(folder / "two-real.yaml"), *options],
        check=False,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    (run,) = (folder / "runs").iterdir()
    return run, done


def test_two_real_validators_stop_finality_when_one_is_paused_and_recover(rehearsed):
    run, done = rehearsed
    assert done.returncode == 0, done.stdout
    result = json.loads((run / "result.json").read_text())
    assert (result["verdict"], {gate["verdict"] for gate in result["gates"]}) == ("PASSED", {"PASSED"})


def test_a_real_run_does_not_call_itself_simulated(rehearsed):
    run, _ = rehearsed
    assert "SIMULATED" not in (run / "report.html").read_text()


def test_every_rung_is_in_the_journal(rehearsed):
    run, _ = rehearsed
    rungs = {
        e.detail["rung"]: e.detail["seconds"]
        for e in Journal.read(run / "journal.jsonl").all(Event)
        if e.name == "rung"
    }
    say("\n".join(f"{seconds:8.1f} s  {rung}" for rung, seconds in rungs.items()))
    assert {"all nodes have the planned genesis", "all authorities hold their session keys"} <= set(rungs)
    assert "finality advances on all nodes, and hashes agree" in rungs
