"""Reads a file as YAML documents and knows the line of every value. Called by `load` and `gates.library`.

Any content gives documents or mistakes, never another error. YAML allows much that we do not accept: dates, references
of a value to itself, aliases that expand beyond all memory. All of that is handled here.
"""

import contextlib
import datetime as dt
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from orchestrator.errors import Mistake, UsageError

Path_ = tuple[str | int, ...]

DEEPEST = 50
"""Maximum depth of nesting. Our objects have at most fifteen levels."""

MOST = 200_000
"""Maximum number of values in a document. A network of a thousand groups with all fields has a quarter of that."""


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document and the line of each path in it.

    `places` maps paths that have moved since (gates in place of a `use`) to their paths in the file.
    """

    file: str
    data: Any
    lines: Mapping[Path_, int]
    places: Mapping[Path_, Path_] = field(default_factory=dict)

    def line(self, path: Path_) -> int:
        """The line of the path, or of its nearest parent that is in the file."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def mistake(self, path: Path_, message: str) -> Mistake:
        return Mistake(file=self.file, line=self.line(path), path=written(self._in_file(path)), message=message)

    def _in_file(self, path: Path_) -> Path_:
        for length in range(len(path), 0, -1):
            if path[:length] in self.places:
                return (*self.places[path[:length]], *path[length:])
        return path


def written(path: Path_) -> str:
    """A path as text: `spec.stages[0].gates`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def parse(file: Path) -> tuple[list[Document], list[Mistake]]:
    """The file's YAML documents and the mistakes in its YAML.

    Raises:
        UsageError: the file cannot be read.
    """
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error}") from error
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        return [], [Mistake(str(file), line, "", f"not UTF-8: the byte 0x{raw[error.start]:02x}")]
    documents: list[Document] = []
    mistakes: list[Mistake] = []
    try:
        for node in _nodes(text):
            values = _Values(str(file))
            data = values.of(node, ())
            mistakes += values.mistakes
            documents.append(Document(file=str(file), data=_absolute(data, file.parent), lines=values.lines))
    except (yaml.YAMLError, RecursionError) as error:
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
        mistakes.append(Mistake(str(file), _line_of(error, text), "", f"not YAML: {problem}"))
    if not documents and not mistakes:
        mistakes.append(Mistake(str(file), 1, "", "the file contains no object"))
    return documents, mistakes


def _nodes(text: str) -> Iterator[yaml.Node]:
    """The root of each document. The fast composer recurses, so deep nesting is refused before it runs.

    libyaml looks up to 1,024 characters ahead and has its own limit of nesting, which differs between releases. If it
    gives up, the slow parser, which has no limit, tells whether our limit is exceeded.
    """
    try:
        _limit_depth(yaml.parse(text, Loader=yaml.CSafeLoader))
    except _SYNTAX:
        with contextlib.suppress(*_SYNTAX):
            _limit_depth(yaml.parse(text, Loader=yaml.SafeLoader))
    yield from filter(None, yaml.compose_all(text, Loader=yaml.CSafeLoader))


_SYNTAX = (yaml.scanner.ScannerError, yaml.parser.ParserError, yaml.reader.ReaderError)


def _limit_depth(events: Iterator[yaml.Event]) -> None:
    depth = 0
    for event in events:
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise _unreasonable(f"nested deeper than {DEEPEST} levels", event.start_mark)


def _line_of(error: Exception, text: str) -> int:
    mark = getattr(error, "problem_mark", None)
    if mark is not None:
        return min(int(mark.line), max(0, text.count("\n") - text.endswith("\n"))) + 1
    position = getattr(error, "position", None)  # The position, in bytes, of a character that YAML does not allow.
    return text.encode().count(b"\n", 0, position) + 1 if isinstance(position, int) else 1


class _Values:
    """Turns one document's nodes into plain data, and collects lines and mistakes."""

    def __init__(self, file: str) -> None:
        self.lines: dict[Path_, int] = {}
        self.mistakes: list[Mistake] = []
        self._file = file
        self._count = 0
        self._scalars = yaml.constructor.SafeConstructor()

    def of(self, node: yaml.Node, path: Path_) -> Any:
        self.lines[path] = node.start_mark.line + 1
        self._count += 1
        if len(path) > DEEPEST:
            raise _unreasonable(f"nested deeper than {DEEPEST} levels", node.start_mark)
        if self._count > MOST:
            raise _unreasonable(f"more than {MOST} values", node.start_mark)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.of(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._scalar(node, path)

    def _mapping(self, node: yaml.MappingNode, path: Path_) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value) if isinstance(key_node, yaml.ScalarNode) else "?"
            inner = (*path, key)
            if key in result:
                self._wrong(key_node, inner, "this key is here twice")
            result[key] = self.of(value_node, inner)
            self.lines[inner] = key_node.start_mark.line + 1
        return result

    def _scalar(self, node: yaml.Node, path: Path_) -> Any:
        try:
            value = self._scalars.construct_object(node)
        # PyYAML's constructors trust explicit tags: `!!bool x`, `!!int ""` and `!!timestamp x` end in these.
        except (yaml.YAMLError, ValueError, KeyError, IndexError, AttributeError) as error:
            reason = getattr(error, "problem", None) or f"not what its tag {node.tag.rpartition(':')[2]} says"
            self._wrong(node, path, f"unreadable value: {reason}")
            return None
        if isinstance(value, dt.date):
            return str(node.value)  # YAML 1.1 reads a date where users mean text.
        if not isinstance(value, str | int | float | None):
            self._wrong(node, path, f"unreadable value: a {type(value).__name__} is not allowed")
            return None
        if isinstance(value, float) and not math.isfinite(value):
            self._wrong(node, path, f"{node.value} is not a finite number")
            return None
        return value

    def _wrong(self, node: yaml.Node, path: Path_, message: str) -> None:
        self.mistakes.append(Mistake(self._file, node.start_mark.line + 1, written(path), message))


def _unreasonable(problem: str, mark: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=mark)


def _absolute(data: Any, base: Path) -> Any:
    """Makes names of files absolute. In the file they are relative to the file itself."""
    if isinstance(data, list):
        return [_absolute(item, base) for item in data]
    if not isinstance(data, dict):
        return data
    result = {key: _absolute(value, base) for key, value in data.items()}
    for key in ("runtime", "code", "keys"):
        inner = result.get(key)
        if isinstance(inner, dict) and isinstance(inner.get("file"), str):
            result[key] = {**inner, "file": _below(base, inner["file"])}
    if isinstance(result.get("specFile"), str):
        result["specFile"] = _below(base, result["specFile"])
    return result


def _below(base: Path, name: str) -> str:
    try:
        return str((base / name).resolve())
    except (OSError, ValueError, RuntimeError):  # The name is impossible for a file, or its links form a circle.
        return str(base / name)
