"""Accounts: on Substrate a public key, on Ethereum 20 bytes of a key's hash. Called by `chainspec` and `wasm`."""

import functools

from Crypto.Hash import keccak
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from orchestrator.genesis import keys, suri
from orchestrator.genesis.keys import Scheme

_SUBSTRATE_DEV = ("Alice", "Bob", "Charlie", "Dave", "Eve", "Ferdie", "One", "Two")
_ETHEREUM_DEV = frozenset(
    {
        "0xf24ff3a9cf04c71dbc94d0b566f7a27b94566cac",  # Alith
        "0x3cd0a705a2dc65e5b1e1205896baa2be8a07c6e0",  # Baltathar
        "0x798d4ba9baf0064ec19eb4f0a1a45785ae9d6dfc",  # Charleth
        "0x773539d4ac0e786233d90a233654ccee26a613d9",  # Dorothy
        "0xff64d3f6efe2317ee2807d223a0bdc4c0c49dfdb",  # Ethan
        "0xc0f0f4ab324c46e55d02d0033343b4be8a55532d",  # Faith
    }
)


def scheme(*, ethereum: bool) -> Scheme:
    """The kind of key that a chain's accounts have."""
    return "ecdsa" if ethereum else "sr25519"


def account(public: bytes) -> bytes:
    """The account of a public key: a key of 32 bytes is the account, one of 33 (ecdsa) gives an Ethereum account."""
    if len(public) == 32:
        return public
    point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256K1(), public)
    raw = point.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)[1:]
    return keccak.new(digest_bits=256, data=raw).digest()[-20:]


def address(account: bytes) -> str:
    """An account or public key as a genesis configuration writes it: SS58, or hexadecimal for Ethereum."""
    return "0x" + account.hex() if len(account) == 20 else keys.ss58(account)


def well_known(address: str) -> bool:
    """Whether anybody can sign for the account, as for the development accounts in presets of runtimes."""
    return address in _dev_addresses() or address.lower() in _ETHEREUM_DEV


@functools.cache
def _dev_addresses() -> frozenset[str]:
    uris = [f"//{name}{end}" for name in _SUBSTRATE_DEV for end in ("", "//stash")]
    return frozenset(keys.ss58(suri.public(uri, kind)) for uri in uris for kind in keys.SCHEMES)
