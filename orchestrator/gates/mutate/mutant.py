"""A mutant: a recorded run with one change, in the words of the field."""

from dataclasses import dataclass, field

from orchestrator.gates.mutate.edit import Edit, Span
from orchestrator.gates.mutate.rewrite import rewritten
from orchestrator.gates.mutate.world import World
from orchestrator.journal import Journal
from orchestrator.spec import Stage


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of a stage, for which `when` has words. `until`: how many entries were there when it was judged.

    `disturbed`: a fault is under way or is being recovered from, so that half a pace is no trouble.
    """

    stage: Stage
    when: str
    span: Span
    until: int
    disturbed: bool = False


@dataclass(frozen=True, slots=True)
class Mutant:
    """What changed (`name`), of which chain or node (`where`), and when. `by` are gates of the library for such things.

    `world` is the run that the edits were made for.

    `degradation`: whether the chain, or who runs the node, would call it one.
    """

    name: str
    where: str
    phase: Phase
    degradation: bool
    by: tuple[str, ...]
    edits: tuple[Edit, ...] = field(repr=False)
    world: World = field(repr=False)

    @property
    def stage(self) -> str:
        return self.phase.stage.name

    @property
    def when(self) -> str:
        return self.phase.when

    def __str__(self) -> str:
        return " ".join(word for word in (f"{self.where}:", self.name, self.when) if word)

    def of(self, journal: Journal) -> Journal:
        """The run as it would have been."""
        return rewritten(journal, self.edits, self.world, self.phase.until)
