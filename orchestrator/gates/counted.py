"""Findings from counts: log lines by their time, chain events by their block. Pure; called by `evaluate`.

A count is only valid if nothing was missed. Each record says from where to where it is complete. A window that reaches
beyond that is INCONCLUSIVE.
"""

from collections.abc import Iterator, Sequence

from orchestrator.gates.bounds import bounds, breach
from orchestrator.gates.finding import Finding, unknown
from orchestrator.gates.meaning import Meaning
from orchestrator.gates.values import never_closed
from orchestrator.gates.window import Timeline
from orchestrator.journal import MeasuredWindow, Occurrences, Target, Verdict
from orchestrator.spec import Gate
from orchestrator.spec.testnet import RELAY

Stretch = tuple[float, float]


def lines(
    gate: Gate, window: MeasuredWindow, recorded: Sequence[Occurrences], left: tuple[Target, ...]
) -> Iterator[Finding]:
    """One finding for each node's log."""
    if not left:
        yield unknown("every node was left out, so nobody was judged")
    for target in left:
        mine = [entry for entry in recorded if entry.target == target]
        yield _count(gate, window, mine, (window.start, window.end)).on(target.node)


def events(
    gate: Gate, window: MeasuredWindow, recorded: Sequence[Occurrences], timeline: Timeline
) -> Iterator[Finding]:
    """One finding for the chain: the events in blocks that became final in the window. They cannot be reverted."""
    chain = gate.on.chain or RELAY
    low, high = timeline.finalized(window.start, chain), timeline.finalized(window.end, chain)
    if low is None or high is None:
        yield unknown(f"{chain}: nobody noted how far it was final at the window's edges")
        return
    yield _count(gate, window, recorded, (float(low), float(high))).on(chain)


def _count(gate: Gate, window: MeasuredWindow, recorded: Sequence[Occurrences], stretch: Stretch) -> Finding:
    """Counts the hits after the first position of the stretch, up to and including the last."""
    meaning = Meaning.of(gate)
    count, reached, when = 0, stretch[0], None
    for entry in sorted((entry for entry in recorded if entry.error is None), key=lambda entry: entry.first):
        if entry.first > reached:
            break
        inside = [hit for hit in entry.hits if reached < hit <= min(entry.last, stretch[1])]
        count, reached = count + len(inside), max(reached, entry.last)
        when = inside[-1] if inside and gate.logs is not None else when
    value = float(count)
    bad = breach(gate, value)
    told = f"{meaning.title}: {count}"
    _, most = bounds(gate)
    if most is not None and value > most:  # A count can only rise.
        return Finding(Verdict.FAILED, told, value, bad, when)
    if reached < stretch[1]:
        errors = [entry.error for entry in recorded if entry.error is not None]
        if errors:
            return Finding(Verdict.ERROR, errors[-1])
        return unknown(f"{told}, but the record ends before the window does", value, badness=bad)
    if window.open:
        return unknown(never_closed(gate), value, badness=bad)
    return Finding(Verdict.FAILED if bad > 0 else Verdict.PASSED, told, value, bad, when)
