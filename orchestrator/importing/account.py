"""Keeps account of which parts of a definition were read, so that nothing is dropped silently.

In the end every leaf of the document was either taken or is listed with a reason.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

UNKNOWN = "coalmine knows no such field of zombienet"

_CAPITAL = re.compile(r"(?<=[a-z0-9])([A-Z])")


@dataclass(frozen=True, slots=True)
class Finding:
    """A part of the definition that is left out of the Testnet or differs there: its path, and the reason."""

    path: str
    reason: str
    kind: Literal["left out", "differs"] = "left out"

    def __str__(self) -> str:
        return f"{self.kind}: {self.path}: {self.reason}"


@dataclass(slots=True)
class Account:
    """What happened to each part of a document."""

    taken: set[str] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)
    mistakes: list[Finding] = field(default_factory=list)
    """Mistakes that make the whole definition invalid."""

    def leave_out(self, path: str, reason: str) -> None:
        """Lists a part of the document, with everything inside, as not imported."""
        self.findings.append(Finding(path, reason))

    def differs(self, path: str, reason: str) -> None:
        """Lists a part that was taken, but differs in the Testnet."""
        self.findings.append(Finding(path, reason, "differs"))

    def settle(self, document: Any) -> None:
        """Lists every leaf that was neither taken nor listed."""
        known = self.taken | {
            finding.path for finding in (*self.findings, *self.mistakes) if finding.kind == "left out"
        }
        for path in leaves(document):
            if not any(above in known for above in _prefixes(path)):
                self.leave_out(path, UNKNOWN)


class Table:
    """A table of the document, read through the account. Keys in camelCase are the same as in snake_case."""

    def __init__(self, value: dict[str, Any], path: str, account: Account) -> None:
        self._value = value
        self._names = {snake(key): key for key in value}
        self.path = path
        self.account = account

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def at(self, *names: str) -> str:
        """The path of the first of these fields that exists, as the document writes it."""
        name = next((name for name in names if name in self._names), names[0])
        key = self._names.get(name, name)
        return f"{self.path}.{key}" if self.path else key

    def take(self, *names: str) -> Any:
        """Takes the value of the first of these fields that exists, with everything inside. None if none exists."""
        for name in names:
            if name in self._names:
                self.account.taken.add(self.at(name))
                return self._value[self._names[name]]
        return None

    def text(self, *names: str) -> str | None:
        found = self._typed(names, str, "text")
        return None if found is None else str(found)

    def flag(self, *names: str) -> bool | None:
        found = self._typed(names, bool, "true or false")
        return None if found is None else bool(found)

    def whole(self, *names: str) -> int | None:
        """A whole number. zombienet also accepts it as text or as 1e12."""
        for name in names:
            if name in self._names:
                value = self._value[self._names[name]]
                if (number := _whole(value)) is not None:
                    self.account.taken.add(self.at(name))
                    return number
                self.account.leave_out(self.at(name), f"{value!r} is not a whole number")
        return None

    def words(self, *names: str) -> list[str]:
        """A list of texts."""
        for name in names:
            if name in self._names:
                value = self._value[self._names[name]]
                if isinstance(value, list) and all(isinstance(item, str | int | float) for item in value):
                    self.account.taken.add(self.at(name))
                    return [str(item) for item in value]
                self.account.leave_out(self.at(name), "a list of texts was expected")
        return []

    def table(self, *names: str) -> "Table | None":
        """An inner table. Its fields that are not taken will be listed."""
        for name in names:
            value = self._value.get(self._names.get(name, ""))
            if isinstance(value, dict):
                return Table(value, self.at(name), self.account)
            if value is not None:
                self.account.leave_out(self.at(name), "a table was expected")
        return None

    def tables(self, *names: str) -> "list[Table]":
        """The tables in all lists of these names."""
        found: list[Table] = []
        for name in names:
            value = self._value.get(self._names.get(name, ""), [])
            if not isinstance(value, list):
                self.account.leave_out(self.at(name), "a list of tables was expected")
                continue
            for index, item in enumerate(value):
                path = f"{self.at(name)}[{index}]"
                if isinstance(item, dict):
                    found.append(Table(item, path, self.account))
                else:
                    self.account.leave_out(path, "a table was expected")
        return found

    def refuse(self, reasons: dict[str, str]) -> None:
        """Lists those of these fields that exist, each with its reason."""
        for name, reason in reasons.items():
            if name in self._names:
                self.account.leave_out(self.at(name), reason)

    def mistake(self, name: str, message: str) -> None:
        self.account.mistakes.append(Finding(self.at(name), message))

    def _typed(self, names: tuple[str, ...], kind: type, what: str) -> Any:
        for name in names:
            if name in self._names:
                value = self._value[self._names[name]]
                if isinstance(value, kind):
                    self.account.taken.add(self.at(name))
                    return value
                self.account.leave_out(self.at(name), f"{what} was expected")
        return None


def snake(key: str) -> str:
    return _CAPITAL.sub(r"_\1", key).lower()


def leaves(value: Any, path: str = "") -> Iterator[str]:
    """The paths of all leaves. An empty table or list is a leaf."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from leaves(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and value:
        for index, inner in enumerate(value):
            yield from leaves(inner, f"{path}[{index}]")
    elif path:
        yield path


def _prefixes(path: str) -> Iterator[str]:
    """The path and all its parents."""
    yield path
    for match in re.finditer(r"[.\[]", path):
        yield path[: match.start()]


def _whole(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and re.fullmatch(r"\d[\d_]*", value):
        return int(value)
    return None
