"""Judges each node by itself, or several nodes as one figure, and names the node to blame. Pure; used by `samples`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from orchestrator.gates.decide import Finding, by_policy
from orchestrator.gates.grid import nearest_point
from orchestrator.gates.samples.strip import Holes, Strip
from orchestrator.gates.threshold import GROWTH, Meaning, blames_highest
from orchestrator.journal import Node, Target
from orchestrator.spec import Gate

STATISTICS: Mapping[str, Callable[..., Any]] = {
    "mean": np.mean,
    "median": np.median,
    "min": np.min,
    "max": np.max,
    "sum": np.sum,
}
"""How several numbers become one, by the names of the spec."""

Judge = Callable[[str, Strip], Finding]
"""Judges the series of a node or a view. It gets the label and the strip."""


@dataclass(frozen=True, slots=True)
class Member:
    """One series with its label. The strip is None if no samples came."""

    label: str
    strip: Strip | None
    target: Target | None = None


@dataclass(frozen=True, slots=True)
class View:
    """What is judged as one: a node's series, or several nodes' series with a common label."""

    label: str
    members: tuple[Member, ...]
    aggregate: str | None = None

    def findings(self, gate: Gate, meaning: Meaning, judge: Judge, *, silence: str) -> Iterator[Finding]:
        """The findings of `judge` about the samples. If no member has samples, the policy `silence` decides."""
        silent = [member.label for member in self.members if member.strip is None]
        if len(silent) == len(self.members):
            yield by_policy(silence, f"no samples from {', '.join(silent)}", node=silent[0])
        elif self.aggregate is None:
            (member,) = self.members
            assert member.strip is not None
            yield judge(member.label, member.strip).on(member.label)
        else:
            yield from self._together(gate, meaning, judge, silent)

    def _together(self, gate: Gate, meaning: Meaning, judge: Judge, silent: list[str]) -> Iterator[Finding]:
        present = {member.label: member.strip for member in self.members if member.strip is not None}
        if meaning.resets:  # In a sum, another node's growth would hide a reset.
            yield from (found for label, strip in present.items() for found in _resets(gate, meaning, label, strip))
        if meaning.resets and gate.policy.counter_reset == "rebase":
            present = {label: strip.rebased(from_zero=meaning.counter) for label, strip in present.items()}
        strip = _figure(self.aggregate or "mean", gate, list(present.values()), len(self.members))
        found = judge(self.label, strip)
        node, worst = _blamed(gate, meaning, found, present)
        if silent:
            node, worst = silent[0], f"nothing came from {', '.join(silent)}"
        yield replace(found, node=node, reason=f"{self.aggregate} of {self.label}: {found.reason}; {worst}")


def _figure(aggregate: str, gate: Gate, strips: Sequence[Strip], members: int) -> Strip:
    """The aggregate of all members, at the points where all of them have a value. With `ignore`, some are enough."""
    table = np.stack([strip.values for strip in strips])
    numbers = np.count_nonzero(~np.isnan(table), axis=0)
    enough = numbers > 0 if gate.policy.fewer == "ignore" else numbers == members
    values = np.full(table.shape[1], np.nan)
    for count in np.unique(numbers[enough]):  # Points with as many numbers as each other are computed together.
        columns = np.flatnonzero(enough & (numbers == count))
        dense = table[:, columns].T
        values[columns] = STATISTICS[aggregate](dense[~np.isnan(dense)].reshape(len(columns), count), axis=1)
    fewer = int(np.count_nonzero((numbers > 0) & ~enough))
    found = strips[0].with_values(values)
    why = Holes(unanswered=found.holes - fewer, odd=sum(strip.why.odd for strip in strips), fewer=fewer)
    return replace(found, why=why, reached=None)


def of(gate: Gate, members: Sequence[Member], nodes: Mapping[str, Node]) -> Iterator[View]:
    """The views that the gate judges. `nodes`: name -> node."""
    if gate.view.per == "node":
        yield from (View(member.label, (member,)) for member in members)
        return
    together: dict[str, list[Member]] = {}
    for member in members:
        together.setdefault(_name(gate, nodes, member), []).append(member)
    for label, some in together.items():
        yield View(label, tuple(some), gate.view.aggregate)


def _name(gate: Gate, nodes: Mapping[str, Node], member: Member) -> str:
    if gate.view.per == "all" or member.target is None:
        return "all nodes"
    node = nodes[member.target.node]
    return f"group {node.group}" if gate.view.per == "group" else f"chain {member.target.chain or node.chain}"


def _resets(gate: Gate, meaning: Meaning, label: str, strip: Strip) -> Iterator[Finding]:
    policy = gate.policy.counter_reset
    if policy in {"inconclusive", "fail"} and (fall := strip.fall()) is not None:
        _, before, after = fall
        told = f"{label}: {meaning.title} fell from {before:g} to {after:g}, which is a reset"
        yield by_policy(policy, told, node=label)


def _blamed(gate: Gate, meaning: Meaning, found: Finding, present: Mapping[str, Strip]) -> tuple[str, str]:
    """The label of the member that makes the figure bad, and a sentence about its own value."""
    if found.when is None:
        most = max(sorted(present), key=lambda label: present[label].holes)
        return most, f"worst was {most}, of whose samples {present[most].holes} are missing"
    parts = {label: _part(gate, meaning, strip, found.when) for label, strip in present.items()}
    known = {label: part for label, part in parts.items() if part is not None}
    highest = blames_highest(gate, found.value if found.value is not None else 0.0)
    chosen = (max if highest else min)(sorted(known), key=lambda label: known[label])
    return chosen, f"worst was {chosen} with {meaning.said(known[chosen])}"


def _part(gate: Gate, meaning: Meaning, strip: Strip, when: float) -> float | None:
    """A member's own figure: for the whole window where the gate's is, and otherwise its value at that time."""
    numbers = strip.numbers()
    if not len(numbers):
        return None
    growth = float(numbers[-1] - numbers[0])
    wanted = gate.no_worse_than.figure if gate.no_worse_than is not None else ""
    if meaning.figure == "seconds-per-growth":
        return (strip.asked - 1) * strip.step / growth if growth > 0 else np.inf
    if gate.chosen() in GROWTH or meaning.figure != "samples" or wanted == "growth-per-minute":
        return growth
    if wanted:
        return float(STATISTICS[wanted](numbers))
    value = strip.values[nearest_point(when, strip.step) - strip.origin]
    return None if np.isnan(value) else float(value)
