"""Whole rehearsals through the command line: the examples to their verdicts, and a command line that is killed."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from orchestrator.journal import Event, Journal

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-c", "from orchestrator.cli import main; main()", "run"]


@pytest.fixture
def rehearse(lab, images, tmp_path):
    """Starts `coalmine run` on an example and returns the process; its runs are below tmp_path."""
    started = []

    def start(file, *arguments):
        options = ["--kubeconfig", str(lab.kubeconfig), "--runs", str(tmp_path)]
        options += ["--image", images.coalmine, "--prometheus-image", images.prometheus]
        process = subprocess.Popen(
            [*COMMAND, str(file), *options, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
            process.communicate()


def journal_of(folder):
    (run,) = folder.iterdir()
    return run, Journal.read(run / "journal.jsonl")


def until(condition, seconds, what):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(0.3)
    return found


@pytest.mark.timeout(600)
def test_the_quickstart_passes_and_its_journal_judges_alike(rehearse, tmp_path):
    out, err = (process := rehearse(ROOT / "examples" / "quickstart.yaml")).communicate()
    assert process.returncode == 0, out + err
    assert "PASSED" in out
    run, _ = journal_of(tmp_path)
    result = json.loads((run / "result.json").read_text())
    assert result["verdict"] == "PASSED"
    assert {gate["verdict"] for gate in result["gates"]} == {"PASSED"}
    suites = ET.parse(run / "junit.xml").getroot()
    assert (suites.get("failures"), suites.get("errors")) == ("0", "0")
    page = (run / "report.html").read_text()
    assert "SIMULATED" in page
    assert not re.search(r'(src|href)="https?:', page)  # One file, offline.
    judged = subprocess.run(
        [*COMMAND[:-1], "judge", str(run), "-o", "json"], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert judged.returncode == 0


@pytest.mark.timeout(400)
def test_a_runtime_whose_migration_panics_fails_with_gate_block_and_cause(rehearse, tmp_path):
    out, err = (process := rehearse(ROOT / "examples" / "bad-upgrade.yaml")).communicate()
    assert process.returncode == 1, out + err
    _, journal = journal_of(tmp_path)
    (failed,) = [e for e in journal.all(Event) if e.name == "upgrade.failed"]
    assert isinstance(failed.detail["block"], int)
    assert "panicked" in str(failed.detail["cause"])
    words = " ".join(out.split())
    assert "upgrade-enacted" in words
    assert f"block {failed.detail['block']}" in words


PARTITION = """
apiVersion: coalmine.dev/v1alpha1
kind: Testnet
metadata: {name: killed}
spec:
  relaychain:
    slot: 1s
    sessionBlocks: 6
    runtime: {model: {specName: canary, specVersion: 1}}
    groups: [{name: validator, count: 4}]
---
apiVersion: coalmine.dev/v1alpha1
kind: Rehearsal
metadata: {name: killed}
spec:
  testnet: killed
  stages:
    - name: cut
      experiment:
        partition: {sides: [{nodes: [validator-0, validator-1]}, {nodes: [validator-2, validator-3]}]}
        duration: 15s
        ttl: 20s
      gates:
        - {name: stalls, signal: finalized-height, stalls: 1, window: {from: inject.confirmed, to: recover.start}}
"""


def status(cluster):
    found = cluster.get("ChaosExperiment", "cut", "coalmine-killed") or {}
    return found.get("status") or {}


@pytest.fixture
def killed(cluster, rehearse, tmp_path):
    """A run that was killed while its partition was on, and the network that it left."""
    from orchestrator.engine.embedded import EmbeddedEngine  # noqa: PLC0415
    from orchestrator.provision import network  # noqa: PLC0415

    file = tmp_path / "killed.yaml"
    file.write_text(PARTITION)
    runs = tmp_path / "runs"
    process = rehearse(file, "--runs", str(runs))
    until(lambda: status(cluster).get("phase") == "Active" or process.poll() is not None, 180, "the partition is on")
    assert process.poll() is None, process.communicate()
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    yield runs
    network.down(cluster, EmbeddedEngine(cluster), "killed", lambda _: None)


@pytest.mark.timeout(400)
def test_killing_the_command_line_in_a_partition_leaves_no_fault_after_its_time_limit(cluster, killed):
    until(lambda: status(cluster).get("phase") == "Recovered", 40, "the partition ended")
    run, journal = journal_of(killed)
    judged = subprocess.run([*COMMAND[:-1], "judge", str(run)], capture_output=True, text=True, check=False, cwd=ROOT)
    assert judged.returncode == 3  # A run that was cut short is never PASSED.
    assert journal.finished is None
