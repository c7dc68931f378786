"""The command line: one module a verb. The only place that prints, and the only one that catches every error.

Exit codes: 0 passed or done; 1 a gate failed, or `diff` found differences; 2 usage or invalid spec; 3 inconclusive;
4 infrastructure, or a mistake of coalmine's own; 130 interrupted.
"""

import signal
import sys
import traceback
from typing import Any

import typer

from orchestrator.cli.verbs import Verbs
from orchestrator.errors import CoalmineError, SpecError

# Typer brings Click along, by its own name or as a part of itself, depending on its version; this is the class of both.
_UsageError: Any = typer.BadParameter.__mro__[1]

app = typer.Typer(
    name="coalmine",
    cls=Verbs,
    help="Rehearse a Polkadot-family network before it matters.",
    epilog="Exit codes: 0 passed or done · 1 a gate failed, or diff found differences · 2 usage or invalid spec · "
    "3 inconclusive · 4 infrastructure, or our own mistake · 130 interrupted",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
    rich_markup_mode=None,  # Boxes around help take as long as all else of it.
)


@app.callback()
def _coalmine() -> None:
    """The verbs are in `verbs`; Typer wants something of its own to make a group of."""


def main() -> None:
    """The entry point of the command `coalmine`."""
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, _interrupted)
    sys.exit(_guarded(sys.argv[1:]))


def _interrupted(*_: object) -> None:
    """A terminal that goes or a polite kill is as good as Ctrl-C: what was begun is tidied up."""
    raise KeyboardInterrupt


def _guarded(arguments: list[str]) -> int:
    """Runs the command line; every error of ours becomes a line, a hint and an exit code."""
    try:
        outcome = app(args=arguments, prog_name="coalmine", standalone_mode=False)
    except CoalmineError as error:
        return _failed(error)
    except (KeyboardInterrupt, typer.Abort):
        sys.stderr.write("interrupted\n")
        return 130
    except _UsageError as error:
        error.show()
        return int(error.exit_code)
    except Exception:  # noqa: BLE001  Python's own exit code for it is 1, which says that a gate failed.
        traceback.print_exc()
        return _failed(CoalmineError("this is a mistake of coalmine's own", hint="report it with the lines above"))
    return outcome if isinstance(outcome, int) else 0


def _failed(error: CoalmineError) -> int:
    from orchestrator.cli import console

    for mistake in error.mistakes if isinstance(error, SpecError) else ():
        console.say(str(mistake))
    console.fail(error)
    return error.exit_code
