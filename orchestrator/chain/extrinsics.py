"""Builds transactions of real Substrate chains, as bytes. Pure. Called by `substrate`.

They have version 4 of the format, which nodes of 2026 accept besides 5 (`substrate/primitives/runtime/src/generic`).
The call is already encoded, by `Metadata.call`. The extensions are encoded in the runtime's order, because their data
have no names.
"""

from collections.abc import Callable
from dataclasses import dataclass

from orchestrator.chain.metadata import Metadata
from orchestrator.chain.port import RuntimeVersion
from orchestrator.errors import Refused
from orchestrator.genesis.header import blake2_256
from orchestrator.genesis.keys import KeyPair, sign
from orchestrator.scale import compact, vector

_UNSIGNED, _SIGNED = b"\x04", b"\x84"
_IMMORTAL = b"\x00"
_NO_TIP = b"\x00"
_NOTHING = b"\x00"
"""The encoding of `None`, and of mode `Disabled` of `CheckMetadataHash`."""
_LONGEST_SIGNED_AS_IT_IS = 256


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a signature is valid for: one chain, one runtime version and one nonce. It never expires."""

    genesis: bytes
    version: RuntimeVersion
    nonce: int


_EXTRA: dict[str, Callable[[Circumstances], bytes]] = {
    "CheckMortality": lambda _: _IMMORTAL,
    "CheckEra": lambda _: _IMMORTAL,
    "CheckNonce": lambda c: compact(c.nonce),
    "ChargeTransactionPayment": lambda _: _NO_TIP,
    "ChargeAssetTxPayment": lambda _: _NO_TIP + _NOTHING,
    "CheckMetadataHash": lambda _: _NOTHING,
}
"""What each extension adds to a transaction."""

_ADDITIONAL: dict[str, Callable[[Circumstances], bytes]] = {
    "CheckSpecVersion": lambda c: c.version.spec_version.to_bytes(4, "little"),
    "CheckTxVersion": lambda c: c.version.transaction_version.to_bytes(4, "little"),
    "CheckGenesis": lambda c: c.genesis,
    "CheckMortality": lambda c: c.genesis,  # For an immortal transaction it is the genesis hash.
    "CheckEra": lambda c: c.genesis,
    "CheckMetadataHash": lambda _: _NOTHING,
}
"""What each extension adds to the signed data but not to the transaction."""


def unsigned(call: bytes) -> bytes:
    return vector(_UNSIGNED + call)


def signed(metadata: Metadata, call: bytes, signer: KeyPair, at: Circumstances) -> bytes:
    """A transaction signed with an sr25519 key.

    Raises:
        Refused: the runtime's transactions need data that coalmine does not know.
    """
    check(metadata)
    extra = b"".join(_EXTRA[one.name](at) for one in metadata.extensions if one.name in _EXTRA)
    additional = b"".join(_ADDITIONAL[one.name](at) for one in metadata.extensions if one.name in _ADDITIONAL)
    payload = call + extra + additional
    if len(payload) > _LONGEST_SIGNED_AS_IT_IS:
        payload = blake2_256(payload)
    address = metadata.encode("Address", "0x" + signer.public.hex())
    signature = metadata.encode("ExtrinsicSignature", {"Sr25519": "0x" + sign(signer, payload).hex()})
    return vector(_SIGNED + address + signature + extra + call)


def check(metadata: Metadata) -> None:
    """Returns if coalmine can build this runtime's transactions.

    Raises:
        Refused: it cannot. Names every extension whose data coalmine does not know.
    """
    if metadata.extrinsic_version not in {4, 5}:
        raise Refused(f"the runtime's transactions have version {metadata.extrinsic_version}; coalmine writes 4")
    unknown = [
        one.name
        for one in metadata.extensions
        if (one.name not in _EXTRA and not metadata.is_empty(one.extra))
        or (one.name not in _ADDITIONAL and not metadata.is_empty(one.additional))
    ]
    if unknown:
        raise Refused(f"the runtime's transactions carry data that coalmine does not know: {', '.join(unknown)}")
