"""`coalmine snapshot take`."""

from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli import options, selecting, stdout
from orchestrator.cli.format import Format
from orchestrator.cli.rpc import seconds
from orchestrator.errors import UsageError

app = typer.Typer(help="Databases of running nodes, for others to start from.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Makes Typer keep `take` as a verb, also while it is the only one."""


@app.command()
def take(
    node: Annotated[
        str, typer.Argument(help="The node's name. It is stopped meanwhile, so do not choose a validator.")
    ],
    file: Annotated[Path | None, typer.Option("-o", "--file", help="The archive to write, FILE.tar.zst.")] = None,
    volume_snapshot: Annotated[
        str | None, typer.Option(help="Make a VolumeSnapshot of this name in the network's namespace instead.")
    ] = None,
    volume_snapshot_class: Annotated[str | None, typer.Option(help="Its class; by default the cluster's.")] = None,
    limit: Annotated[str, typer.Option(help="After this long the node goes on in any case.")] = "10m",
    testnet: selecting.TestnetName = None,
    output: Annotated[Format, typer.Option("--output", help="How to print.")] = Format.TEXT,
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
    lab: options.LabName = options.DEFAULT_LAB,
) -> int:
    """Stop a node, copy its database without its keys, let it go on; print the archive's sha256 and size."""
    from orchestrator.cli import console
    from orchestrator.provision import snapshots

    if (file is None) == (volume_snapshot is None):
        raise UsageError("say where the snapshot goes: -o FILE.tar.zst, or --volume-snapshot NAME")
    most = seconds("--limit", limit)
    cluster, found = selecting.found(options.Where(context, kubeconfig, lab), testnet)
    chosen = selecting.one(found, node)
    progress = console.stepper()
    if volume_snapshot is not None:
        snapshots.take_volume_snapshot(
            cluster, chosen, volume_snapshot, volume_class=volume_snapshot_class, limit=most, progress=progress
        )
        console.say(f"a group of {found.name} can start from it: snapshot: {{volumeSnapshot: {volume_snapshot}}}")
        return 0
    assert file is not None
    taken = snapshots.take(cluster, chosen, file, limit=most, progress=progress)
    if taken.left_out:
        console.say(f"left out keys: {', '.join(taken.left_out)}")
    if output is Format.JSON:
        stdout.data({"file": str(file), "sha256": taken.sha256, "bytes": taken.length, "files": taken.files})
    else:
        stdout.text(f"{file}: {taken.length} bytes of {taken.files} files\nsha256: {taken.sha256}")
    return 0
