"""The verdict on a run, from its journal alone. Called by `run` at the end, and by `coalmine judge` at any time later."""

from dataclasses import dataclass

from orchestrator.journal import GateVerdict, Journal, Verdict
from orchestrator.spec import Rehearsal


@dataclass(frozen=True, slots=True)
class RunVerdict:
    """All gates in the order of the rehearsal, what they mean together, and why it is no more than that."""

    verdict: Verdict
    reason: str
    gates: tuple[GateVerdict, ...]

    @property
    def exit_code(self) -> int:
        """What the process should end with."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Change:
    """A gate whose verdict another judgement sees differently; None where one of them does not have the gate."""

    stage: str
    gate: str
    before: GateVerdict | None
    after: GateVerdict | None


def judge(journal: Journal, rehearsal: Rehearsal | None = None) -> RunVerdict:
    """Judges all gates of the rehearsal, by default the one that was run, on what the journal holds."""
    raise NotImplementedError


def compare(before: RunVerdict, after: RunVerdict) -> tuple[Change, ...]:
    """The gates whose verdict differs between two judgements of one run."""
    raise NotImplementedError
