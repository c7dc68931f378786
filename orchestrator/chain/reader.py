"""Reads a chain with RPC methods and plain storage keys that every Substrate node has. It needs no metadata.

Called by readiness, the chain clock, gates and the controller.
"""

from dataclasses import dataclass
from typing import Any

from orchestrator.chain import storage_keys as keys
from orchestrator.chain.port import Head, RuntimeVersion
from orchestrator.chain.rounds import RoundState
from orchestrator.chain.rpc import Rpc
from orchestrator.errors import ChainError
from orchestrator.scale import Reader

_PAGE = 500
"""A node returns at most 1,000 keys at a time."""


@dataclass(frozen=True, slots=True)
class Upgraded:
    """`System.LastRuntimeUpgrade`, which the first block built by a new code sets."""

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

    def header(self, block: str | None = None) -> dict[str, Any]:
        """The header of a block, by default the best one: `number` in hex, `parentHash` and so on."""
        found = self.rpc.call("chain_getHeader", *([block] if block else []))
        if found is None:
            raise ChainError(f"{self.rpc.node}: does not know block {block}")
        return dict(found)

    def _head(self, block: str | None) -> Head:
        number = int(self.header(block)["number"], 16)
        if block is None:  # The best block may change between two calls, so its hash is read by number.
            block = self.hash_at(number)
        return Head(number, str(block))

    # The node

    def peer_id(self) -> str:
        return str(self.rpc.call("system_localPeerId"))

    def health(self) -> dict[str, Any]:
        """`peers`, `isSyncing`, `shouldHavePeers`."""
        found = self.rpc.call("system_health")
        return dict(found)

    def round_state(self) -> RoundState:
        """GRANDPA's own state of its rounds. Only relay chains have it."""
        return RoundState.of(self.rpc.call("grandpa_roundState"))

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

    def migrating(self, at: str | None = None) -> bool:
        """Whether a migration over several blocks is running or stuck. Until it ends, no calls are accepted."""
        return self._is_stored(keys.MIGRATIONS_CURSOR, at)

    def authorized_upgrade(self, at: str | None = None) -> bytes | None:
        """The hash of the authorised code. None if there is none."""
        raw = self.storage(keys.AUTHORIZED_UPGRADE, at)
        return raw[:32] if raw else None

    def session(self, at: str | None = None) -> int:
        raw = self.storage(keys.SESSION, at)
        return int.from_bytes(raw or b"", "little")

    def authors(self, at: str | None = None) -> tuple[bytes, ...]:
        """The authors' public keys: BABE's on a relay chain, Aura's on a parachain, none on other chains."""
        for key, weight in ((keys.BABE_AUTHORITIES, 8), (keys.AURA_AUTHORITIES, 0)):
            if raw := self.storage(key, at):
                found = Reader(raw)
                return tuple(found.take(32 + weight)[:32] for _ in range(found.compact()))
        return ()

    def validators(self, at: str | None = None) -> tuple[bytes, ...]:
        """The stash accounts of the session's validators or collators."""
        raw = self.storage(keys.VALIDATORS, at)
        if raw is None:
            return ()
        found = Reader(raw)
        return tuple(found.take(32) for _ in range(found.compact()))

    def sudo(self, at: str | None = None) -> bytes | None:
        """The account that may act as root. None if the chain has none."""
        return self.storage(keys.SUDO, at)

    # Parachains' code, on the relay chain

    def current_code_hash(self, para_id: int, at: str | None = None) -> bytes | None:
        return self.storage(keys.of_para("Paras", "CurrentCodeHash", para_id), at)

    def future_code_hash(self, para_id: int, at: str | None = None) -> bytes | None:
        return self.storage(keys.of_para("Paras", "FutureCodeHash", para_id), at)

    def go_ahead(self, para_id: int, at: str | None = None) -> str | None:
        """`Abort` or `GoAhead`. None if there is no signal."""
        raw = self.storage(keys.of_para("Paras", "UpgradeGoAheadSignal", para_id), at)
        return None if not raw else ("Abort", "GoAhead")[raw[0]]

    def restricted(self, para_id: int, at: str | None = None) -> bool:
        """Whether the relay chain refuses another upgrade for now."""
        return self.storage(keys.of_para("Paras", "UpgradeRestrictionSignal", para_id), at) is not None

    def para_head(self, para_id: int, at: str | None = None) -> bytes | None:
        """The head data. For Cumulus parachains it is a SCALE vector that contains the encoded header."""
        return self.storage(keys.of_para("Paras", "Heads", para_id), at)

    def max_code_size(self, at: str | None = None) -> int | None:
        """The largest size of a parachain's code, in bytes. None on a chain without parachains."""
        raw = self.storage(keys.ACTIVE_CONFIGURATION, at)
        return int.from_bytes(raw[:4], "little") if raw else None

    # On a parachain

    def pending_validation_code(self, at: str | None = None) -> bool:
        """Whether a new code waits for the relay chain. Reads only its hash, because the code has megabytes."""
        return self._is_stored(keys.PENDING_VALIDATION_CODE, at)

    # Any storage

    def storage(self, key: bytes, at: str | None = None) -> bytes | None:
        """The raw value under a key. None if nothing is stored."""
        found = self.rpc.call("state_getStorage", "0x" + key.hex(), *([at] if at else []))
        return bytes.fromhex(str(found)[2:]) if found is not None else None

    def _is_stored(self, key: bytes, at: str | None) -> bool:
        found = self.rpc.call("state_getStorageHash", "0x" + key.hex(), *([at] if at else []))
        return found is not None

    def keys_below(self, prefix: bytes, at: str) -> tuple[bytes, ...]:
        """All keys that begin with the prefix."""
        found: list[str] = []
        while True:
            page = self.rpc.call("state_getKeysPaged", "0x" + prefix.hex(), _PAGE, found[-1] if found else None, at)
            found += page
            if len(page) < _PAGE:
                break
        return tuple(bytes.fromhex(key[2:]) for key in found)
