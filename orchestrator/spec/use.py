"""`{use: NAME}` in a stage's gates: a set or a single gate of the library, changed where the user wants it otherwise.

`spec.load` has it replaced by the gates themselves before a `Rehearsal` is read, so everything after it, the journal
included, sees nothing but gates.
"""

from typing import Any

from pydantic import Field

from orchestrator.spec.base import Model, Name


class Use(Model):
    """Gates of the library, by the name of a set or of a single gate."""

    use: Name = Field(description="A set or a gate of the library (`coalmine gates list`).")
    without: tuple[Name, ...] = Field(default=(), description="Gates of the set that are not wanted.")
    override: dict[Name, dict[str, Any]] = Field(
        default_factory=dict,
        description="Fields of a gate that stand in place of the library's, by the gate's name; a threshold replaces "
        "the library's threshold.",
    )
