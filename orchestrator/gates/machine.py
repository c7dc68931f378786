"""Whether the machine excuses a gate that was too slow. Asked and collected with the samples; judged after the gate.

A wrong FAILED costs as much trust as a wrong PASSED: validators that cannot prepare new code in time, because three
compilers run beside them, say nothing about the code. So a gate that only took too long, while the network's nodes
waited for a CPU, for memory or for a disk, is INCONCLUSIVE with that figure. What no machine can cause stays FAILED:
two hashes at a height, a panic, a wrong code, a lost dispute.
"""

from dataclasses import replace

import numpy as np

from orchestrator.gates.decide import Finding, unknown
from orchestrator.gates.grid import first_point, last_point
from orchestrator.gates.question import Question, key
from orchestrator.gates.record import Record
from orchestrator.gates.samples.ask import HOLD
from orchestrator.gates.threshold import bounds
from orchestrator.journal import Verdict
from orchestrator.metrics.signals import CATALOGUE
from orchestrator.spec import Gate, Selector
from orchestrator.spec.gate import Policy
from orchestrator.units import format_percent

WAITS = ("cpu-delay", "memory-stall", "disk-stall")
"""The signals of the agents that tell for which share of the time a node waited.

Not `cpu-wait`: a nearly idle node on a busy machine waits for most of the little that it wants, and loses nothing.
"""

_FOR = {"cpu-delay": "a CPU", "memory-stall": "memory", "disk-stall": "a disk"}

SLOWED = frozenset(
    {
        "block-time", "proposals-cut-short", "leaves", "major-syncing", "queued-blocks", "finality-lag", "beefy-lag",
        "beefy-lagging-sessions", "chunk-fetch-failures", "pov-fetch-failures", "collations-requested-in-vain",
        "validation-peers", "validation-peers-missing", "approval-lag", "no-shows", "observed-no-shows",
        "unapproved-candidates", "dispute-lag", "dispute-queue", "pvf-pending", "transactions-ready", "peers",
        "connections", "request-failures", "stale-downloads", "known-authorities", "unresolved-collators", "up",
    }
)  # fmt: skip
"""Signals whose values get worse on a machine that is too slow, with nothing else wrong. What is not among them, such
as disputes and refused blocks, stays FAILED."""

_PROGRESS = ("increases_by", "progresses", "recovers_within")
"""Thresholds that only say how fast something must go on."""


def ask(step: float) -> tuple[Question, ...]:
    """The questions about all nodes of a network that is scraped every `step` seconds."""
    return tuple(Question(key("signal", name), CATALOGUE[name].query(Selector(), hold=HOLD * step)) for name in WAITS)


def excused(gate: Gate, finding: Finding, record: Record, window: tuple[float, float]) -> Finding:
    """The finding; INCONCLUSIVE instead of FAILED if it was only too slow and the nodes waited for their machine."""
    if finding.verdict is not Verdict.FAILED or not too_slow(gate, finding.value):
        return finding
    return _unless_starved(finding, record, window, gate.policy.machine)


def overdue(finding: Finding, record: Record, window: tuple[float, float]) -> Finding:
    """The same for what has no policy of its own: a phase of an upgrade that took too long."""
    return _unless_starved(finding, record, window, Policy().machine)


def _unless_starved(finding: Finding, record: Record, window: tuple[float, float], limit: float | str) -> Finding:
    if not isinstance(limit, float):
        return finding
    waits = {name: waited for name in WAITS if (waited := waiting(name, record, window)) is not None}
    worst = max(waits, key=lambda name: waits[name], default=None)
    if worst is None or waits[worst] < limit:
        return finding
    share, most = format_percent(round(waits[worst], 2)), format_percent(limit)
    told = f"{finding.reason}; but in that time its nodes waited for {_FOR[worst]} {share} of the time, "
    told += f"and from {most} on the machine may be the cause"
    return replace(unknown(told, finding.value, badness=finding.badness), node=finding.node)


def waiting(name: str, record: Record, window: tuple[float, float]) -> float | None:
    """The mean share, over all nodes and the window, for which nodes waited; None if the agents did not say it."""
    answers = record.answers(key("signal", name))
    points = first_point(window[0], record.step), last_point(window[1], record.step)
    if points[1] < points[0]:
        return None
    means = []
    for track in answers.tracks.values():
        values = track.between(points)
        known = values[~np.isnan(values)]
        if 2 * len(known) >= len(values):  # A node of which most is missing says nothing about the window.
            means.append(float(known.mean()))
    return float(np.mean(means)) if means else None


def too_slow(gate: Gate, value: float | None) -> bool:
    """Whether a value that breaches the gate may be nothing but the work of a slow machine."""
    if value is None:
        return False
    low, high = bounds(gate)
    if gate.chosen() in _PROGRESS:
        return True
    below, above = low is not None and value < low, high is not None and value > high
    if gate.rate_per_minute is not None:
        return below
    if gate.measured is not None:
        return above and gate.measured.seconds is not None
    return gate.signal in SLOWED or gate.pods == "ready" or gate.chain_read == "grandpa-absent"
