"""The command line: one module for each verb. The only place that prints, and the only one that catches every error.

Exit codes: 0 passed or done; 1 a gate failed, or `diff` found differences; 2 usage or invalid spec; 3 inconclusive;
4 infrastructure, or a bug in coalmine; 130 interrupted.
"""

import signal
import sys
import traceback
from typing import Any

import typer

from orchestrator.cli.verbs import Verbs
from orchestrator.errors import CoalmineError, SpecError

# Click's UsageError. Depending on its version, Typer imports Click or contains a copy; this works for both.
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
    rich_markup_mode=None,  # Drawing boxes around help doubles the time that help takes.
)


@app.callback()
def _coalmine() -> None:
    """Does nothing: Typer needs a callback to make a group. The verbs are in `verbs`."""


def main() -> None:
    """The entry point of the command `coalmine`."""
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, _interrupted)
    sys.exit(_guarded(sys.argv[1:]))


def _interrupted(*_: object) -> None:
    """Treats SIGTERM and SIGHUP like Ctrl-C, so that everything that was started is cleaned up."""
    raise KeyboardInterrupt


def _guarded(arguments: list[str]) -> int:
    """Runs the command line and returns its exit code. Prints each of our errors as one line and a hint."""
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
    except Exception:  # noqa: BLE001  Python would exit with 1, which means that a gate failed.
        traceback.print_exc()
        return _failed(CoalmineError("this is a mistake of coalmine's own", hint="report it with the lines above"))
    return outcome if isinstance(outcome, int) else 0


def _failed(error: CoalmineError) -> int:
    from orchestrator.cli import console

    for mistake in error.mistakes if isinstance(error, SpecError) else ():
        console.say(str(mistake))
    console.fail(error)
    return error.exit_code
