"""Validates what can be validated of an object that is partly wrong, so that all its mistakes come in one go.

Pydantic says what is wrong with fields, and asks a model about itself only once all its fields are good; what objects
say of each other can only be asked of whole objects. So what is wrong is cut out of the data and the rest is asked
again, and whatever it then says stands in the file as well, unless the cut itself may be its cause.
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
"""No object of ours is nested deeper, and each round cuts at least one level up."""


@dataclass(slots=True)
class Partial:
    """What is left of an object, what is wrong with it, and where something was cut out.

    `cuts` are paths of values that were bad. An unknown field is gone as well, but what is missing is the one meant.
    """

    model: type[BaseModel]
    data: Any
    item: BaseModel | None = None
    findings: list[Finding] = field(default_factory=list)
    cuts: set[Path_] = field(default_factory=set)
    kept: dict[Path_, list[int]] = field(default_factory=dict)

    def place(self, path: Path_) -> Path_:
        """A path of what is left, as it was before something was cut out of the lists on the way."""
        place: Path_ = ()
        for part in path:
            shifted = isinstance(part, int) and place in self.kept and part < len(self.kept[place])
            place = (*place, self.kept[place][part] if shifted and isinstance(part, int) else part)
        return place

    def now(self, place: Path_) -> Path_ | None:
        """Where a place is now; None when it was cut out."""
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
        """Whether what is said of this place may come from a cut: one inside of it, or one that it stands in."""
        return any(cut[: len(place)] == place or place[: len(cut)] == cut for cut in self.cuts)

    def say(self, findings: Iterable[Finding]) -> None:
        """Adds what others found in what is left."""
        for path, message in findings:
            place = self.place(path)
            if not self.touched(place):
                self.findings.append((place, message))

    def lost(self) -> frozenset[str]:
        """Names of the fields of `spec`, in snake_case, of which something was cut: all on the way down to the cut.

        `groups` is among them only where a whole group or all of them went, and so for all lists of objects.
        """
        return frozenset(name for cut in self.cuts if cut[:1] == ("spec",) for name in _names(cut[1:]))


def _names(cut: Path_) -> Iterator[str]:
    """The names on the way to a cut, without the lists and the chain that are only passed through on it."""
    for index, part in enumerate(cut):
        below = cut[index + 1 :]
        passed = (len(below) > 1 and isinstance(below[0], int)) or (bool(below) and part == "relaychain")
        if isinstance(part, str) and not passed:
            yield str(_snake(part))


def validate(model: type[BaseModel], document: Document) -> Partial:
    """Everything that the model says of the document; `item` is None when nothing is left of it."""
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
    """Takes the findings of one round, and cuts their places out."""
    # Pydantic counts only the good items of a list, so a bad one makes it call the list too short.
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
    """The field that a name which is none was probably meant to be, unless that stands there too; else nothing."""
    holder = _within(partial.data, partial.now(place[:-1]) or ())
    there = holder if isinstance(holder, dict) else {}
    close = difflib.get_close_matches(str(place[-1]), _fields(partial.model) - set(there), n=1, cutoff=0.75)
    return close[0] if close else ""


@functools.cache
def _fields(model: type[BaseModel]) -> frozenset[str]:
    """The names of all fields of the model and of all models in it."""
    schema = model.model_json_schema()
    parts = [schema, *schema.get("$defs", {}).values()]
    return frozenset(name for part in parts for name in part.get("properties", {}))


def _cut(partial: Partial, place: Path_) -> None:
    """Takes the value out; where it is not there, because it is missing, what it is missing in."""
    if not place:
        partial.data = {}
        return
    path = partial.now(place)
    holder, last = (_within(partial.data, path[:-1]), path[-1]) if path else (None, "")
    if isinstance(holder, list) and isinstance(last, int):
        partial.kept.setdefault(place[:-1], list(range(len(holder)))).pop(last)
        del holder[last]
    elif isinstance(holder, dict) and last == "name" and not str(holder.get(last)).startswith(_STAND_IN):
        holder[last] = f"{_STAND_IN}-{len(partial.cuts)}"  # What bears a bad name can be asked about all else.
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
    """Pydantic's location as the file has it: without names of types, and with fields as they are written there."""
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
    """Pydantic's message in the words of somebody who reads YAML."""
    if item["type"] == "missing":
        return _MISSING
    text = str(item["msg"]).removeprefix("Value error, ")
    return text[:1].lower() + text[1:]
