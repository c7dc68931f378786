"""Reads users' files and reports all mistakes at once, with file, line and path. Called by all of `cli`."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from orchestrator.errors import Mistake, SpecError, UsageError
from orchestrator.spec import cross
from orchestrator.spec.base import API_VERSION
from orchestrator.spec.document import Document, Path_, parse
from orchestrator.spec.experiment import ChaosExperiment
from orchestrator.spec.kinds import KINDS
from orchestrator.spec.partial import Finding, Partial, validate
from orchestrator.spec.rehearsal import Rehearsal
from orchestrator.spec.testnet import Testnet
from orchestrator.spec.upgrade import RuntimeUpgrade

T = TypeVar("T")


@dataclass(slots=True)
class Loaded:
    """All objects of the given files, by kind, each with its document."""

    testnets: dict[str, Testnet] = field(default_factory=dict)
    rehearsals: dict[str, Rehearsal] = field(default_factory=dict)
    experiments: dict[str, ChaosExperiment] = field(default_factory=dict)
    upgrades: dict[str, RuntimeUpgrade] = field(default_factory=dict)

    def testnet(self) -> Testnet:
        """The only testnet.

        Raises:
            UsageError: the files contain none or several.
        """
        return _only("Testnet", self.testnets)

    def rehearsal(self) -> Rehearsal:
        """The only rehearsal. Raises as `testnet` does."""
        return _only("Rehearsal", self.rehearsals)


Check = Callable[[BaseModel], Iterable[tuple[Path_, str]]]
"""Checks one object and returns the mistakes with their paths. Layers above `spec` supply some (signals, PromQL)."""


Expand = Callable[[Document, Mapping[str, Testnet]], tuple[Document, list[Mistake]]]
"""Replaces references in a rehearsal's document, such as names of gate sets, by what they name."""


def load(files: Sequence[Path], *, checks: Sequence[Check] = (), expand: Expand | None = None) -> Loaded:
    """Reads, validates and cross-checks files.

    Raises:
        SpecError: the files have mistakes. It holds all of them, in order.
        UsageError: a file cannot be read.
    """
    mistakes, documents = list[Mistake](), list[Document]()
    for file in files:
        found, broken = parse(file)
        documents += found
        mistakes += broken
    reading = _Reading(checks, expand, mistakes)
    # What a rehearsal's references mean may depend on its network, which may be in another file.
    for document in sorted(documents, key=_is_rehearsal):
        reading.read(document)
    reading.cross_check()
    if mistakes:
        raise SpecError(tuple(sorted(_first_of_each_place(mistakes), key=lambda m: (m.file, m.line))))
    return reading.loaded


class _Reading:
    """What has been read so far from all files."""

    def __init__(self, checks: Sequence[Check], expand: Expand | None, mistakes: list[Mistake]) -> None:
        self.loaded = Loaded()
        self._checks = checks
        self._expand = expand
        self._mistakes = mistakes
        self._read: list[tuple[Document, Partial]] = []
        self._testnets = cross.Testnets(unnamed=bool(mistakes))

    def read(self, document: Document) -> None:
        """Reads one document and finds the mistakes inside it."""
        if self._expand is not None and _is_rehearsal(document):
            document, wrong = self._expand(document, self._testnets.whole)
            self._mistakes += wrong
        model = self._model(document)
        if model is None:
            self._testnets.unnamed = True
            return
        partial = validate(model, document)
        for check in self._checks:
            partial.say(check(partial.item) if partial.item is not None else ())
        self._read.append((document, partial))
        self._place(document, partial)

    def cross_check(self) -> None:
        """Checks the references between the objects, and collects all findings of each."""
        for document, partial in self._read:
            if partial.item is not None:
                partial.say(cross.check(partial.item, self._testnets, lost=partial.lost()))
            self._mistakes += [document.mistake(place, text) for place, text in partial.findings]

    def _model(self, document: Document) -> type[BaseModel] | None:
        data = document.data
        if not isinstance(data, dict):
            wrong: Finding = ((), "an object with apiVersion, kind, metadata and spec is expected")
            self._mistakes.append(document.mistake(*wrong))
            return None
        if "apiVersion" not in data:
            self._mistakes.append(document.mistake(("apiVersion",), f"apiVersion is missing; write {API_VERSION}"))
        kind = data.get("kind")
        if not isinstance(kind, str) or kind not in KINDS:
            self._mistakes.append(document.mistake(("kind",), f"kind is {kind!r}; known are {', '.join(KINDS)}"))
            return None
        return KINDS[kind]

    def _place(self, document: Document, partial: Partial) -> None:
        item = partial.item
        bad_name = item is None or partial.touched(("metadata", "name"))
        if item is None or bad_name:
            self._testnets.unnamed |= document.data["kind"] == "Testnet"
            return
        shelves: dict[type[BaseModel], dict[str, Any]] = {
            Testnet: self.loaded.testnets,
            Rehearsal: self.loaded.rehearsals,
            ChaosExperiment: self.loaded.experiments,
            RuntimeUpgrade: self.loaded.upgrades,
        }
        shelf = shelves[type(item)]
        name = item.metadata.name  # type: ignore[attr-defined]  # All four kinds have metadata.
        if name in shelf:
            partial.findings.append((("metadata", "name"), f"a second {type(item).__name__} called {name}"))
            return
        shelf[name] = item
        if isinstance(item, Testnet):
            self._testnets.add(item, lost=partial.lost())


def _is_rehearsal(document: Document) -> bool:
    return isinstance(document.data, dict) and document.data.get("kind") == "Rehearsal"


def _first_of_each_place(mistakes: Iterable[Mistake]) -> list[Mistake]:
    """The mistakes, without duplicates and without follow-up mistakes of a value that could not be read."""
    unreadable = {(m.file, m.line, m.path) for m in mistakes if m.message.startswith("unreadable value")}
    return [
        m
        for m in dict.fromkeys(mistakes)
        if (m.file, m.line, m.path) not in unreadable or m.message.startswith("unreadable value")
    ]


def _only(kind: str, shelf: dict[str, T]) -> T:
    if len(shelf) != 1:
        found = ", ".join(shelf) if shelf else "none"
        raise UsageError(f"one {kind} is needed, found {found}", hint="give a file that contains exactly one with -f")
    return next(iter(shelf.values()))
