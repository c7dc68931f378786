"""Reads and upgrades simnode's `model` runtime, whose transactions are canonical JSON. Called through `clients`."""

import json
from collections.abc import Callable
from typing import Any

from orchestrator.chain import storage_keys
from orchestrator.chain.parachains import LIFECYCLES
from orchestrator.chain.port import Event
from orchestrator.chain.reader import SubstrateReader
from orchestrator.chain.rpc import Rpc
from orchestrator.chain.vocabulary import Vocabulary
from orchestrator.errors import ChainError
from orchestrator.genesis.header import blake2_256
from orchestrator.genesis.keys import KeyPair, sign, ss58
from orchestrator.scale import Reader


class SimnodeRuntime:
    """Reads with the model's few types. A real chain's types are in its metadata."""

    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc

    def events(self, at: str) -> tuple[Event, ...]:
        found = self._rpc.call("coalmine_events", at) or ()
        return tuple(Event(item["pallet"], item["event"], item.get("data") or {}) for item in found)

    def value(self, pallet: str, item: str, *keys: Any, at: str) -> Any:
        decode = _decoder(pallet, item)
        raw = SubstrateReader(self._rpc).storage(_key(pallet, item, keys), at)
        return None if raw is None else decode(raw)

    def values(self, pallet: str, item: str, *keys: Any, at: str) -> tuple[Any, ...]:
        decode, reader = _decoder(pallet, item), SubstrateReader(self._rpc)
        found = (reader.storage(key, at) for key in reader.keys_below(_key(pallet, item, keys), at))
        return tuple(decode(raw) for raw in found if raw is not None)

    def vocabulary(self) -> Vocabulary:
        found = self._rpc.call("coalmine_names")
        return Vocabulary(frozenset(found["storage"]), frozenset(found["events"]), "the simulated runtime")


class SimnodeUpgrader(SimnodeRuntime):
    """Sends `authorize` signed by the sudo account, and `apply` unsigned."""

    def __init__(self, rpc: Rpc, sudo: KeyPair) -> None:
        super().__init__(rpc)
        self._sudo = sudo

    def authorize(self, code_hash: bytes) -> str:
        inner = _call("System", "authorize_upgrade", code_hash="0x" + code_hash.hex())
        return self._submit(self._signed(_call("Sudo", "sudo", call=inner)))

    def apply(self, code: bytes) -> str:
        return self._submit({"call": _call("System", "apply_authorized_upgrade", code="0x" + code.hex())})

    def _signed(self, call: dict[str, Any]) -> dict[str, Any]:
        signer = "0x" + self._sudo.public.hex()
        nonce = int(self._rpc.call("system_accountNextIndex", signer))
        genesis = self._rpc.call("chain_getBlockHash", 0)
        payload = blake2_256(canonical({"call": call, "genesis": genesis, "nonce": nonce}))
        return {"call": call, "nonce": nonce, "signer": signer, "signature": "0x" + sign(self._sudo, payload).hex()}

    def _submit(self, extrinsic: dict[str, Any]) -> str:
        return str(self._rpc.call("author_submitExtrinsic", "0x" + canonical(extrinsic).hex()))


def canonical(document: dict[str, Any]) -> bytes:
    """The canonical bytes of a JSON document, so that both sides sign and hash the same bytes."""
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def _call(pallet: str, name: str, /, **arguments: Any) -> dict[str, Any]:
    return {"pallet": pallet, "call": name, "args": arguments}


def _number(raw: bytes) -> int:
    return int.from_bytes(raw, "little")


def _hex(raw: bytes) -> str:
    return "0x" + raw.hex()


_VALUES: dict[tuple[str, str], Callable[[bytes], Any]] = {
    ("Babe", "CurrentSlot"): _number,
    ("Babe", "EpochIndex"): _number,
    ("Paras", "CurrentCodeHash"): _hex,
    ("Paras", "FutureCodeHash"): _hex,
    ("Paras", "FutureCodeUpgrades"): _number,
    ("Paras", "Heads"): lambda raw: _hex(Reader(raw).vector()),
    ("Paras", "ParaLifecycles"): lambda raw: LIFECYCLES[raw[0]],
    ("ParachainInfo", "ParachainId"): _number,
    ("ParachainSystem", "LastRelayChainBlockNumber"): _number,
    ("Session", "CurrentIndex"): _number,
    ("Sudo", "Key"): ss58,
    ("Timestamp", "Now"): _number,
}
"""What the model stores under the real names and with the real types."""


def _decoder(pallet: str, item: str) -> Callable[[bytes], Any]:
    found = _VALUES.get((pallet, item))
    if found is None:
        known = ", ".join(sorted(f"{one}.{name}" for one, name in _VALUES))
        raise ChainError(f"the model of simnode has no {pallet}.{item}; it has {known}")
    return found


def _key(pallet: str, item: str, keys: tuple[Any, ...]) -> bytes:
    """The key of a value. All maps of the model are over para ids."""
    if not keys:
        return storage_keys.value(pallet, item)
    if len(keys) > 1 or not isinstance(keys[0], int):
        raise ChainError(f"{pallet}.{item} has one key in the model of simnode, a para id")
    return storage_keys.of_para(pallet, item, keys[0])
