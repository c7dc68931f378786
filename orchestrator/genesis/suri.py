"""Public keys of secret URIs: `//Alice`, `0x<seed>//stash`, or a mnemonic phrase with a path.

They are for groups whose keys do not come from the network's seed. A keystore stores the URI itself, so no secret is
computed here. The format is that of `substrate/primitives/core/src/crypto.rs` in polkadot-sdk. Called by `chainspec`
and by the init containers.
"""

import re

import sr25519
from bip39 import bip39_to_mini_secret

from orchestrator.errors import UsageError
from orchestrator.genesis import keys
from orchestrator.genesis.keys import Scheme

DEV_SEED = bytes.fromhex("fac7959dbfe72f052e5a0c3c8d6530f202b02fd8f9f5ca3580ec8deb7797479e")
"""The seed of the well-known development phrase. It is used for a URI that begins with its path."""

_URI = re.compile(r"^(?P<root>[^/]*)(?P<path>(//[^/]+)*)$")


def dev(name: str) -> str:
    """The URI of a development account, such as `alice`."""
    return f"//{name.capitalize()}"


def public(uri: str, scheme: Scheme) -> bytes:
    """The public key of a URI.

    Raises:
        UsageError: the URI is invalid or has soft junctions. The message does not repeat it.
    """
    seed, path = _parsed(uri)
    if scheme != "sr25519":
        return keys.derive(seed, path, scheme).public
    public_key, secret = sr25519.pair_from_seed(seed)
    for junction in filter(None, path.split("//")):
        _, public_key, secret = sr25519.hard_derive_keypair((keys.chain_code(junction), public_key, secret), b"")
    return bytes(public_key)


def _parsed(uri: str) -> tuple[bytes, str]:
    match = _URI.match(uri.strip())
    if match is None:
        hint = "write 0xSEED or a phrase, with a path of //hard junctions"
        raise UsageError("a secret URI is invalid", hint=hint)
    root = match["root"]
    if not root:
        return DEV_SEED, match["path"]
    if re.fullmatch(r"0x[0-9a-fA-F]{64}", root):
        return bytes.fromhex(root[2:]), match["path"]
    try:
        return bytes(bip39_to_mini_secret(root, "", "en")), match["path"]
    except ValueError:
        raise UsageError("a secret URI begins with neither a 32-byte seed nor a mnemonic phrase") from None
