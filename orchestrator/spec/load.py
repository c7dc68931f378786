"""Reads users' files: every mistake of every file in one go, with file, line and path. Called by all of `cli`."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from orchestrator.errors import Mistake, SpecError, UsageError
from orchestrator.spec import cross
from orchestrator.spec.base import API_VERSION
from orchestrator.spec.experiment import ChaosExperiment
from orchestrator.spec.rehearsal import Rehearsal
from orchestrator.spec.testnet import Testnet
from orchestrator.spec.upgrade import RuntimeUpgrade

KINDS: dict[str, type[BaseModel]] = {
    "Testnet": Testnet,
    "Rehearsal": Rehearsal,
    "ChaosExperiment": ChaosExperiment,
    "RuntimeUpgrade": RuntimeUpgrade,
}

T = TypeVar("T")

Path_ = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document with the line of each of its paths."""

    file: str
    data: Any
    lines: dict[Path_, int]

    def line(self, path: Path_) -> int:
        """The line of the path, or of the nearest thing above it that stands in the file."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def mistake(self, path: Path_, message: str) -> Mistake:
        return Mistake(file=self.file, line=self.line(path), path=_written(path), message=message)


@dataclass(slots=True)
class Loaded:
    """All objects of the files given, by kind, each with the document that it stood in."""

    testnets: dict[str, Testnet] = field(default_factory=dict)
    rehearsals: dict[str, Rehearsal] = field(default_factory=dict)
    experiments: dict[str, ChaosExperiment] = field(default_factory=dict)
    upgrades: dict[str, RuntimeUpgrade] = field(default_factory=dict)

    def testnet(self) -> Testnet:
        """The only testnet.

        Raises:
            UsageError: when the files hold none or several.
        """
        return _only("Testnet", self.testnets)

    def rehearsal(self) -> Rehearsal:
        """The only rehearsal; raises as `testnet` does."""
        return _only("Rehearsal", self.rehearsals)


Check = Callable[[BaseModel], Iterable[tuple[Path_, str]]]
"""Looks at one object and says what is wrong where. Layers above `spec` bring theirs (signals, PromQL)."""


Expand = Callable[[Document, Mapping[str, Testnet]], tuple[Document, list[Mistake]]]
"""Replaces what a rehearsal only names, such as sets of gates, in the document as it was read."""


def load(files: Sequence[Path], *, checks: Sequence[Check] = (), expand: Expand | None = None) -> Loaded:
    """Reads, validates and cross-checks files.

    Raises:
        SpecError: with every mistake of all files, in order. Nothing was changed anywhere.
        UsageError: when a file cannot be read.
    """
    loaded, mistakes, seen, documents = Loaded(), list[Mistake](), [], list[Document]()
    for file in files:
        found, broken = parse(file)
        documents += found
        mistakes += broken
    # What a rehearsal only names may depend on its network, wherever that stands.
    for written in sorted(documents, key=_is_rehearsal):
        document, wrong = written, list[Mistake]()
        if expand is not None and _is_rehearsal(written):
            document, wrong = expand(written, loaded.testnets)
        mistakes += wrong
        item, wrong = _validate(document)
        mistakes += wrong
        if item is not None:
            seen.append((document, item))
            mistakes += _place(loaded, document, item)
            mistakes += [document.mistake(path, text) for check in checks for path, text in check(item)]
    for document, item in seen:
        mistakes += [document.mistake(path, text) for path, text in cross.check(item, loaded.testnets)]
    if mistakes:
        raise SpecError(tuple(sorted(mistakes, key=lambda m: (m.file, m.line))))
    return loaded


def _is_rehearsal(document: Document) -> bool:
    return isinstance(document.data, dict) and document.data.get("kind") == "Rehearsal"


def parse(file: Path) -> tuple[list[Document], list[Mistake]]:
    """The file's YAML documents, and what is wrong with its YAML."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {file}: {error}") from error
    documents: list[Document] = []
    mistakes: list[Mistake] = []
    try:
        for node in filter(None, yaml.compose_all(text, Loader=yaml.SafeLoader)):
            lines: dict[Path_, int] = {}
            doubles: list[Mistake] = []
            data = _construct(node, (), lines, doubles, str(file), depth=0)
            mistakes += doubles
            documents.append(Document(file=str(file), data=_absolute(data, file.parent), lines=lines))
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error)
        mistakes.append(Mistake(str(file), mark.line + 1 if mark else 0, "", f"not YAML: {problem}"))
    if not documents and not mistakes:
        mistakes.append(Mistake(str(file), 0, "", "the file holds no object"))
    return documents, mistakes


