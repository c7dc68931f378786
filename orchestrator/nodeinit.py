"""What a node's init container does: its own keys, the chain specs, the start barrier.

Run as `python3 -m orchestrator.nodeinit`.

The seed is mounted here and nowhere else in the pod. Only this pod's keys are derived, into a memory volume.
"""

import argparse
import gzip
import hashlib
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
from tenacity import Retrying, retry_if_exception_type, wait_fixed

from orchestrator.genesis import keys, suri

KEY_TYPES = {"relay": keys.RELAY_KEY_TYPES, "para": keys.PARA_KEY_TYPES, "none": {}}


def write_keys(seed: bytes, *, group: str, ordinal: int, types: str, directory: Path, uri: str | None = None) -> None:
    """Writes the network keys and the keystore as a Substrate node reads them (`client/keystore/src/local.rs`).

    With a `uri` all session keys stand there, and the keystore's files hold it; else they come from the seed. A
    parachain's node has a second network key, for the relay node inside it.
    """
    keystore = directory / "keystore"
    keystore.mkdir(parents=True, exist_ok=True)
    _write_secret(directory / "node-key", keys.network_key(seed, group=group, ordinal=ordinal).secret.hex())
    embedded = keys.embedded_network_key(seed, group=group, ordinal=ordinal)
    _write_secret(directory / "relay-node-key", embedded.secret.hex())
    for kind, public, secret in _session_keys(seed, group=group, ordinal=ordinal, types=KEY_TYPES[types], uri=uri):
        _write_secret(keystore / (kind.encode().hex() + public.hex()), json.dumps(secret))


def _session_keys(
    seed: bytes, *, group: str, ordinal: int, types: dict[str, tuple[str, keys.Scheme]], uri: str | None
) -> Iterator[tuple[str, bytes, str]]:
    if uri is not None:
        yield from ((kind, suri.public(uri, scheme), uri) for kind, scheme in types.values())
        return
    for name, pair in keys.node_keys(seed, group=group, ordinal=ordinal, types=types).items():
        yield types[name][0], pair.public, "0x" + pair.secret.hex()


def assemble(chunks: Path, target: Path) -> None:
    """Puts a chain spec together from its chunks, and checks it.

    Raises:
        SystemExit: when the sum is another; the pod then fails with the reason in its log.
    """
    packed = b"".join(file.read_bytes() for file in sorted(chunks.glob("[0-9][0-9][0-9][0-9]")))
    spec = gzip.decompress(packed)
    expected = (chunks / "sha256").read_text().strip()
    found = hashlib.sha256(spec).hexdigest()
    if found != expected:
        sys.exit(f"chain spec {target.name}: sha256 is {found}, should be {expected}")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(spec)


def wait_at_barrier(url: str, *, pod: str, parties: int, say: Callable[[str], None]) -> None:
    """Waits until all parties have come; the barrier's answers are long polls, so this costs one request in 25 s."""

    def ask() -> None:
        answer = httpx.get(url, params={"pod": pod, "parties": parties}, timeout=40.0)
        if answer.status_code != httpx.codes.OK:
            raise httpx.TransportError(f"the barrier says {answer.status_code}")

    say(f"waiting at the start barrier for {parties} nodes")
    for attempt in Retrying(retry=retry_if_exception_type(httpx.TransportError), wait=wait_fixed(0.3)):
        with attempt:
            ask()
    say("released")


def _uri(dev: list[str], uris: Path | None, ordinal: int) -> str | None:
    """The secret URI of this node where its keys are imported."""
    if dev:
        return suri.dev(dev[ordinal])
    return (uris / str(ordinal)).read_text().strip() if uris is not None else None


def _write_secret(file: Path, text: str) -> None:
    file.touch(mode=0o600)
    file.write_text(text)


def main() -> None:
    # Process 1 of a container is not ended by a signal that it does not handle, and its pod would wait out its grace.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    parser = argparse.ArgumentParser(prog="orchestrator.nodeinit", description=__doc__)
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
    parser.add_argument("--barrier", help="URL of the start barrier; none for nodes that start at once")
    parser.add_argument("--parties", type=int, default=1)
    arguments = parser.parse_args()
    pod = os.environ["POD_NAME"]
    seed = bytes.fromhex(arguments.seed_file.read_text().strip())
    ordinal = int(pod.rpartition("-")[2])
    write_keys(
        seed,
        group=arguments.group,
        ordinal=ordinal,
        types=arguments.types,
        uri=_uri(arguments.dev, arguments.uris, ordinal),
        directory=arguments.key_directory,
    )
    for chain in arguments.chain:
        assemble(arguments.chunks / chain, arguments.spec_directory / f"{chain}.json")
    if arguments.barrier:
        wait_at_barrier(arguments.barrier, pod=pod, parties=arguments.parties, say=lambda line: print(line, flush=True))


if __name__ == "__main__":
    main()
