"""A gate with a known window, and all that it is judged by. Made by `assess`, judged by the kinds of evidence."""

from dataclasses import dataclass

from orchestrator.gates.evidence import Known
from orchestrator.gates.grid import Points, first_point, last_point
from orchestrator.gates.question import Question
from orchestrator.gates.record import Record
from orchestrator.gates.threshold import Meaning
from orchestrator.journal import MeasuredWindow, Target
from orchestrator.spec import Gate, Stage


@dataclass(frozen=True, slots=True)
class Case:
    """`judged` are the targets that are not spared, of those that the question is about.

    `points` are the points of the samples' grid inside the window, and `since` is the first that matters, which may
    come before them.
    """

    stage: Stage
    gate: Gate
    meaning: Meaning
    question: Question
    window: Known[MeasuredWindow]
    record: Record
    judged: tuple[Target, ...]
    points: Points
    since: int

    @classmethod
    def of(
        cls,
        stage: Stage,
        gate: Gate,
        question: Question,
        window: Known[MeasuredWindow],
        record: Record,
        left_out: tuple[str, ...],
    ) -> "Case":
        """The case of a gate whose nodes in `left_out` are spared."""
        found, step = window.value, record.step
        judged = tuple(target for target in question.targets if target.node not in left_out)
        points = first_point(found.start, step), last_point(found.end, step)
        since = first_point(found.since, step)
        return cls(stage, gate, Meaning.of(gate), question, window, record, judged, points, since)

    @property
    def start(self) -> float:
        return self.window.value.start

    @property
    def end(self) -> float:
        return self.window.value.end
