"""Maps verbs to modules. A verb's module is imported when the verb is looked up, and its libraries when it runs.

So `coalmine version` does not wait for Pulumi. The modules of verbs import nothing slow at the top, as `--help` and the
shell's completion import all of them. A verb's function imports what it needs when it starts.
"""

import functools
import pkgutil
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import typer
from typer.core import TyperGroup

Command = Any
"""Click's Command. Depending on its version, Typer imports Click or contains a copy."""

VERBS = {
    "run": "run:run",
    "judge": "record:judge",
    "report": "record:report",
    "validate": "check:validate",
    "explain": "explain:explain",
    "schema": "explain:schema",
    "render": "apply:render",
    "diff": "apply:diff",
    "up": "apply:up",
    "down": "apply:down",
    "sweep": "sweep:sweep",
    "get": "get:get",
    "describe": "describe:describe",
    "logs": "logs:logs",
    "rpc": "rpc:rpc",
    "wait": "wait:wait",
    "top": "top:top",
    "version": "version:version",
    "lab": "lab:app",
    "gates": "gates:app",
    "import": "importing:app",
    "snapshot": "snapshot:app",
}
"""Verb -> `module:name`, with a module of this folder and its function or Typer app; in the order of `--help`."""


class Verbs(TyperGroup):
    """The group of all verbs."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands: Any = _Commands()

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002  The method of Typer would build every verb.
        return list(VERBS)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Prints whole sentences. Click's own method would cut them off at the end of the line."""
        rows = [(name, self.commands[name].get_short_help_str(limit=sys.maxsize)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


class _Commands(Mapping[str, Command]):
    """Verb -> command. Each command is built when it is looked up."""

    def __getitem__(self, name: str) -> Command:
        return _command(name)

    def __iter__(self) -> Iterator[str]:
        return iter(VERBS)

    def __len__(self) -> int:
        return len(VERBS)


@functools.cache
def _command(name: str) -> Command:
    found = pkgutil.resolve_name(f"{__package__}.{VERBS[name]}")
    holder = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
    if isinstance(found, typer.Typer):
        holder.add_typer(found, name=name)
    else:
        holder.command(name=name)(found)
    return typer.main.get_group(holder).commands[name]
