"""What a measurement means. Pure: the same measurement gives the same verdict, in the run and offline."""

from orchestrator.gates.window import Timeline
from orchestrator.journal import GateVerdict, Measurement


def evaluate(measurement: Measurement, timeline: Timeline) -> GateVerdict:
    """The verdict on one gate. Never raises: a crash of the evaluation is an ERROR."""
    raise NotImplementedError
