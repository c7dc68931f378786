"""How a verb prints its data."""

from enum import StrEnum


class Format(StrEnum):
    TEXT = "text"
    JSON = "json"
