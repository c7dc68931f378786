"""Validates an object that is partly wrong as far as possible, so that all its mistakes are reported at once.

Pydantic runs a model's own validators only if all its fields are valid, and references between objects can be checked
only in valid objects. So invalid values are cut out of the data and the rest is validated again. Findings of the later
rounds are reported too, unless the cut itself may have caused them.
"""

import difflib
import functools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ValidationError

from orchestrator.spec.document import Document, Path_

Finding = tuple[Path_, str]

_ROUNDS = 20
"""Maximum number of rounds. Our objects are not nested deeper, and each round cuts at least one level higher."""


@dataclass(slots=True)
class Partial:
    """What is left of an object, its mistakes, and where something was cut out.

    `cuts` are the paths of invalid values. For an unknown field, the cut is at the field that was probably meant.
    """

    model: type[BaseModel]
    data: Any
    item: BaseModel | None = None
    findings: list[Finding] = field(default_factory=list)
    cuts: set[Path_] = field(default_factory=set)
    kept: dict[Path_, list[int]] = field(default_factory=dict)

    def place(self, path: Path_) -> Path_:
        """The original path of a path in what is left. They differ if items were cut out of a list on the way."""
        place: Path_ = ()
        for part in path:
            shifted = isinstance(part, int) and place in self.kept and part < len(self.kept[place])
            place = (*place, self.kept[place][part] if shifted and isinstance(part, int) else part)
        return place

    def now(self, place: Path_) -> Path_ | None:
        """The current path of an original path. None if it was cut out."""
        path: Path_ = ()
        for index, part in enumerate(place):
            kept = self.kept.get(place[:index])
            if kept is not None and isinstance(part, int):
                if part not in kept:
                    return None
                path = (*path, kept.index(part))
            else:
                path = (*path, part)
        return path

    def touched(self, place: Path_) -> bool:
        """Whether a finding at this place may come from a cut: one inside it, or one around it."""
        return any(cut[: len(place)] == place or place[: len(cut)] == cut for cut in self.cuts)

    def say(self, findings: Iterable[Finding]) -> None:
        """Adds the findings of other checks in what is left."""
        for path, message in findings:
            place = self.place(path)
            if not self.touched(place):
                self.findings.append((place, message))

    def lost(self) -> frozenset[str]:
        """The fields of `spec` of which something was cut, in snake_case, with all fields on the way to the cut.

        A list of objects, such as `groups`, is among them only if a whole object or the whole list was cut.
        """
        return frozenset(name for cut in self.cuts if cut[:1] == ("spec",) for name in _names(cut[1:]))


def _names(cut: Path_) -> Iterator[str]:
    """The names on the way to a cut, except lists and the chain that the way only passes through."""
    for index, part in enumerate(cut):
        below = cut[index + 1 :]
        passed = (len(below) > 1 and isinstance(below[0], int)) or (bool(below) and part == "relaychain")
        if isinstance(part, str) and not passed:
            yield str(_snake(part))


def validate(model: type[BaseModel], document: Document) -> Partial:
    """Validates the document with the model. `item` is None if nothing is left of it."""
    partial = Partial(model, _copied(document.data))
    for _ in range(_ROUNDS):
        try:
            partial.item = model.model_validate(partial.data)
        except ValidationError as error:
            _learn(partial, error)
            if not partial.data:
                break
        else:
            break
    return partial


def _copied(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _copied(value) for key, value in data.items()}
    return [_copied(item) for item in data] if isinstance(data, list) else data


def _learn(partial: Partial, error: ValidationError) -> None:
    """Records the findings of one round and cuts out their places."""
    # Pydantic counts only valid items of a list, so an invalid one makes it report that the list is too short.
    said = [each for each in error.errors(include_url=False) if each["type"] != "too_short" or not each["input"]]
    found, meant_places, places = set[Path_](), set[Path_](), list[Path_]()
    for each in said:
        place = partial.place(_path_of(partial.data, each["loc"]))
        if each["type"] == "extra_forbidden":
            meant = _meant(partial, place)
            partial.findings += (
                [] if partial.touched(place) else [(place, f"no such field{meant and _ASK.format(meant)}")]
            )
            meant_places.update({(*place[:-1], meant)} if meant else ())
        else:
            partial.findings += [] if partial.touched(place) else [(place, sentence(each))]
            found.add(place)
        places.append(place)
    partial.findings = [one for one in partial.findings if one[1] != _MISSING or one[0] not in meant_places]
    partial.cuts |= found | meant_places
    for place in places:
        _cut(partial, place)


_ASK = "; did you mean {}?"
_MISSING = "is missing"


def _meant(partial: Partial, place: Path_) -> str:
    """The field that an unknown name was probably meant to be. Empty if there is none, or if it is set too."""
    holder = _within(partial.data, partial.now(place[:-1]) or ())
    there = holder if isinstance(holder, dict) else {}
    close = difflib.get_close_matches(str(place[-1]), _fields(partial.model) - set(there), n=1, cutoff=0.75)
    return close[0] if close else ""


@functools.cache
def _fields(model: type[BaseModel]) -> frozenset[str]:
    """The names of all fields of the model and of all models inside it."""
    schema = model.model_json_schema()
    parts = [schema, *schema.get("$defs", {}).values()]
    return frozenset(name for part in parts for name in part.get("properties", {}))


def _cut(partial: Partial, place: Path_) -> None:
    """Cuts out the value. If the value is missing, cuts out what it is missing in."""
    if not place:
        partial.data = {}
        return
    path = partial.now(place)
    holder, last = (_within(partial.data, path[:-1]), path[-1]) if path else (None, "")
    if isinstance(holder, list) and isinstance(last, int):
        partial.kept.setdefault(place[:-1], list(range(len(holder)))).pop(last)
        del holder[last]
    elif isinstance(holder, dict) and last == "name" and not str(holder.get(last)).startswith(_STAND_IN):
        holder[last] = f"{_STAND_IN}-{len(partial.cuts)}"  # The rest of the object can still be checked.
    elif isinstance(holder, dict) and last in holder:
        del holder[last]
    elif isinstance(holder, dict):
        partial.cuts.add(place[:-1])
        _cut(partial, place[:-1])


_STAND_IN = "stand-in"


def _within(data: Any, path: Path_) -> Any:
    for part in path:
        found = part in data if isinstance(data, dict) else isinstance(data, list) and part in range(len(data))
        if not found:
            return None
        data = data[part]
    return data


def _path_of(data: Any, location: tuple[str | int, ...]) -> Path_:
    """Pydantic's location as a path in the file: without names of types, and with the file's names of fields."""
    path: Path_ = ()
    for part in location:
        holder = _within(data, path)
        if isinstance(holder, dict):
            name = next((key for key in (part, _snake(part)) if key in holder), part)
            if name not in holder and isinstance(name, str) and name.startswith(("function-", "tagged-", "[key]")):
                continue
            path = (*path, name)
        elif isinstance(holder, list) and isinstance(part, int):
            path = (*path, part)
    return path


def _snake(part: str | int) -> str | int:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", part).lower() if isinstance(part, str) else part


def sentence(item: Any) -> str:
    """Pydantic's message in words for a reader of YAML."""
    if item["type"] == "missing":
        return _MISSING
    text = str(item["msg"]).removeprefix("Value error, ")
    return text[:1].lower() + text[1:]
