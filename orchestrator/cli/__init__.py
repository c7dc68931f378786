"""The command line: one module a verb. The only place that prints, and the only one that catches every error.

Exit codes: 0 passed or done; 1 a gate failed, or `diff` found differences; 2 usage or invalid spec; 3 inconclusive;
4 infrastructure, or a mistake of coalmine's own; 130 interrupted.
"""

import signal
import sys
import traceback
from typing import Any

import typer

from orchestrator.cli import console
from orchestrator.cli.apply import diff, down, render, up
from orchestrator.cli.check import validate
from orchestrator.cli.describe import describe
from orchestrator.cli.explain import explain, schema
from orchestrator.cli.gates import app as gates_app
from orchestrator.cli.get import get
from orchestrator.cli.importing import app as import_app
from orchestrator.cli.lab import app as lab_app
from orchestrator.cli.logs import logs
from orchestrator.cli.record import judge, report
from orchestrator.cli.rpc import rpc
from orchestrator.cli.run import run
from orchestrator.cli.snapshot import app as snapshot_app
from orchestrator.cli.sweep import sweep
from orchestrator.cli.top import top
from orchestrator.cli.version import version
from orchestrator.cli.wait import wait
from orchestrator.errors import CoalmineError, SpecError

# Typer brings Click along, by its own name or as a part of itself, depending on its version; this is the class of both.
_UsageError: Any = typer.BadParameter.__mro__[1]

app = typer.Typer(
    name="coalmine",
    help="Rehearse a Polkadot-family network before it matters.",
    epilog="Exit codes: 0 passed or done · 1 a gate failed, or diff found differences · 2 usage or invalid spec · "
    "3 inconclusive · 4 infrastructure, or our own mistake · 130 interrupted",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
)
_VERBS = (
    *(run, judge, report),
    *(validate, explain, schema, render, diff, up, down, sweep),
    *(get, describe, logs, rpc, wait, top),
    version,
)
for verb in _VERBS:
    app.command()(verb)
app.add_typer(lab_app, name="lab")
app.add_typer(gates_app, name="gates")
app.add_typer(import_app, name="import")
app.add_typer(snapshot_app, name="snapshot")


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
    except SpecError as error:
        for mistake in error.mistakes:
            console.say(str(mistake))
        console.fail(error)
        return error.exit_code
    except CoalmineError as error:
        console.fail(error)
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        console.say("interrupted")
        return 130
    except _UsageError as error:
        error.show()
        return int(error.exit_code)
    except Exception:  # noqa: BLE001  Python's own exit code for it is 1, which says that a gate failed.
        traceback.print_exc()
        ours = CoalmineError("this is a mistake of coalmine's own", hint="report it with the lines above")
        console.fail(ours)
        return ours.exit_code
    return outcome if isinstance(outcome, int) else 0
