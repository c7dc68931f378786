"""What is measured of this very machine, which other tests make busy meanwhile; so only what load cannot change."""

import os
import subprocess
import sys

import pytest

from orchestrator.machine import probe

ASK = "from orchestrator.machine import probe; print(*probe._burnt(1.0))"


@pytest.mark.live
def test_a_process_that_shares_its_cpu_with_a_busy_one_gets_its_part_and_is_no_slower():
    """Both are held on one CPU, so whatever else runs here takes from both."""
    cpu = str(min(os.sched_getaffinity(0)))
    rival = subprocess.Popen(["taskset", "-c", cpu, "sh", "-c", "while :; do :; done"])
    try:
        asked = subprocess.run(["taskset", "-c", cpu, sys.executable, "-c", ASK], capture_output=True, check=True)
    finally:
        rival.kill()
        rival.wait()
    speed, share = map(float, asked.stdout.split())
    assert share < 0.7
    assert speed > 0.1  # It is of the time on the CPU and not of the time that passed.


def test_where_the_kernel_does_not_count_turns_the_time_on_a_cpu_stands_for_them(monkeypatch, tmp_path):
    monkeypatch.setattr(probe, "_OWN", tmp_path / "none")
    _, share = probe._burnt(0.02)
    assert 0 < share <= 1


@pytest.mark.live
def test_measuring_takes_seconds_and_leaves_nothing_behind(tmp_path):
    figures = probe.measured(tmp_path / "runs")
    assert figures.cores == len(os.sched_getaffinity(0))
    assert 0 < figures.share <= 1
    assert figures.late > 0
    assert figures.sync > 0
    assert list((tmp_path / "runs").iterdir()) == []


@pytest.mark.parametrize(
    ("times", "worst"),
    [
        pytest.param(range(100), 98, id="one of a hundred does not count"),
        pytest.param([3, 9, 1], 9, id="few: the last"),
    ],
)
def test_the_worst_of_many(times, worst):
    assert probe._worst(list(times)) == worst


@pytest.mark.parametrize(
    ("text", "share"),
    [("some avg10=23.50 avg60=1.39 avg300=1.29 total=11354011\nfull avg10=0.00\n", 0.235), ("", None), (None, None)],
)
def test_the_kernels_pressure_is_a_share_or_unknown(monkeypatch, tmp_path, text, share):
    file = tmp_path / "cpu"
    if text is not None:
        file.write_text(text)
    monkeypatch.setattr(probe, "_PRESSURE", file)
    assert probe._pressure() == share
