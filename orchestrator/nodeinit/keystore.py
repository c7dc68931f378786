"""Writes a node's keys as files, derived from the network's seed or imported by a secret URI. Called by `__main__`."""

import json
from collections.abc import Iterator
from pathlib import Path

from orchestrator.genesis import keys, suri

KEY_TYPES = {"relay": keys.RELAY_KEY_TYPES, "para": keys.PARA_KEY_TYPES, "none": {}}


def write_keys(seed: bytes, *, group: str, ordinal: int, types: str, directory: Path, uri: str | None = None) -> None:
    """Writes the network keys and the keystore as a Substrate node reads them (`client/keystore/src/local.rs`).

    With a `uri` it is used for all session keys, and the keystore's files contain it. Otherwise the keys come from the
    seed. A parachain's node has a second network key, for the relay node inside it.
    """
    keystore = directory / "keystore"
    keystore.mkdir(parents=True, exist_ok=True)
    _write_secret(directory / "node-key", keys.network_key(seed, group=group, ordinal=ordinal).secret.hex())
    embedded = keys.embedded_network_key(seed, group=group, ordinal=ordinal)
    _write_secret(directory / "relay-node-key", embedded.secret.hex())
    for kind, public, secret in _session_keys(seed, group=group, ordinal=ordinal, types=KEY_TYPES[types], uri=uri):
        _write_secret(keystore / (kind.encode().hex() + public.hex()), json.dumps(secret))


def imported_uri(dev: list[str], uris: Path | None, ordinal: int) -> str | None:
    """The secret URI of this node. None if its keys are not imported. `uris` is the folder of the mounted Secret."""
    if dev:
        return suri.dev(dev[ordinal])
    return (uris / str(ordinal)).read_text().strip() if uris is not None else None


def _session_keys(
    seed: bytes, *, group: str, ordinal: int, types: dict[str, tuple[str, keys.Scheme]], uri: str | None
) -> Iterator[tuple[str, bytes, str]]:
    if uri is not None:
        yield from ((kind, suri.public(uri, scheme), uri) for kind, scheme in types.values())
        return
    for name, pair in keys.node_keys(seed, group=group, ordinal=ordinal, types=types).items():
        yield types[name][0], pair.public, "0x" + pair.secret.hex()


def _write_secret(file: Path, text: str) -> None:
    file.touch(mode=0o600)
    file.write_text(text)
