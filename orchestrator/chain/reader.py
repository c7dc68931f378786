"""Reads a chain by methods and plain storage keys that every Substrate node has, so no metadata is needed.

Called by readiness, the chain clock, gates and the controller.
"""

from dataclasses import dataclass
from typing import Any

from orchestrator.chain import storage_keys as keys
from orchestrator.chain.port import Head, RuntimeVersion
from orchestrator.chain.rpc import Rpc
from orchestrator.errors import ChainError
from orchestrator.scale import Reader


@dataclass(frozen=True, slots=True)
class Upgraded:
    """`System.LastRuntimeUpgrade`: what the first block built by a code notes."""

    spec_version: int
    spec_name: str


class SubstrateReader:
    """One node's view of one chain."""

    def __init__(self, rpc: Rpc) -> None:
        self.rpc = rpc

    # Blocks

    def best(self) -> Head:
        return self._head(None)

    def finalized(self) -> Head:
        return self._head(self.rpc.call("chain_getFinalizedHead"))

    def hash_at(self, number: int) -> str | None:
        found = self.rpc.call("chain_getBlockHash", number)
        return str(found) if found else None

    def genesis_hash(self) -> str:
        return str(self.rpc.call("chain_getBlockHash", 0))

    def _head(self, block: str | None) -> Head:
        header = self.rpc.call("chain_getHeader", *([block] if block else []))
        if header is None:
            raise ChainError(f"{self.rpc.node}: does not know block {block}")
        number = int(header["number"], 16)
        if block is None:  # The best block may have moved on between two calls, so its hash is asked for by number.
            block = self.hash_at(number)
        return Head(number, str(block))

    # The node

    def peer_id(self) -> str:
        return str(self.rpc.call("system_localPeerId"))

    def health(self) -> dict[str, Any]:
        """`peers`, `isSyncing`, `shouldHavePeers`."""
        found = self.rpc.call("system_health")
        return dict(found)

    def round_state(self) -> dict[str, Any]:
        """GRANDPA's own account of who is missing (`grandpa_roundState`)."""
        return dict(self.rpc.call("grandpa_roundState"))

    # The runtime

    def runtime_version(self, at: str | None = None) -> RuntimeVersion:
        found = self.rpc.call("state_getRuntimeVersion", *([at] if at else []))
        return RuntimeVersion(found["specName"], int(found["specVersion"]), int(found["transactionVersion"]))

    def code_hash(self, at: str | None = None) -> str | None:
        found = self.rpc.call("state_getStorageHash", "0x" + keys.CODE.hex(), *([at] if at else []))
        return str(found) if found else None

    def last_runtime_upgrade(self, at: str | None = None) -> Upgraded | None:
        raw = self.storage(keys.LAST_RUNTIME_UPGRADE, at)
        if raw is None:
            return None
        reader = Reader(raw)
        return Upgraded(reader.compact(), reader.text())

    def authorized_upgrade(self, at: str | None = None) -> bytes | None:
        """The hash of the code that may be applied."""
        raw = self.storage(keys.AUTHORIZED_UPGRADE, at)
        return raw[:32] if raw else None

    def session(self, at: str | None = None) -> int:
        raw = self.storage(keys.SESSION, at)
        return int.from_bytes(raw or b"", "little")

    # Parachains, on the relay chain

    def current_code_hash(self, para_id: int, at: str | None = None) -> bytes | None:
        return self.storage(keys.of_para("Paras", "CurrentCodeHash", para_id), at)

    def future_code_hash(self, para_id: int, at: str | None = None) -> bytes | None:
        return self.storage(keys.of_para("Paras", "FutureCodeHash", para_id), at)

    def go_ahead(self, para_id: int, at: str | None = None) -> str | None:
        """`Abort`, `GoAhead`, or None while there is no signal."""
        raw = self.storage(keys.of_para("Paras", "UpgradeGoAheadSignal", para_id), at)
        return None if not raw else ("Abort", "GoAhead")[raw[0]]

    def restricted(self, para_id: int, at: str | None = None) -> bool:
        """Whether another upgrade is held back for now."""
        return self.storage(keys.of_para("Paras", "UpgradeRestrictionSignal", para_id), at) is not None

    def para_head(self, para_id: int, at: str | None = None) -> bytes | None:
        """The head data, for Cumulus parachains a SCALE vector of the encoded header."""
        return self.storage(keys.of_para("Paras", "Heads", para_id), at)

    def max_code_size(self, at: str | None = None) -> int | None:
        """The largest code that a parachain may have, None on a chain without parachains."""
        raw = self.storage(keys.ACTIVE_CONFIGURATION, at)
        return int.from_bytes(raw[:4], "little") if raw else None

    # On a parachain

    def pending_validation_code(self, at: str | None = None) -> bool:
        return self.storage(keys.PENDING_VALIDATION_CODE, at) is not None

    def storage(self, key: bytes, at: str | None = None) -> bytes | None:
        found = self.rpc.call("state_getStorage", "0x" + key.hex(), *([at] if at else []))
        return bytes.fromhex(str(found)[2:]) if found else None
