"""Names the windows and limits of a rehearsal that a machine is too slow for. Pure. Called by `check`.

A limit that is too short makes a good network fail. Beside compilers on two cores (load 12 to 27), a parachain's
upgrade was judged FAILED after its 300 s; alone on the machine it was enacted after 211 s. All else passed there, the
upgrade of the relay chain too, and finality recovered from a partition in 13.3 s.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from orchestrator.genesis.timing import Timing
from orchestrator.machine.figures import Figures
from orchestrator.spec import Gate, Rehearsal, Stage
from orchestrator.spec.testnet import RELAY
from orchestrator.units import format_duration

SLOT_REST = 1 / 3
"""The part of a slot that is left when a block must be built (Substrate's `block_proposal_slot_portion` is 2/3).

A block that is later than that by its author's late timer and slow disk is late for the next author.
"""

RELAY_SLOTS = 6
"""Slots of a relay chain's upgrade beside compiling: to authorise, to apply, a block by the new code, its finality."""

PARACHAIN_SLOTS = 12
"""Slots of a parachain's upgrade beside compiling: also the votes of the pre-check, the delay, and inclusion.

Measured: 116 s with slots of 6 s on two cores. Six nodes compile 17.0 MB in 48 s of that; the rest is eleven slots.
"""

PARACHAIN_MARGIN = 2.0
"""How much longer a parachain's upgrade may take than computed. On Kubernetes it took 211 s where this gives 120 s."""

REACTION_SLOTS = 3
"""Slots in which a chain shows that it goes on: a block, and two more until it is final. Also after faults (13.3 s)."""

_GROWTH = ("increases_by", "rate_per_minute", "progresses", "recovers_within")


@dataclass(frozen=True, slots=True)
class Compilation:
    """The code of a stage's upgrade: the size of its wasm, and how many nodes on the machine compile it at once."""

    megabytes: float
    nodes: int


@dataclass(frozen=True, slots=True)
class TooShort:
    """A limit of the file with what the machine needs, both in seconds."""

    what: str
    given: float
    needed: float

    def __str__(self) -> str:
        return f"{self.what} {format_duration(self.given)} (needs about {format_duration(round(self.needed, 1))})"


def too_short(
    rehearsal: Rehearsal, timing: Timing, figures: Figures, compilations: Mapping[str, Compilation]
) -> tuple[TooShort, ...]:
    """Everything in the file that is too short. `compilations` has the stages whose upgrade brings real code."""
    delay = figures.late + figures.sync
    found = []
    if delay > SLOT_REST * timing.slot:
        found.append(TooShort("slots of", timing.slot, delay / SLOT_REST))
    for stage in rehearsal.spec.stages:
        code = compilations.get(stage.name, Compilation(0.0, 0))
        compiling = figures.compiling(code.megabytes, code.nodes)
        found += _of_upgrade(stage, timing, compiling)
        for gate in stage.gates:
            found += _of_gate(stage, gate, timing.slot + delay, compiling)
    return tuple(each for each in found if each.given < each.needed)


def _of_upgrade(stage: Stage, timing: Timing, compiling: float) -> Iterator[TooShort]:
    if stage.upgrade is not None:
        needed = (
            RELAY_SLOTS * timing.slot + compiling
            if stage.upgrade.chain == RELAY
            else PARACHAIN_MARGIN * (PARACHAIN_SLOTS * timing.slot + compiling)
        )
        yield TooShort(f"enactTimeout of {stage.name}", stage.upgrade.enact_timeout, needed)


def _of_gate(stage: Stage, gate: Gate, slot: float, compiling: float) -> Iterator[TooShort]:
    """The limits of a gate in seconds. Those in blocks and sessions grow with the chain."""
    where = f"of {stage.name}/{gate.name}"
    if gate.recovers_within is not None and gate.recovers_within.unit == "seconds":
        yield TooShort(f"recoversWithin {where}", gate.recovers_within.amount, REACTION_SLOTS * slot)
    if gate.progresses is not None:
        # All nodes compile a new runtime of the relay chain before they go on, so no block comes meanwhile.
        still = compiling if stage.upgrade is not None and stage.upgrade.chain == RELAY else 0.0
        yield TooShort(f"progresses {where}", gate.progresses, slot + still)
    window = gate.window
    if window.for_ is not None and window.for_.unit == "seconds" and gate.chosen() in _GROWTH:
        left = window.for_.amount - window.settle - window.settle_end
        yield TooShort(f"window {where}", left, REACTION_SLOTS * slot)
