"""Collects the evidence that gates need and the record lacks. Failures do not raise; they are recorded.

Called by `run`: during a stage for gates that may end it early, and at the stage's end for all gates.
"""

from collections.abc import Iterable, Iterator, Sequence

from orchestrator.gates import agreement, counts, machine, samples
from orchestrator.gates.asked import Asked, Keep
from orchestrator.gates.evidence import Unknown
from orchestrator.gates.kinds import Kind, kind_of, question
from orchestrator.gates.ports import Sources
from orchestrator.gates.record import Record
from orchestrator.gates.window import moments, resolve, spared, time_of
from orchestrator.spec import Gate, Stage


def asked(stage: Stage, gates: Iterable[Gate], record: Record, now: float) -> Iterator[Asked]:
    """The questions of gates. Gates with an unknown signal are left out; the evaluation reports them."""
    known = moments(stage.name, record.events)
    start = time_of(known, "stage.start", now)
    for gate in gates:
        window = resolve(gate, known, record.timeline, record.pace, now=now)
        since = start if isinstance(window, Unknown) else min(window.value.since, start)
        left_out = spared(gate, stage, record.events, window)
        try:
            yield Asked(gate, question(gate, record.nodes, record.step), window, since, left_out)
        except KeyError:
            continue


def collect(stage: Stage, gates: Sequence[Gate], record: Record, sources: Sources, keep: Keep, now: float) -> int:
    """Brings the record up to `now`, or to the stage's end, for these gates. Returns the number of range queries."""
    until = time_of(moments(stage.name, record.events), "stage.end", now)
    wanted: dict[Kind, list[Asked]] = {}
    for one in asked(stage, gates, record, now):
        wanted.setdefault(kind_of(one.gate), []).append(one)
    since = min((one.since for some in wanted.values() for one in some), default=until)
    machines = ((question, since) for question in machine.ask(record.step))
    sent = samples.collect([*samples.needed(wanted.get("samples", [])), *machines], record, sources, keep, until)
    counts.collect(wanted.get("counts", []), stage, record, sources, keep, until)
    agreement.collect(wanted.get("agreement", []), stage, record, sources, keep)
    return sent
