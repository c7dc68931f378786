"""Derives all keys from a network's one seed, at the path `//<group>//<ordinal>//<key type>`.

The CLI and each pod derive the same keys. The CLI needs only public keys, for genesis and peer ids. A pod's init
container derives only the secrets of its own node. Each key has a 32-byte secret of its own. Every node's keystore
reads this form (`"0x<secret>"`, `substrate/client/keystore/src/local.rs`), and the seed cannot be computed from it.

Secrets follow Substrate's hard derivation of ed25519 and ecdsa (`substrate/primitives/core/src/{ed25519,ecdsa}.rs`).
sr25519 uses the same scheme with its own label, because Schnorrkel's derivation gives 64 bytes in an encoding that
differs between libraries. 32 bytes work everywhere.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import sr25519
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from orchestrator.genesis.header import blake2_256

Scheme = Literal["sr25519", "ed25519", "ecdsa"]
SCHEMES: tuple[Scheme, ...] = ("sr25519", "ed25519", "ecdsa")

RELAY_KEY_TYPES: dict[str, tuple[str, Scheme]] = {
    "grandpa": ("gran", "ed25519"),
    "babe": ("babe", "sr25519"),
    "para_validator": ("para", "sr25519"),
    "para_assignment": ("asgn", "sr25519"),
    "authority_discovery": ("audi", "sr25519"),
    "beefy": ("beef", "ecdsa"),
}
"""Session key name -> (keystore type, scheme), in the order of `SessionKeys` of all Polkadot relay chains."""

PARA_KEY_TYPES: dict[str, tuple[str, Scheme]] = {"aura": ("aura", "sr25519")}

_LABELS: dict[Scheme, str] = {"sr25519": "Sr25519HDKD", "ed25519": "Ed25519HDKD", "ecdsa": "Secp256k1HDKD"}

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def _scale_string(text: str) -> bytes:
    """A SCALE string shorter than 64 bytes: one length byte shifted left by two, then the text."""
    raw = text.encode()
    assert len(raw) < 64
    return bytes([len(raw) << 2]) + raw


def chain_code(junction: str) -> bytes:
    """The 32 bytes of a hard junction: a number as u64, other text as a SCALE string, which is hashed if too long."""
    code = int(junction).to_bytes(8, "little") if junction.isdigit() else _scale_string(junction)
    return blake2_256(code) if len(code) > 32 else code.ljust(32, b"\0")


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A key derived for one purpose. `secret` is the 32-byte seed of this key only (sr25519's mini secret)."""

    scheme: Scheme
    public: bytes
    secret: bytes

    def __repr__(self) -> str:
        return f"KeyPair({self.scheme}, 0x{self.public.hex()})"  # The secret must not reach a log by accident.


def derive(seed: bytes, path: str, scheme: Scheme) -> KeyPair:
    """The key pair at a hard path such as `//validator//0//babe` below a 32-byte seed."""
    label = _scale_string(_LABELS[scheme])
    for junction in [part for part in path.split("//") if part]:
        seed = blake2_256(label + seed + chain_code(junction))
    return KeyPair(scheme, _PUBLIC[scheme](seed), seed)


def sr25519_public(seed: bytes) -> bytes:
    public: bytes = sr25519.pair_from_seed(seed)[0]
    return public


def ed25519_public(seed: bytes) -> bytes:
    return ed25519.Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def ecdsa_public(seed: bytes) -> bytes:
    key = ec.derive_private_key(int.from_bytes(seed, "big"), ec.SECP256K1())
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)


_PUBLIC: dict[Scheme, Callable[[bytes], bytes]] = {
    "sr25519": sr25519_public,
    "ed25519": ed25519_public,
    "ecdsa": ecdsa_public,
}


def sign(pair: KeyPair, message: bytes) -> bytes:
    """An sr25519 signature, 64 bytes."""
    signature: bytes = sr25519.sign(sr25519.pair_from_seed(pair.secret), message)
    return signature


def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether an sr25519 signature is valid. A malformed one is not."""
    try:
        return bool(sr25519.verify(signature, message, public))
    except (TypeError, ValueError):
        return False


def base58(data: bytes) -> str:
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = _BASE58[digit] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def ss58(public: bytes, prefix: int = 42) -> str:
    """An address as Substrate shows public keys (`substrate/primitives/core/src/crypto.rs`)."""
    data = bytes([prefix]) + public
    return base58(data + hashlib.blake2b(b"SS58PRE" + data).digest()[:2])


def peer_id(public: bytes) -> str:
    """The libp2p peer id of an ed25519 public key, `12D3KooW…`: the protobuf key in an identity multihash."""
    protobuf = b"\x08\x01\x12\x20" + public
    return base58(b"\x00" + bytes([len(protobuf)]) + protobuf)


def node_keys(seed: bytes, *, group: str, ordinal: int, types: dict[str, tuple[str, Scheme]]) -> dict[str, KeyPair]:
    """A node's session keys by name."""
    return {name: derive(seed, f"//{group}//{ordinal}//{short}", scheme) for name, (short, scheme) in types.items()}


def network_key(seed: bytes, *, group: str, ordinal: int) -> KeyPair:
    """The key of a node's peer id."""
    return derive(seed, f"//{group}//{ordinal}//node", "ed25519")


def embedded_network_key(seed: bytes, *, group: str, ordinal: int) -> KeyPair:
    """The key of the peer id of the relay node inside a parachain's node."""
    return derive(seed, f"//{group}//{ordinal}//relay-node", "ed25519")


def stash(seed: bytes, *, group: str, ordinal: int, scheme: Scheme = "sr25519") -> KeyPair:
    """The key of a validator's or collator's account."""
    return derive(seed, f"//{group}//{ordinal}//stash", scheme)


def sudo(seed: bytes, scheme: Scheme = "sr25519") -> KeyPair:
    """The key of the account that may act as root on every chain of the network."""
    return derive(seed, "//sudo", scheme)
