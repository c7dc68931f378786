"""Findings from samples over time: for each node, or for several nodes as one figure. Pure; called by `evaluate`.

Every node that should answer needs a series. A user's own query may sum over nodes. Then a second query shows which of
them answered when, because a node that has disappeared must not improve a sum or an average.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from orchestrator.gates import views
from orchestrator.gates.finding import Finding, by_policy, unknown
from orchestrator.gates.meaning import Meaning
from orchestrator.gates.question import Question
from orchestrator.gates.record import Points, Record, Track
from orchestrator.gates.strip import Holes, Strip, first_point, last_point, lay, masked
from orchestrator.gates.views import Judge, Member, View
from orchestrator.journal import MeasuredWindow, Target, Verdict
from orchestrator.spec import Gate


@dataclass(frozen=True, slots=True)
class Case:
    """A gate with a known window, and what it is judged by. `left` are the targets that are not spared."""

    gate: Gate
    meaning: Meaning
    question: Question
    window: MeasuredWindow
    record: Record
    left: tuple[Target, ...]

    @property
    def points(self) -> Points:
        return first_point(self.window.start, self.record.step), last_point(self.window.end, self.record.step)


def findings(case: Case, judge: Judge) -> Iterator[Finding]:
    """What the samples say by the gate's threshold, and findings about gaps in them."""
    low, high = case.points
    if high < low:
        yield unknown("the window is shorter than the time between two samples")
        return
    if reason := unanswered(case):
        yield reason
    if case.question.targets and not case.left:
        yield unknown("every node was left out, so nobody was judged")
    for view in seen(case):
        yield from view.judged(case.gate, case.meaning, judge, silence_fails=silence_fails(case))


def seen(case: Case) -> Iterator[View]:
    """The series or views that are judged."""
    return views.of(case.gate, list(_series(case)), {node.name: node for node in case.record.nodes})


def silence_fails(case: Case) -> bool:
    """Whether a node without samples fails the gate: by its policy, if every query of the window was answered."""
    return case.gate.policy.missing == "fail" and not case.window.open and unanswered(case) is None


def unanswered(case: Case) -> Finding | None:
    """A finding if a part of the window has no answers: it was not asked, or the query failed. None if all is there."""
    answers = case.record.answers(case.question.query)
    stretch = next(iter(answers.lacking(case.points)), None)
    if stretch is None:
        return None
    if (error := answers.failure(stretch)) is not None:
        return Finding(Verdict.ERROR, error)
    if not answers.covered:
        return by_policy("inconclusive", "this was not asked during the run, so it has to be run again")
    asked, step = case.points[1] - case.points[0] + 1, case.record.step
    missing = sum(high - low + 1 for low, high in answers.lacking(case.points))
    told = f"the recorded samples do not reach: {missing * step:g} of {asked * step:g} s were not recorded"
    return by_policy("inconclusive", told)


def _series(case: Case) -> Iterator[Member]:
    """A member for each node that should answer. If the answer does not name nodes, one for each series that came."""
    tracks = tuple(case.record.answers(case.question.query).tracks.values())
    expected = _expected(case, tracks)
    if not expected:
        present = _present(case, case.left)
        for track in sorted(tracks, key=lambda track: _labels(track.labels)):
            if (strip := _laid(case, track)) is not None:
                yield Member(_labels(track.labels), _shown(strip, present, case.gate.policy.fewer, Holes(fewer=1)))
        return
    named = _namer(expected)
    by_node: dict[str, list[Track]] = {}
    for track in tracks:
        by_node.setdefault(track.labels.get("node", ""), []).append(track)
    for target in expected:
        mine = [t for t in by_node.get(target.node, []) if target.chain in {None, t.labels.get("chain", target.chain)}]
        strips = [strip for track in mine if (strip := _laid(case, track)) is not None]
        if not strips:
            yield Member(named(target), None, target)
        present = _present(case, (target,)) if strips else None
        for strip in strips:
            yield Member(named(target), _shown(strip, present, case.gate.policy.stale, Holes(stale=1)), target)


def _expected(case: Case, tracks: Iterable[Track]) -> tuple[Target, ...]:
    """The targets that should answer. For a user's own query, they depend on the labels of its answer."""
    if case.gate.promql is None:
        return case.left
    labels = {label for track in tracks for label in track.labels}
    if "node" not in labels:
        return ()
    return case.left if "chain" in labels else tuple(dict.fromkeys(Target(node=target.node) for target in case.left))


def _laid(case: Case, track: Track) -> Strip | None:
    """The track in the window; None if it has no value there."""
    raw = track.between(case.points)
    if raw.count(None) == len(raw):
        return None
    step, earlier = case.record.step, None
    if case.window.since < case.window.start:
        before = track.before(case.points[0], first_point(case.window.since, step))
        earlier = (before[0] * step, before[1]) if before is not None else None
    strip = lay(raw, case.window, case.points[0], step, earlier)
    if next(case.record.answers(case.question.query).lacking(case.points), None) is not None:
        return replace(strip, why=replace(strip.why, unanswered=0))  # A node cannot answer what was not asked.
    return strip


def _present(case: Case, wanted: tuple[Target, ...]) -> list[bool] | None:
    """For each point, whether all these targets answered a scrape. None if the answer itself shows it."""
    if case.question.presence is None or not wanted:
        return None
    tracks = list(case.record.answers(case.question.presence).tracks.values())
    rows = []
    for target in wanted:
        mine = [t for t in tracks if t.labels.get("node") == target.node]
        mine = [t for t in mine if target.chain in {None, t.labels.get("chain", target.chain)}]
        if not mine:
            return [False] * (case.points[1] - case.points[0] + 1)
        rows += [track.between(case.points) for track in mine]
    return [all(value == 1.0 for value in column) for column in zip(*rows, strict=True)]


def _shown(strip: Strip, present: list[bool] | None, policy: str, why: Holes) -> Strip:
    return strip if present is None or policy == "ignore" else masked(strip, present, why)


def _namer(expected: Sequence[Target]) -> Callable[[Target], str]:
    """A function that names a target: by its node, and also by its chain if the node is listed for two chains."""
    twice: dict[str, int] = {}
    for target in expected:
        twice[target.node] = twice.get(target.node, 0) + 1
    return lambda target: target.node if twice[target.node] == 1 else str(target)


def _labels(labels: Mapping[str, str]) -> str:
    shown = {key: value for key, value in sorted(labels.items()) if key != "__name__"}
    return shown.get("node") or ",".join(f"{key}={value}" for key, value in shown.items())
