"""`python3 -m orchestrator.nodeinit`: the command line of a node's init container."""

import argparse
import os
import signal
import sys
from pathlib import Path

from orchestrator.errors import CoalmineError
from orchestrator.nodeinit import assemble, wait_at_barrier, write_keys
from orchestrator.nodeinit.keystore import KEY_TYPES, imported_uri
from orchestrator.snapshot.restore import restore


def main() -> None:
    # A signal that it does not handle does not end process 1 of a container. Its pod would wait for the grace period.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    arguments = _parser().parse_args()
    try:
        _prepare(arguments, pod=os.environ["POD_NAME"])
    except CoalmineError as error:
        sys.exit(f"error: {error.message}" + (f" ({error.hint})" if error.hint else ""))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="orchestrator.nodeinit", description="A node's keys, specs and database.")
    parser.add_argument("--group", required=True)
    parser.add_argument("--types", choices=sorted(KEY_TYPES), required=True, help="which session keys the node has")
    parser.add_argument("--seed-file", type=Path, required=True)
    parser.add_argument("--dev", action="append", default=[], help="development accounts, one a node of the group")
    parser.add_argument(
        "--uris", type=Path, help="directory with one file a node, named by its ordinal: its secret URI"
    )
    parser.add_argument("--key-directory", type=Path, required=True)
    parser.add_argument("--chain", action="append", default=[], help="a chain whose spec the node needs")
    parser.add_argument("--chunks", type=Path, required=True, help="directory with one directory of chunks a chain")
    parser.add_argument("--spec-directory", type=Path, required=True)
    parser.add_argument("--snapshot", metavar="URL", help="archive that an empty base path is filled from")
    parser.add_argument("--snapshot-sha256", metavar="SUM", help="of the archive")
    parser.add_argument("--data", type=Path, default=Path("/data"), help="the node's base path")
    parser.add_argument("--barrier", help="URL of the start barrier; none for nodes that start at once")
    parser.add_argument("--parties", type=int, default=1)
    return parser


def _prepare(arguments: argparse.Namespace, *, pod: str) -> None:
    ordinal = int(pod.rpartition("-")[2])
    write_keys(
        bytes.fromhex(arguments.seed_file.read_text().strip()),
        group=arguments.group,
        ordinal=ordinal,
        types=arguments.types,
        uri=imported_uri(arguments.dev, arguments.uris, ordinal),
        directory=arguments.key_directory,
    )
    for chain in arguments.chain:
        assemble(arguments.chunks / chain, arguments.spec_directory / f"{chain}.json")
    if arguments.snapshot:
        restore(arguments.data, arguments.snapshot, arguments.snapshot_sha256, _say)
    if arguments.barrier:
        wait_at_barrier(arguments.barrier, pod=pod, parties=arguments.parties, say=_say)


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    main()
