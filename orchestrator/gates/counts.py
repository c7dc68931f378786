"""Counts: log lines by their time, chain events by their block. Asked, collected and judged.

A count is only valid if nothing was missed. Each record says from where to where it is complete. A window that reaches
beyond that is INCONCLUSIVE, and so is a count of events in no block at all.
"""

from collections.abc import Iterator, Sequence

from orchestrator.errors import CoalmineError
from orchestrator.gates.asked import Asked, Keep
from orchestrator.gates.case import Case
from orchestrator.gates.decide import Claim, Finding, broken, decide, unknown
from orchestrator.gates.evidence import Unknown
from orchestrator.gates.parallel import each
from orchestrator.gates.ports import Sources
from orchestrator.gates.question import Question, key, pods
from orchestrator.gates.record import Record
from orchestrator.gates.threshold import bounds, breach
from orchestrator.gates.window import moments, time_of
from orchestrator.journal import Node, Occurrences, Target
from orchestrator.spec import Gate, Stage
from orchestrator.spec.testnet import RELAY

Stretch = tuple[float, float]
"""From after the first to the last, both in Unix seconds or both in block numbers."""


def ask(gate: Gate, nodes: tuple[Node, ...]) -> Question:
    """The gate's question. Lines are counted for each node's log, events for the chain."""
    if gate.logs is not None:
        return Question(key("logs", gate.logs.pattern), f"lines with {gate.logs.pattern}", pods(nodes, gate.on))
    assert gate.chain_events is not None
    event, chain = gate.chain_events, gate.on.chain or RELAY
    return Question(key("chainEvents", event, chain), f"events {event.pallet}.{event.name} on {chain}")


def collect(wanted: Sequence[Asked], stage: Stage, record: Record, sources: Sources, keep: Keep, until: float) -> None:
    """Brings the counts up to `until`. What is recorded already is not read again."""
    done: set[str] = set()
    for one in wanted:
        same = [other for other in wanted if other.question.key == one.question.key]
        if one.question.key in done:
            continue
        done.add(one.question.key)
        if one.gate.logs is not None:
            targets = tuple(dict.fromkeys(target for other in same for target in other.question.targets))
            since = min(other.since for other in same)
            for entry in _lines(one, targets, since, until, record, sources):
                keep(entry)
        else:
            for entry in _happened(one, stage, until, record, sources):
                keep(entry)


def _lines(
    one: Asked, targets: tuple[Target, ...], since: float, until: float, record: Record, sources: Sources
) -> list[Occurrences]:
    assert one.gate.logs is not None
    pattern = one.gate.logs.pattern
    known = {entry.target: entry.last for entry in record.occurrences(one.question.key) if entry.error is None}

    def read(target: Target) -> Occurrences:
        start = max(since, known.get(target, since))
        blank = Occurrences(key=one.question.key, query=one.question.query, target=target, first=start, last=until)
        try:
            found = sources.logs.matching(target.node, pattern, start, until)
        except CoalmineError as error:
            return blank.model_copy(update={"error": error.message})
        return blank.model_copy(update={"first": max(start, found.since), "hits": found.hits, "lines": found.lines})

    return each(targets, read)


def _happened(one: Asked, stage: Stage, until: float, record: Record, sources: Sources) -> Iterator[Occurrences]:
    """The events in blocks that became final in the stage and are not recorded yet."""
    assert one.gate.chain_events is not None
    chain, timeline = one.gate.on.chain or RELAY, record.timeline
    start = time_of(moments(stage.name, record.events), "stage.start", until)
    final = timeline.became_final(start, until, chain)
    if isinstance(final, Unknown):
        return
    low, high = final.value
    done = [int(entry.last) for entry in record.occurrences(one.question.key) if entry.error is None]
    low = max([low, *(block for block in done if block <= high)])
    if low >= high:
        return
    blank = Occurrences(
        key=one.question.key, query=one.question.query, target=Target(node="", chain=chain), first=low, last=high
    )
    try:
        node, blocks = sources.chains.happened(chain, one.gate.chain_events, low + 1, high)
        target = Target(node=node, chain=chain)
        yield blank.model_copy(update={"target": target, "hits": tuple(map(float, blocks))})
    except CoalmineError as error:
        yield blank.model_copy(update={"error": error.message})


def judge(case: Case) -> Iterator[Finding]:
    """One finding for each node's log, or one for the chain."""
    recorded = case.record.occurrences(case.question.key)
    if case.gate.logs is None:
        yield from _events(case, recorded)
        return
    if not case.judged:
        yield unknown("every node was left out, so nobody was judged")
    for target in case.judged:
        mine = [entry for entry in recorded if entry.target == target]
        yield _count(case, mine, (case.start, case.end)).on(target.node)


def _events(case: Case, recorded: Sequence[Occurrences]) -> Iterator[Finding]:
    """The events in blocks that became final in the window. They cannot be reverted."""
    chain = case.gate.on.chain or RELAY
    final = case.record.timeline.became_final(case.start, case.end, chain)
    if isinstance(final, Unknown):
        yield unknown(final.reason)
        return
    low, high = final.value
    if high <= low:
        yield unknown(f"{chain}: no block became final in the window, so there was nothing to count in")
    else:
        yield _count(case, recorded, (float(low), float(high))).on(chain)


def _count(case: Case, recorded: Sequence[Occurrences], stretch: Stretch) -> Finding:
    """Counts the hits after the first position of the stretch, up to and including the last."""
    gate, count, reached, when = case.gate, 0, stretch[0], None
    for entry in sorted((entry for entry in recorded if entry.error is None), key=lambda entry: entry.first):
        if entry.first > reached:
            break
        inside = [hit for hit in entry.hits if reached < hit <= min(entry.last, stretch[1])]
        count, reached = count + len(inside), max(reached, entry.last)
        when = inside[-1] if inside and gate.logs is not None else when
    whole, value = reached >= stretch[1], float(count)
    bad, told = breach(gate, value), f"{case.meaning.title}: {count}"
    _, most = bounds(gate)
    over = most is not None and value > most  # A count can only rise.
    errors = [entry.error for entry in recorded if entry.error is not None]
    if errors and not whole and not over:
        return broken(errors[-1])
    claim = Claim(
        told,
        fails=over or (whole and case.window.complete and bad > 0),
        holds=whole and bad <= 0,
        doubt=f"{told}, but the record ends before the window does" if not whole else f"{told} so far",
        value=value,
        badness=bad,
        when=when,
    )
    return decide(claim, case.window, gate)
