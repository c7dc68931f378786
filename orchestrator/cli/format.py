"""How a verb prints its data."""

from enum import StrEnum


class Format(StrEnum):
    TEXT = "text"
    JSON = "json"


class Listing(StrEnum):
    TEXT = "text"
    WIDE = "wide"
    JSON = "json"
