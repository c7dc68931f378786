"""Agreement: one value on all nodes of a chain, at one height that became final in the window. Asked and judged here.

All nodes are asked at the lowest finalised height among them, but never beyond what was final when the window closed:
when it has closed, and for a gate that may end the run also while it is open. A disagreement in any round fails the
gate, because what is final does not change. All nodes agree about what was final before the window began, and about a
storage item that no node has, so neither shows anything.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from orchestrator.errors import CoalmineError
from orchestrator.gates.asked import Asked, Keep
from orchestrator.gates.case import Case
from orchestrator.gates.decide import Claim, Finding, by_policy, decide, unknown
from orchestrator.gates.evidence import Known, Unknown
from orchestrator.gates.parallel import each
from orchestrator.gates.ports import Sources
from orchestrator.gates.question import Question, key, named
from orchestrator.gates.record import Record
from orchestrator.journal import Node, Reading, Readings, Target
from orchestrator.metrics.signals import targets
from orchestrator.spec import Gate, Stage
from orchestrator.spec.testnet import RELAY

NOTHING = "0x"
"""The value of a storage item that is not there."""


def ask(gate: Gate, nodes: tuple[Node, ...]) -> Question:
    """The gate's question to all nodes that it selects."""
    what = gate.chain_read or (f"storage {gate.storage.pallet}.{gate.storage.item}" if gate.storage else "")
    asked = key("agrees", gate.storage or gate.chain_read, on=gate.on)
    return Question(asked, f"{what} of {named(gate.on)}", targets(nodes, gate.on))


def collect(wanted: Sequence[Asked], stage: Stage, record: Record, sources: Sources, keep: Keep) -> None:
    """Asks once for each question and each end of a window."""
    done: set[tuple[str, float | None]] = set()
    for one in wanted:
        ends = one.window.valid_to if isinstance(one.window, Known) and one.window.complete else None
        if (one.question.key, ends) not in done:
            done.add((one.question.key, ends))
            keep(_round(one, stage.name, ends, record, sources))


def _round(one: Asked, stage: str, ends: float | None, record: Record, sources: Sources) -> Readings:
    """Every node's value at the lowest height that all nodes of its chain have finalised, and the window has."""
    asked = [target for target in one.question.targets if target.node not in one.left_out]
    reads = finalized(asked, sources)
    common: dict[str, int] = {}
    for read in reads:
        chain = read.target.chain or RELAY
        if read.finalized is not None:
            common[chain] = min(read.finalized, common.get(chain, read.finalized))
    for chain in common if ends is not None else ():
        last = record.timeline.finalized(ends or 0.0, chain)
        common[chain] = min(common[chain], last.value) if isinstance(last, Known) else common[chain]
    reads = each(reads, lambda read: _value(read, one.gate, common, sources))
    return Readings(stage=stage, key=one.question.key, query=one.question.query, reads=tuple(reads))


def finalized(wanted: Sequence[Target], sources: Sources) -> list[Reading]:
    """The finalised height of each target. All are asked in parallel."""
    return each(wanted, lambda target: _finalized(target, sources))


def _finalized(target: Target, sources: Sources) -> Reading:
    chain = target.chain or RELAY
    return _guarded(Reading(target=target), lambda: {"finalized": sources.chains.finalized_height(target.node, chain)})


def _value(read: Reading, gate: Gate, common: Mapping[str, int], sources: Sources) -> Reading:
    node, chain = read.target.node, read.target.chain or RELAY
    height = common.get(chain)
    if height is None or read.error is not None:
        return read

    def find() -> dict[str, object]:
        if gate.storage is not None:
            return {"height": height, "value": sources.chains.stored(node, chain, gate.storage, height)}
        return {"height": height, "value": sources.chains.block_hash(node, chain, height)}

    return _guarded(read, find)


def _guarded(read: Reading, find: Callable[[], dict[str, object]]) -> Reading:
    try:
        return read.model_copy(update=find())
    except CoalmineError as error:
        return read.model_copy(update={"error": error.message})


