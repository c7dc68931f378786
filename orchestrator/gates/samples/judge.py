"""Findings from samples: for each node, or for several nodes as one figure. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from orchestrator.gates.case import Case
from orchestrator.gates.decide import Finding, broken, by_policy, unknown
from orchestrator.gates.question import Question
from orchestrator.gates.samples import baseline, series, views
from orchestrator.gates.samples.strip import Holes, Marks, Strip, lay, masked
from orchestrator.gates.samples.views import Judge, Member
from orchestrator.gates.track import Track
from orchestrator.journal import Baseline, Target, Verdict


def judge(case: Case) -> Iterator[Finding]:
    """What the samples say by the gate's threshold, and findings about gaps in them."""
    gate = case.gate
    if gate.signal is not None and not case.question.targets:
        yield broken(f"no node that it selects has the signal {gate.signal}")
    elif gate.no_worse_than is not None:
        then = baseline.of(gate, case.stage.name, case.record.baselines)
        yield from _findings(case, baseline.compared(gate, case.meaning, then))
    else:
        each = partial(series.judge, gate, case.meaning, case.record.pace)
        yield from _findings(case, lambda _, strip: each(strip))
    warnings = case.record.answers(case.question.key).warned(case.points)
    if warnings and gate.policy.warnings != "ignore":
        yield by_policy(gate.policy.warnings, f"Prometheus warned: {warnings[0]}")


def figures(case: Case, blank: Baseline) -> Baseline:
    """The figures of an earlier run, whose gate and window the case has."""
    values: dict[str, float] = {}
    lacking: dict[str, str] = {}
    for found in _findings(case, baseline.noting(case.gate, case.meaning, values, lacking)):
        if found.verdict is not Verdict.PASSED:
            lacking.setdefault("", found.reason)
    if case.gate.policy.warnings != "ignore" and case.record.answers(case.question.key).warned(case.points):
        values, lacking = {}, {"": "Prometheus warned there"}
    return blank.model_copy(update={"window": case.window.value, "figures": values, "lacking": lacking})


def _findings(case: Case, each: Judge) -> Iterator[Finding]:
    low, high = case.points
    if high < low:
        yield unknown("the window is shorter than the time between two samples")
        return
    gap = _unanswered(case)
    if gap is not None:
        yield gap
    if case.question.targets and not case.judged:
        yield unknown("every node was left out, so nobody was judged")
    fails = case.gate.policy.missing == "fail" and case.window.complete and gap is None
    nodes = {node.name: node for node in case.record.nodes}
    for view in views.of(case.gate, list(_members(case)), nodes):
        yield from view.findings(case.gate, case.meaning, each, silence="fail" if fails else "inconclusive")


def _unanswered(case: Case) -> Finding | None:
    """A finding if a part of the window has no answers: it was not asked, or the query failed. None if all is there."""
    for question in (case.question, *case.question.beside):
        answers = case.record.answers(question.key)
        stretch = next(iter(answers.lacking(case.points)), None)
        if stretch is None:
            continue
        if (error := answers.failure(stretch)) is not None:
            return broken(error)
        if not answers.covered:
            return by_policy("inconclusive", "this was not asked during the run, so it has to be run again")
        asked, step = case.points[1] - case.points[0] + 1, case.record.step
        missing = sum(high - low + 1 for low, high in answers.lacking(case.points))
        told = f"the recorded samples do not reach: {missing * step:g} of {asked * step:g} s were not recorded"
        return by_policy("inconclusive", told)
    return None