def _construct(
    node: yaml.Node, path: Path_, lines: dict[Path_, int], doubles: list[Mistake], file: str, *, depth: int
) -> Any:
    lines[path] = node.start_mark.line + 1
    if depth > 50:
        raise yaml.YAMLError("nested deeper than 50 levels")
    if isinstance(node, yaml.MappingNode):
        result = {}
        for key_node, value_node in node.value:
            key = str(key_node.value) if isinstance(key_node, yaml.ScalarNode) else "?"
            line = key_node.start_mark.line + 1
            if key in result:
                doubles.append(Mistake(file, line, _written((*path, key)), "the key stands here twice"))
            result[key] = _construct(value_node, (*path, key), lines, doubles, file, depth=depth + 1)
            lines[(*path, key)] = line
        return result
    if isinstance(node, yaml.SequenceNode):
        return [
            _construct(item, (*path, index), lines, doubles, file, depth=depth + 1)
            for index, item in enumerate(node.value)
        ]
    try:
        return yaml.SafeLoader("").construct_object(node)
    except (yaml.YAMLError, ValueError) as error:
        doubles.append(Mistake(file, node.start_mark.line + 1, _written(path), f"unreadable value: {error}"))
        return None


def _absolute(data: Any, base: Path) -> Any:
    """Makes the names of files absolute, for they are relative to the file that names them."""
    if isinstance(data, list):
        return [_absolute(item, base) for item in data]
    if not isinstance(data, dict):
        return data
    result = {key: _absolute(value, base) for key, value in data.items()}
    for key in ("runtime", "code", "keys"):
        inner = result.get(key)
        if isinstance(inner, dict) and isinstance(inner.get("file"), str):
            result[key] = {**inner, "file": str((base / inner["file"]).resolve())}
    if isinstance(result.get("specFile"), str):
        result["specFile"] = str((base / result["specFile"]).resolve())
    return result


def _validate(document: Document) -> tuple[BaseModel | None, list[Mistake]]:
    data = document.data
    if not isinstance(data, dict):
        return None, [document.mistake((), "an object with apiVersion, kind, metadata and spec is expected")]
    kind = data.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        return None, [document.mistake(("kind",), f"kind is {kind!r}; known are {', '.join(KINDS)}")]
    if "apiVersion" not in data:
        return None, [document.mistake(("apiVersion",), f"apiVersion is missing; write {API_VERSION}")]
    try:
        return KINDS[kind].model_validate(data), []
    except ValidationError as error:
        return None, [
            document.mistake(_path_of(document, item["loc"]), _sentence(item))
            for item in error.errors(include_url=False)
            # Pydantic counts only the good items of a list, so a bad one makes it call the list too short.
            if item["type"] != "too_short" or not item["input"]
        ]


def _path_of(document: Document, location: tuple[str | int, ...]) -> Path_:
    """Pydantic's location without the names of types that it mixes in, which no file shows."""
    path: Path_ = ()
    for part in location:
        if (*path, part) in document.lines or (isinstance(part, str) and not part.startswith(("function-", "tagged-"))):
            path = (*path, part)
    return path


def _sentence(item: Any) -> str:
    """Pydantic's message in the words of somebody who reads YAML."""
    if item["type"] == "extra_forbidden":
        return "no such field"
    if item["type"] == "missing":
        return "is missing"
    text = str(item["msg"]).removeprefix("Value error, ")
    return text[:1].lower() + text[1:]


def _place(loaded: Loaded, document: Document, item: BaseModel) -> list[Mistake]:
    shelves: dict[type[BaseModel], dict[str, Any]] = {
        Testnet: loaded.testnets,
        Rehearsal: loaded.rehearsals,
        ChaosExperiment: loaded.experiments,
        RuntimeUpgrade: loaded.upgrades,
    }
    shelf = shelves[type(item)]
    name = item.metadata.name  # type: ignore[attr-defined]  # All four kinds have metadata.
    if name in shelf:
        return [document.mistake(("metadata", "name"), f"a second {type(item).__name__} called {name}")]
    shelf[name] = item
    return []


def _only(kind: str, shelf: dict[str, T]) -> T:
    if len(shelf) != 1:
        found = ", ".join(shelf) if shelf else "none"
        raise UsageError(f"one {kind} is needed, found {found}", hint="give a file that holds exactly one with -f")
    return next(iter(shelf.values()))


def _written(path: Path_) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text
