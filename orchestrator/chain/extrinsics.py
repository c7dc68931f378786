"""Transactions of real Substrate chains, as bytes. Pure; called by `substrate`.

Version 4 of the format, which nodes of 2026 take beside 5 (`substrate/primitives/runtime/src/generic`). The call comes
encoded, from `Metadata.call`. The extensions are walked in the order in which the runtime has them, since their data
follow each other without names.
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
"""`None`, and mode `Disabled` of `CheckMetadataHash`."""
_LONGEST_SIGNED_AS_IT_IS = 256


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a signature is good for: one chain, one runtime version, one nonce; for ever, as it is sent at once."""

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
    "CheckMortality": lambda c: c.genesis,  # An immortal transaction is born with the chain.
    "CheckEra": lambda c: c.genesis,
    "CheckMetadataHash": lambda _: _NOTHING,
}
"""What each extension adds to what is signed, and does not send."""


def unsigned(call: bytes) -> bytes:
    return vector(_UNSIGNED + call)


def signed(metadata: Metadata, call: bytes, signer: KeyPair, at: Circumstances) -> bytes:
    """A transaction signed by an sr25519 key.

    Raises:
        Refused: when the runtime wants of a transaction what coalmine does not know.
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
    """Whether all is known of what this runtime's transactions hold.

    Raises:
        Refused: naming every extension whose data coalmine does not know.
    """
    if metadata.extrinsic_version not in {4, 5}:
        raise Refused(f"the runtime's transactions are of version {metadata.extrinsic_version}; coalmine writes 4")
    unknown = [
        one.name
        for one in metadata.extensions
        if (one.name not in _EXTRA and not metadata.is_empty(one.extra))
        or (one.name not in _ADDITIONAL and not metadata.is_empty(one.additional))
    ]
    if unknown:
        raise Refused(f"the runtime's transactions carry data that coalmine does not know: {', '.join(unknown)}")
