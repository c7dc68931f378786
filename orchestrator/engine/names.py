"""The engines there are. Apart from them, because the command line names them and may not wait for Pulumi to do so."""

from enum import StrEnum


class Name(StrEnum):
    """As an engine is chosen by `--engine`, and remembered in a network's inventory."""

    EMBEDDED = "embedded"
    PULUMI = "pulumi"