def _members(case: Case) -> Iterator[Member]:
    """A member for each node that should answer, and one for each series that came beside those."""
    tracks = tuple(case.record.answers(case.question.key).tracks.values())
    by_node: dict[str, list[Track]] = {}
    for track in tracks:
        by_node.setdefault(track.labels.get("node", ""), []).append(track)
    expected = _expected(case, tracks)
    named = _namer(expected)
    whole = next(case.record.answers(case.question.key).lacking(case.points), None) is None
    for target in expected:
        mine = [track for track in by_node.get(target.node, []) if _about(track, target)]
        strips = [strip for track in mine if (strip := _laid(case, track, whole=whole)) is not None]
        if not strips:
            yield Member(named(target), None, target)
        present = _present(case, (target,), metrics=False) if strips else None
        for strip in strips:
            yield Member(named(target), _shown(strip, present, case.gate.policy.stale, Holes(stale=1)), target)
    known = {node.name for node in case.record.nodes}
    others = [track for node, some in by_node.items() if node not in known for track in some]
    present = _present(case, case.judged, metrics=True) if others else None
    for track in sorted(others, key=lambda track: _label(track.labels)):
        if (strip := _laid(case, track, whole=whole)) is not None:
            yield Member(_label(track.labels), _shown(strip, present, case.gate.policy.fewer, Holes(fewer=1)))


def _about(track: Track, target: Target) -> bool:
    return target.chain in {None, track.labels.get("chain", target.chain)}


def _expected(case: Case, tracks: Iterable[Track]) -> tuple[Target, ...]:
    """The targets that should answer. For a user's own query, they depend on the labels of its answer."""
    if case.gate.promql is None:
        return case.judged
    labels = {label for track in tracks for label in track.labels}
    if "node" not in labels:
        return ()
    return (
        case.judged if "chain" in labels else tuple(dict.fromkeys(Target(node=target.node) for target in case.judged))
    )


def _laid(case: Case, track: Track, *, whole: bool) -> Strip | None:
    """The track in the window; None if it has no value there. `whole`: all of the window was answered."""
    values, odd = track.between(case.points), track.odd(case.points)
    strip = lay(values, odd, case.window, case.points[0], case.record.step)
    if not odd and strip.holes == strip.asked:
        return None
    if case.since < case.points[0]:
        earlier = track.between((case.since, case.points[0] - 1))
        if not np.isnan(earlier).all():
            strip = replace(strip, reached=float(np.nanmax(earlier)))
    # A node cannot answer what was not asked.
    return strip if whole else replace(strip, why=replace(strip.why, unanswered=0))


def _present(case: Case, wanted: Sequence[Target], *, metrics: bool) -> Marks | None:
    """For each point, whether all these targets answered a scrape. None if the answer itself shows it.

    With `metrics`, also whether every node that had one of the query's metrics at some time had it then.
    """
    if not case.question.beside or not wanted:
        return None
    answered, *had = case.question.beside
    marks = np.ones(case.points[1] - case.points[0] + 1, dtype=np.bool_)
    for target in wanted:
        mine = [track for track in _tracks(case, answered) if track.labels.get("node") == target.node]
        mine = [track for track in mine if _about(track, target)]
        marks &= bool(mine)
        for track in mine:
            marks &= track.between(case.points) == 1.0
    nodes = {target.node for target in wanted}
    for question in had if metrics else ():
        for track in _tracks(case, question):
            if track.labels.get("node") in nodes:
                marks &= ~np.isnan(track.between(case.points))
    return marks


def _tracks(case: Case, question: Question) -> Iterable[Track]:
    return case.record.answers(question.key).tracks.values()


def _shown(strip: Strip, present: Marks | None, policy: str, why: Holes) -> Strip:
    return strip if present is None or policy == "ignore" else masked(strip, present, why)


def _namer(expected: Sequence[Target]) -> Callable[[Target], str]:
    """A function that names a target: by its node, and also by its chain if the node is listed for two chains."""
    twice: dict[str, int] = {}
    for target in expected:
        twice[target.node] = twice.get(target.node, 0) + 1
    return lambda target: target.node if twice[target.node] == 1 else str(target)


def _label(labels: Mapping[str, str]) -> str:
    """A series by its labels, for one that belongs to no node of the network."""
    if not labels:
        return ""
    return labels.get("node") or ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
