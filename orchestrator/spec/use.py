"""`{use: NAME}` in a stage's gates: a set or a single gate of the library, with the user's changes.

`spec.load` has it replaced by the gates before it reads a `Rehearsal`. Everything after that, including the journal,
sees only gates.
"""

from typing import Any

from pydantic import Field

from orchestrator.spec.base import Model, Name


class Use(Model):
    """Gates of the library, by the name of a set or of one gate."""

    use: Name = Field(description="A set or a gate of the library (`coalmine gates list`).")
    without: tuple[Name, ...] = Field(default=(), description="Gates of the set that are not wanted.")
    override: dict[Name, dict[str, Any]] = Field(
        default_factory=dict,
        description="Fields that replace the library's fields of a gate, by the gate's name. A threshold replaces the "
        "library's threshold.",
    )
