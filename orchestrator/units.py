"""Reads and writes durations, percentages and quantities as users write them. Used by `spec` and for all output."""

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_LONGEST = 3650 * 86400.0
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_DURATION = re.compile(r"^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$")
_PERCENT = re.compile(r"^(\d+(?:\.\d+)?)%$")


def parse_duration(text: object) -> float:
    """The seconds of `1m30s`, `2s` or `500ms`. A number without a unit is refused, because it is ambiguous.

    Raises:
        ValueError: the text is not a duration.
    """
    if not isinstance(text, str) or not _DURATION.match(text):
        raise ValueError(f"{text!r} is not a duration; write it with its unit, such as 30s, 5m or 1m30s")
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text))
    if seconds > _LONGEST:
        raise ValueError(f"{text} is longer than ten years")
    return seconds


def format_duration(seconds: float) -> str:
    """The shortest text that `parse_duration` reads back, to the millisecond: `1m30s`, `2s`, `500ms`, `1.5s`."""
    millis = round(seconds * 1000)
    parts = []
    for unit in ("h", "m"):
        size = round(_SECONDS[unit] * 1000)
        if millis >= size:
            parts.append(f"{millis // size}{unit}")
            millis %= size
    if millis or not parts:
        parts.append(f"{millis}ms" if 0 < millis < 1000 and not parts else f"{millis / 1000:g}s")
    return "".join(parts)


def parse_percent(text: object) -> float:
    """The fraction, 0 to 1, of `5%`.

    Raises:
        ValueError: the text is not a percentage between 0 and 100.
    """
    match = _PERCENT.match(text) if isinstance(text, str) else None
    if match is None or float(match[1]) > 100:
        raise ValueError(f"{text!r} is not a percentage; write it as 5%")
    return float(match[1]) / 100


def format_percent(fraction: float) -> str:
    return f"{fraction * 100:g}%"


_SUFFIXES = {
    **dict(
        zip(("n", "u", "m", "", "k", "M", "G", "T", "P", "E"), (1000.0**power for power in range(-3, 7)), strict=True)
    ),
    **{f"{letter}i": 1024.0**power for power, letter in enumerate("KMGTPE", start=1)},
}
_QUANTITY = re.compile(r"^([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)([numkMGTPE]|[KMGTPE]i)?$")


def quantity(text: str) -> float:
    """The value of a Kubernetes quantity such as `250m` or `1Gi`, in cores, bytes or pieces.

    Raises:
        ValueError: the text is not a quantity (`apimachinery/pkg/api/resource/quantity.go`).
    """
    match = _QUANTITY.match(text)
    if match is None:
        raise ValueError(f"{text!r} is not a Kubernetes quantity")
    return float(match[1]) * _SUFFIXES[match[2] or ""]


@dataclass(frozen=True, slots=True)
class Unit:
    """The unit of a number, as an annotation. `spec.explain` and other readers of the models show it."""

    name: str


Plancks = Annotated[int, Unit("plancks, the chain's smallest unit")]
Bytes = Annotated[int, Unit("bytes")]

Duration = Annotated[
    float,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^([0-9]+(\.[0-9]+)?(ms|s|m|h|d))+$"}),
]
"""Seconds in memory, `1m30s` in files and custom resources."""

Percent = Annotated[
    float,
    BeforeValidator(parse_percent),
    PlainSerializer(format_percent, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?%$"}),
]
"""A fraction in memory, `5%` in files and custom resources."""