def judge(case: Case) -> Iterator[Finding]:
    """What the rounds of the stage show about the nodes that are judged, chain by chain."""
    rounds = [done for done in case.record.readings(case.question.key) if done.stage == case.stage.name]
    rounds = [done for done in rounds if done.at > case.start]
    if not case.judged:
        yield unknown("every node was left out, so nobody was judged")
    elif not rounds:
        yield unknown("the nodes were never asked")
    for chain in sorted({target.chain or RELAY for target in case.judged}) if rounds else ():
        about = [target for target in case.judged if (target.chain or RELAY) == chain]
        for done in rounds:
            yield from _divided(case, chain, _answers(done, about))
        yield from _agreed(case, chain, about, rounds)


def _answers(done: Readings, about: Sequence[Target]) -> list[Reading]:
    return [read for read in done.reads if read.target in about and read.error is None and read.value is not None]


def _divided(case: Case, chain: str, answers: list[Reading]) -> Iterator[Finding]:
    """A finding for each height at which nodes of the chain disagreed in one round."""
    for height in sorted({read.height or 0 for read in answers}):
        same = [read for read in answers if (read.height or 0) == height]
        votes = Counter(read.value for read in same)
        if len(votes) > 1:
            (common, _), *_ = votes.most_common(1)
            other = next(read for read in same if read.value != common)
            told = f"{chain}: {len(votes)} different values at finalised height {height}; "
            told += f"{other.target.node} has {other.value}"
            claim = Claim(told, fails=True, holds=False, value=float(len(votes)), badness=float("inf"), when=case.end)
            yield replace(decide(claim, case.window, case.gate), node=str(other.target))


def _agreed(case: Case, chain: str, about: Sequence[Target], rounds: Sequence[Readings]) -> Iterator[Finding]:
    """Findings by the last round at a height that became final in the window."""
    final = case.record.timeline.became_final(case.start, case.end, chain)
    if isinstance(final, Unknown):
        yield unknown(final.reason)
        return
    done = _last(about, rounds, final.value[1])
    answers = _answers(done, about)
    answered = {read.target for read in answers}
    for target in about:
        if target not in answered:
            yield _silent(case, target, done)
    if len(answers) < 2:
        yield unknown(f"{chain}: {len(answers)} nodes answered, and agreement takes two")
        return
    heights = {read.height or 0 for read in answers}
    yield decide(_claim(case, chain, answers, heights, final.value), case.window, case.gate)


def _claim(case: Case, chain: str, answers: Sequence[Reading], heights: set[int], final: tuple[int, int]) -> Claim:
    height, alike = min(heights), len({read.value for read in answers}) == 1
    doubt = ""
    if len(heights) > 1:
        doubt = f"{chain}: the nodes were not asked about one height"
    elif final[0] == final[1]:
        doubt = f"{chain}: nothing became final in the window, so there is nothing to agree about"
    elif height <= final[0]:
        doubt = f"{chain}: a node has finalised {height} only, which was final before the window began"
    elif height > final[1]:
        doubt = f"{chain}: the nodes were asked about height {height}, and {final[1]} was final when the window closed"
    elif alike and answers[0].value == NOTHING:
        doubt = f"{chain}: no node has anything there, so they agree about nothing; is the name right?"
    told = f"{chain}: one value at height {height} on {len(answers)} nodes"
    return Claim(told, fails=False, holds=alike and not doubt, doubt=doubt, value=1.0, badness=0.0, when=case.end)


def _last(about: Sequence[Target], rounds: Sequence[Readings], final: int) -> Readings:
    """The last round that asked within the window; the last of all if none did."""
    for done in reversed(rounds):
        if all((read.height or 0) <= final for read in _answers(done, about)):
            return done
    return rounds[-1]


def _silent(case: Case, target: Target, done: Readings) -> Finding:
    read = next((read for read in done.reads if read.target == target), None)
    why = (read.error or f"has nothing at height {read.height}") if read is not None else "was not asked"
    policy = case.gate.policy.missing if read is not None and case.window.complete else "inconclusive"
    return by_policy(policy, f"{target}: {why}", node=str(target))
