"""`coalmine gates`: the gates and sets in the library, and what they mean."""

from typing import Annotated

import typer

from orchestrator.cli import options, stdout
from orchestrator.cli.format import Format
from orchestrator.errors import UsageError

app = typer.Typer(help="Gates and sets of gates that come with coalmine.", no_args_is_help=True)


@app.command(name="list")
def list_(output: options.Output = Format.TEXT) -> int:
    """List the sets and, concern by concern, the gates."""
    from orchestrator.cli import library_pages as pages

    if output is Format.JSON:
        stdout.data(pages.names())
    else:
        stdout.text(pages.listed())
    return 0


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="A set or a gate, as `list` has it.")],
    output: options.Output = Format.TEXT,
) -> int:
    """Show a gate, or all gates of a set: why each is there, where its numbers come from, what it says."""
    from orchestrator.cli import library_pages as pages

    found = pages.page(name)
    if found is None:
        raise UsageError(f"no set or gate {name} in the library", hint="coalmine gates list")
    if output is Format.JSON:
        stdout.data(found)
    else:
        stdout.text(pages.written(name, found))
    return 0
