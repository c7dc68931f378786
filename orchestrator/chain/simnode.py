"""Upgrades on simnode's `model` state transition, whose transactions are canonical JSON. Called by the controller."""

import json
from typing import Any

from orchestrator.chain.port import Event
from orchestrator.chain.rpc import Rpc
from orchestrator.genesis.header import blake2_256
from orchestrator.genesis.keys import KeyPair, sign


class SimnodeUpgrader:
    """Sends authorise (as the sudo account) and apply (as nobody)."""

    def __init__(self, rpc: Rpc, sudo: KeyPair) -> None:
        self._rpc = rpc
        self._sudo = sudo

    def authorize(self, code_hash: bytes) -> str:
        inner = _call("System", "authorize_upgrade", code_hash="0x" + code_hash.hex())
        return self._submit(self._signed(_call("Sudo", "sudo", call=inner)))

    def apply(self, code: bytes) -> str:
        return self._submit({"call": _call("System", "apply_authorized_upgrade", code="0x" + code.hex())})

    def events(self, at: str) -> tuple[Event, ...]:
        found = self._rpc.call("coalmine_events", at) or ()
        return tuple(Event(item["pallet"], item["event"], item.get("data") or {}) for item in found)

    def _signed(self, call: dict[str, Any]) -> dict[str, Any]:
        signer = "0x" + self._sudo.public.hex()
        nonce = int(self._rpc.call("system_accountNextIndex", signer))
        genesis = self._rpc.call("chain_getBlockHash", 0)
        payload = blake2_256(canonical({"call": call, "genesis": genesis, "nonce": nonce}))
        return {"call": call, "nonce": nonce, "signer": signer, "signature": "0x" + sign(self._sudo, payload).hex()}

    def _submit(self, extrinsic: dict[str, Any]) -> str:
        return str(self._rpc.call("author_submitExtrinsic", "0x" + canonical(extrinsic).hex()))


def canonical(document: dict[str, Any]) -> bytes:
    """The one spelling of a JSON document, so that both sides sign and hash the same bytes."""
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def _call(pallet: str, name: str, /, **arguments: Any) -> dict[str, Any]:
    return {"pallet": pallet, "call": name, "args": arguments}
