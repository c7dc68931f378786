"""Formats plain columns, ages and sizes, for people and for grep. Called by the verbs that list."""

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime


def columns(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows under their header, each column as wide as its widest cell; an empty cell is a dash."""
    table = [[word.upper() for word in header], *([cell or "-" for cell in row] for row in rows)]
    widths = [max(len(row[index]) for row in table) for index in range(len(header))]
    lines = ("   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table)
    return "\n".join(lines)


def facts(pairs: Sequence[tuple[str, str]]) -> str:
    """Names and values, one on each line. Further lines of a value are indented below its first."""
    width = max((len(name) for name, _ in pairs), default=0) + 3
    return "\n".join(f"{name + ':':<{width}}{value.replace(chr(10), chr(10) + ' ' * width)}" for name, value in pairs)


def age(since: datetime | None, now: datetime | None = None) -> str:
    """How long ago, in its two largest units: `45s`, `3m20s`, `5h2m`, `2d4h`."""
    if since is None:
        return ""
    seconds = max(0, int(((now or datetime.now(UTC)) - since).total_seconds()))
    sizes = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
    for (unit, size), (smaller, small) in itertools.pairwise(sizes):
        if seconds >= size:
            rest = seconds % size // small
            return f"{seconds // size}{unit}" + (f"{rest}{smaller}" if rest else "")
    return f"{seconds}s"


def size(count: int) -> str:
    """Bytes in the unit in which Kubernetes writes them: `512Mi`, `1.5Gi`."""
    for unit, power in (("Gi", 30), ("Mi", 20), ("Ki", 10)):
        if count >= 1 << power:
            return f"{count / (1 << power):.1f}".removesuffix(".0") + unit
    return str(count)
