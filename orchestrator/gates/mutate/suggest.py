"""The gate of the library that would notice a change: tried on the changed record, or named by what it is about."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from orchestrator.gates.assess import assess
from orchestrator.gates.library import LIBRARY
from orchestrator.gates.library.expand import gates_of
from orchestrator.gates.library.network import Network
from orchestrator.gates.mutate.mutant import Mutant
from orchestrator.gates.record import Record
from orchestrator.journal import Journal, Verdict
from orchestrator.spec import Gate, Stage
from orchestrator.spec.use import Use


@dataclass(frozen=True, slots=True)
class Would:
    """A gate of the library that would notice a change. `tried`: it did, on what the run had recorded for others."""

    gate: str
    tried: bool

    def __str__(self) -> str:
        return self.gate if self.tried else f"{self.gate} (not recorded)"


@dataclass(frozen=True)
class Library:
    """The library's gates for a run's network. What they say of the run as it was is computed once for each stage."""

    journal: Journal
    gates: dict[str, tuple[Gate, ...]]
    _before: dict[tuple[str, str], Verdict] = field(default_factory=dict)

    @classmethod
    def of(cls, journal: Journal) -> "Library":
        network = Network.of(journal.started.testnet)
        found = {name: tuple(_gates(name, network)) for name in _in_order()}
        return cls(journal, {name: gates for name, gates in found.items() if gates})

    def would(self, mutant: Mutant, before: Record, after: Record, now: float) -> Would | None:
        """Those that were made for such changes first, then all others. None if nothing in the library is about it."""
        stage = mutant.phase.stage
        meant = [name for name in mutant.by if name in self.gates]
        for name in dict.fromkeys((*meant, *self.gates)):
            if any(self._notices(stage, gate, before, after, now) for gate in self.gates[name]):
                return Would(name, tried=True)
        fit = [name for name in meant if all(_fits(gate, stage) for gate in self.gates[name])]
        return Would(fit[0], tried=False) if fit else None

    def _notices(self, stage: Stage, gate: Gate, before: Record, after: Record, now: float) -> bool:
        if not _fits(gate, stage):
            return False
        where = stage.name, gate.name
        if where not in self._before:
            self._before[where] = assess(stage, gate, before, now).verdict.verdict
        if self._before[where] is not Verdict.PASSED:
            return False
        return assess(stage, gate, after, now).verdict.verdict is Verdict.FAILED


def _gates(name: str, network: Network) -> Iterator[Gate]:
    for found in gates_of(Use(use=name), network):
        if not found.left_out:
            yield Gate.model_validate(found.words)


def _in_order() -> Iterable[str]:
    """The gates of sets before those that no set has."""
    of_sets = [of for found in LIBRARY.sets.values() for _, of, *_ in found.gates()]
    return dict.fromkeys((*of_sets, *LIBRARY.gates))


def _fits(gate: Gate, stage: Stage) -> bool:
    """Whether the stage has the moments that the gate waits for."""
    moments = {anchor.moment.split(".")[0] for anchor in gate.anchors()}
    return not (moments & {"inject", "recover"} and stage.experiment is None) and not (
        "upgrade" in moments and stage.upgrade is None
    )
