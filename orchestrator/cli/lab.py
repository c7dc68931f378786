"""`coalmine lab up | down | status | kubeconfig | load-image`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli import options, stdout
from orchestrator.cli.format import Format
from orchestrator.errors import UsageError

if TYPE_CHECKING:
    from orchestrator.lab import Lab

app = typer.Typer(help="A throwaway local Kubernetes.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The lab's name; labs of different names stand side by side.")]


@app.command()
def up(name: Name = options.DEFAULT_LAB) -> int:
    """Start a lab and leave it running until `coalmine lab down`."""
    from orchestrator import lab
    from orchestrator.cli import console

    started = lab.up(name, owner=None, progress=console.stepper())
    stdout.text(str(started.kubeconfig))
    return 0


@app.command()
def down(name: Name = options.DEFAULT_LAB) -> int:
    """End a lab; nothing of it stays."""
    from orchestrator import lab
    from orchestrator.cli import console

    lab.down(name, progress=console.stepper())
    return 0


@app.command()
def status(output: options.Output = Format.TEXT) -> int:
    """List the labs that run on this machine."""
    from orchestrator import lab
    from orchestrator.cli import console

    found = lab.status()
    if output is Format.JSON:
        stdout.data([{"name": s.name, "kubeconfig": str(s.kubeconfig), "supervisor": s.supervisor} for s in found])
    elif not found:
        console.say("no lab runs here")
    else:
        console.table(
            "Labs",
            ["name", "supervisor", "kubeconfig"],
            [[s.name, str(s.supervisor), str(s.kubeconfig)] for s in found],
        )
    return 0


@app.command()
def kubeconfig(name: Name = options.DEFAULT_LAB) -> int:
    """Print the path of a lab's kubeconfig."""
    stdout.text(str(_running(name).kubeconfig))
    return 0


@app.command(name="load-image")
def load_image(
    sources: Annotated[
        list[Path],
        typer.Argument(help="An OCI archive; or with --as programs, folders or archives of them.", exists=True),
    ],
    as_: Annotated[
        str | None, typer.Option("--as", help="Make an image of this name of the programs: polkadot-1.25.1.")
    ] = None,
    name: Annotated[str, typer.Option("--lab")] = options.DEFAULT_LAB,
) -> int:
    """Import an image into a lab: an archive under its own name, or programs; prints the name of the latter."""
    from orchestrator.cli import console
    from orchestrator.lab import programs

    running = _running(name)
    if as_ is None:
        for archive in sources:
            running.load_image(archive)
        return 0
    made = programs.made(as_, tuple(sources), console.stepper())
    running.load(made, console.stepper())
    stdout.text(made.reference)
    return 0


def _running(name: str) -> "Lab":
    from orchestrator import lab

    found = lab.find(name)
    if found is None:
        raise UsageError(f"lab {name} does not run", hint=f"`coalmine lab up {name}` starts it")
    return found
