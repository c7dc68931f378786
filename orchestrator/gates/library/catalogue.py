"""Reads the library's files, once. Used by `expand`, and by `coalmine gates`."""

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from orchestrator.spec.base import Model, Name
from orchestrator.spec.document import parse
from orchestrator.spec.window import Window

_FILES = Path(__file__).parent
_SETS = "sets.yaml"

Bound = Literal["atMost", "atLeast", "progresses"]


class Scaled(Model):
    """Thresholds that depend on the network. The figures are relative; `Network.resolve` makes thresholds of them."""

    slots: dict[Bound, float] | None = Field(default=None, description="In slots of the relay chain; becomes seconds.")
    candidates_per_block: float | None = Field(
        default=None,
        description="Included candidates for each relay block that may have one, at least; becomes ratePerMinute.",
    )
    author_share: float | None = Field(
        default=None, description="Share of its part of the slots that each author fills, at least; as ratePerMinute."
    )
    peers: float | None = Field(
        default=None, description="Share of the peers that a node of the chain keeps, at least; becomes atLeast."
    )
    memory_limit: float | None = Field(
        default=None, description="Share of the lowest memory limit among the nodes, at most; becomes atMost."
    )


class LibraryGate(Model):
    """One gate: why it exists, where its numbers come from, and its fields as a rehearsal writes them."""

    why: str
    source: str
    gate: dict[str, Any]
    scaled: Scaled = Scaled()
    simulated: bool = Field(default=True, description="Whether the simulated client can answer it.")
    each_parachain: bool = Field(default=False, description="One gate for each parachain, for chains have own storage.")


class Phase(Model):
    """Some gates over one window. Each has the fields that differ from the gate in the library."""

    window: Window | None = None
    gates: dict[Name, dict[str, Any]]


class GateSet(Model):
    """The gates for one purpose."""

    about: str
    phases: tuple[Phase, ...]

    def gates(self) -> Iterator[tuple[str, str, Phase, dict[str, Any]]]:
        """For each gate: its name here, its name in the library, its phase, and the fields that differ."""
        for phase in self.phases:
            for name, changes in phase.gates.items():
                yield name, str(changes.get("of", name)), phase, {k: v for k, v in changes.items() if k != "of"}


class _File(Model):
    concern: Name
    about: str
    gates: dict[Name, LibraryGate]


class Library:
    """All gates by name, what each concern is about, and all sets. The files are read at the first access."""

    @functools.cached_property
    def gates(self) -> dict[str, LibraryGate]:
        return {name: gate for file in self._files for name, gate in file.gates.items()}

    @functools.cached_property
    def concerns(self) -> dict[str, str]:
        return {file.concern: file.about for file in self._files}

    @functools.cached_property
    def concern_of(self) -> dict[str, str]:
        return {name: file.concern for file in self._files for name in file.gates}

    @functools.cached_property
    def sets(self) -> dict[str, GateSet]:
        return {name: GateSet.model_validate(found) for name, found in _only(_FILES / _SETS).items()}

    @functools.cached_property
    def _files(self) -> tuple[_File, ...]:
        return tuple(_File.model_validate(_only(path)) for path in sorted(_FILES.glob("*.yaml")) if path.name != _SETS)


def _only(path: Path) -> Any:
    """The single document of a file, read like users' files. A plain YAML reader would read `on` as true."""
    (document,), mistakes = parse(path)
    assert not mistakes, mistakes
    return document.data


LIBRARY = Library()
