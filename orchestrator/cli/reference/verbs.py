"""What the command line takes, and what it returns."""

import inspect
from collections import Counter
from collections.abc import Iterator
from enum import Enum
from typing import Any

import typer

from orchestrator import errors
from orchestrator.cli import app
from orchestrator.cli.reference.markdown import table

_SHARED = 4
"""Verbs that have an option alike, from which on it is told once for all."""


def command_line() -> str:
    verbs = list(_verbs(typer.main.get_command(app), "coalmine"))
    told = Counter(_option(option) for _, verb in verbs for option in _options(verb))
    shared = [option for option, count in told.items() if count >= _SHARED]
    parts = [
        (
            "# Command line\n\nData goes to stdout, all else to stderr. What a verb returns is in "
            "[exit codes](exit-codes.md).\n\n## Options of many verbs\n"
        ),
        table(("option", "default", "meaning"), shared),
    ]
    for path, verb in verbs:
        arguments = [one for one in verb.params if one.param_type_name == "argument"]
        usage = " ".join((path, *map(_argument, arguments)))
        own = [(f"`{one.name.upper()}`", "", one.help or "") for one in arguments]
        own += [_option(one) for one in _options(verb) if _option(one) not in shared]
        also = ", ".join(_option(one)[0] for one in _options(verb) if _option(one) in shared)
        parts.append(f"## {path}\n\n{inspect.cleandoc(verb.help)}\n\n```text\n{usage}\n```\n")
        parts += [table(("argument or option", "default", "meaning"), own)] if own else []
        parts += [f"Also: {also}.\n"] if also else []
    return "\n".join(parts)


def _verbs(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    for name, found in command.commands.items():
        if getattr(found, "commands", None):
            yield from _verbs(found, f"{path} {name}")
        else:
            yield f"{path} {name}", found


def _options(verb: Any) -> list[Any]:
    return [one for one in verb.params if one.param_type_name == "option" and one.name != "help"]


def _option(option: Any) -> tuple[str, str, str]:
    """Its names, its default, and its help with the words that it takes, where these are known by the default."""
    names = ", ".join(f"`{name}`" for name in option.opts)
    default = "**required**" if option.required else f"`{option.default}`" if option.default else ""
    words = [f"`{word}`" for word in type(option.default)] if isinstance(option.default, Enum) else []
    return names, default, (option.help or "") + (f" One of {', '.join(words)}." if words else "")


def _argument(argument: Any) -> str:
    name = argument.name.upper() + ("…" if argument.nargs == -1 else "")
    return name if argument.required else f"[{name}]"


def exit_codes() -> str:
    _, _, listed = str(app.info.epilog).partition(": ")
    rows = [(f"`{code}`", meaning) for code, _, meaning in (part.partition(" ") for part in listed.split(" · "))]
    _, _, tree = inspect.cleandoc(errors.__doc__ or "").partition("::\n\n")
    return (
        "# Exit codes\n\n"
        + table(("code", "meaning"), rows)
        + "\nEvery error that coalmine can name, with its exit code; an error below another has the other's code:\n\n"
        + f"```text\n{inspect.cleandoc(tree)}\n```\n"
    )
