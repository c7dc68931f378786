"""The model's extrinsics: canonical JSON in hex, unsigned, or signed with sr25519 over call, genesis hash and nonce."""

import functools
import json
from dataclasses import dataclass
from typing import Any

from orchestrator.genesis.header import blake2_256
from orchestrator.genesis.keys import verify
from simnode.state.port import InvalidTransaction

Call = dict[str, Any]
"""`{"pallet": …, "call": …, "args": {…}}`."""

BAD_FORMAT = "Transaction has a bad format"
BAD_SIGNATURE = "Transaction has a bad signature"


@dataclass(frozen=True, slots=True)
class Extrinsic:
    call: Call
    signer: bytes | None
    nonce: int
    signature: bytes


def canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def compose(call: Call) -> str:
    """An unsigned extrinsic or an inherent."""
    return "0x" + canonical({"call": call}).hex()


def payload(call: Call, *, genesis: str, nonce: int) -> bytes:
    """The bytes that are signed."""
    return blake2_256(canonical({"call": call, "genesis": genesis, "nonce": nonce}))


@functools.lru_cache(maxsize=256)
def parse(extrinsic: str) -> Extrinsic:
    """Reads an extrinsic.

    Raises:
        InvalidTransaction: it is not an extrinsic.
    """
    try:
        data = json.loads(bytes.fromhex(extrinsic.removeprefix("0x")))
        call = data["call"]
        if not (isinstance(call["pallet"], str) and isinstance(call["call"], str) and isinstance(call["args"], dict)):
            raise InvalidTransaction(BAD_FORMAT)
        if "signer" not in data:
            return Extrinsic(call, None, 0, b"")
        signer, signature = bytes.fromhex(data["signer"][2:]), bytes.fromhex(data["signature"][2:])
        return Extrinsic(call, signer, int(data["nonce"]), signature)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidTransaction(BAD_FORMAT) from error


@functools.lru_cache(maxsize=256)
def check_signature(extrinsic: str, genesis: str) -> bool:
    parsed = parse(extrinsic)
    assert parsed.signer is not None
    return verify(parsed.signer, payload(parsed.call, genesis=genesis, nonce=parsed.nonce), parsed.signature)
