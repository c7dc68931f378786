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
    """`judged` are the targets that are not spared, of those that the question is about."""

    stage: Stage
    gate: Gate
    meaning: Meaning
    question: Question
    window: Known[MeasuredWindow]
    record: Record
    judged: tuple[Target, ...]

    @property
    def start(self) -> float:
        return self.window.value.start

    @property
    def end(self) -> float:
        return self.window.value.end

    @property
    def points(self) -> Points:
        """The points of the samples' grid inside the window."""
        return first_point(self.start, self.record.step), last_point(self.end, self.record.step)
