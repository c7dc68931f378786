"""Places names over a chart, each in a row of its own height, so that none covers another or its line. Pure.

A name's line goes from its row down into the chart, through all rows below. Used by `marks`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from orchestrator.report.scale import LEFT, RIGHT, WIDTH

_LETTER = 6.6
"""Width of a letter in SVG units, for the widest of the usual fonts at the size of a chart's text."""

_GAP = 4.0
_ROWS = 10
"""A chart has at most so many rows of names. What finds no room in them keeps its line, whose tooltip names it."""


@dataclass(frozen=True, slots=True)
class Label:
    """A name at the right (`start`) or left (`end`) of its line. `row` 0 is the highest. `x` is where the text stands.

    `stretch` is what it covers of its row.
    """

    line: float
    x: float
    row: int
    text: str
    style: str
    anchor: str
    stretch: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A name and the place of its line. If not all find room, those that are `needed` find theirs first."""

    line: float
    text: str
    style: str
    needed: bool = False


def placed(wanted: Sequence[Wanted]) -> tuple[Label | None, ...]:
    """The label of each name, in the order of the names. None where it finds no room."""
    found = _placed(wanted, sorted(range(len(wanted)), key=lambda index: wanted[index].line))
    if any(one.needed and label is None for one, label in zip(wanted, found, strict=True)):
        order = sorted(range(len(wanted)), key=lambda index: (not wanted[index].needed, wanted[index].line))
        found = _placed(wanted, order)
    return found


def _placed(wanted: Sequence[Wanted], order: Sequence[int]) -> tuple[Label | None, ...]:
    """From left to right, the names go down like stairs, and none is in the way of the next."""
    found: dict[int, Label] = {}
    for index in order:
        label = next((label for label in _tries(wanted[index]) if _free(label, found.values())), None)
        if label is not None:
            found[index] = label
    return tuple(found.get(index) for index in range(len(wanted)))


def width(text: str) -> float:
    """How wide a text is at most, in SVG units."""
    return len(text) * _LETTER


def _tries(one: Wanted) -> Iterator[Label]:
    """The places in question, the best first."""
    length = width(one.text) + _GAP
    for row in range(_ROWS):
        if one.line + length <= WIDTH - RIGHT:
            covered = one.line, one.line + length
            yield Label(one.line, one.line + _GAP, row, one.text, one.style, "start", covered)
        if one.line - length >= LEFT:
            covered = one.line - length, one.line
            yield Label(one.line, one.line - _GAP, row, one.text, one.style, "end", covered)


def _free(label: Label, others: Iterable[Label]) -> bool:
    return not any(_collide(label, other) or _crosses(label, other) or _crosses(other, label) for other in others)


def _collide(a: Label, b: Label) -> bool:
    return a.row == b.row and a.stretch[0] < b.stretch[1] + _GAP and b.stretch[0] < a.stretch[1] + _GAP


def _crosses(line: Label, label: Label) -> bool:
    """Whether the line of one goes through the text of the other, which is in a row below."""
    return label.row > line.row and label.stretch[0] < line.line < label.stretch[1]
