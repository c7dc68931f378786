"""`coalmine import zombienet | zombie-bite`: makes a Testnet of another tool's files."""

import os
from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli import stdout
from orchestrator.errors import SpecError, UsageError

app = typer.Typer(help="Make a Testnet of another tool's network definition.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Makes Typer keep a verb for each tool, also while there is only one."""


@app.command()
def zombienet(
    file: Annotated[Path, typer.Argument(help="A definition of zombienet, version 1 or SDK: TOML, JSON or YAML.")],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Where to write; by default to stdout.")] = None,
    name: Annotated[str | None, typer.Option(help="The Testnet's name; by default the file's.")] = None,
    runtime: Annotated[
        list[str] | None,
        typer.Option(help="CHAIN=FILE: the runtime of a chain that the file names only; relay, or a parachain's id."),
    ] = None,
) -> int:
    """Print a Testnet made of a zombienet definition; what has no counterpart is listed on stderr, with the reason."""
    import yaml

    from orchestrator.cli import console
    from orchestrator.importing import read_definition

    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {file}: {error}") from error
    home = output.parent if output else Path()
    runtimes = dict(_runtime(one, home) for one in runtime or ())
    imported = read_definition(
        text,
        str(file),
        environment=os.environ,
        name=name,
        runtimes=runtimes,
        rebase=lambda path: os.path.relpath(file.parent / path, home),
    )
    written = yaml.dump(imported.document, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=110)
    for finding in imported.findings:
        console.say(str(finding))
    console.say(f"{len(imported.findings)} things are not as they were in {file}")
    if output is None:
        stdout.text(written)
        return 0
    output.write_text(written, encoding="utf-8")
    _say_what_is_missing(output)
    return 0


@app.command(name="zombie-bite")
def zombie_bite(
    directory: Annotated[Path, typer.Argument(help="The base path of `zombie-bite bite`.", exists=True)],
    archives: Annotated[str, typer.Option(help="The address where the nodes will find its archives.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The file to write; keys go beside it.")],
    name: Annotated[str, typer.Option(help="The Testnet's name, and its fork id.")] = "fork",
) -> int:
    """Write a Testnet of a fork of a live network: its specs and databases, on validators of one's own."""
    import yaml

    from orchestrator.cli import console
    from orchestrator.importing.zombie_bite import read_bite

    home = output.parent
    bite = read_bite(directory, archives=archives, name=name, rebase=lambda path: os.path.relpath(path, home))
    output.write_text(yaml.dump(bite.document, Dumper=yaml.CSafeDumper, sort_keys=False, width=110), encoding="utf-8")
    for file, text in bite.files.items():
        (home / file).write_text(text, encoding="utf-8")
        console.say(f"wrote {home / file}")
    for remark in bite.remarks:
        console.say(remark)
    _say_what_is_missing(output)
    return 0


def _runtime(text: str, home: Path) -> tuple[str, str]:
    chain, equals, path = text.partition("=")
    if not equals or not chain or not path:
        raise UsageError(f"--runtime {text}: CHAIN=FILE is expected, such as relay=westend.wasm")
    return chain, os.path.relpath(path, home)


def _say_what_is_missing(output: Path) -> None:
    """Prints what the written Testnet still needs, such as a file to fetch."""
    from orchestrator.cli import console
    from orchestrator.spec.load import load

    try:
        load([output])
    except SpecError as error:
        for mistake in error.mistakes:
            console.say(f"still to do: {mistake}")
