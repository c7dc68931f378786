"""Reads and upgrades of real Substrate chains that need their metadata. Called by the controller, gates and readiness.

`SubstrateRuntime` decodes events and storage values. `SubstrateUpgrader` sends an upgrade's transactions. `clients`
creates them, after it has found out whether a node is simnode or real.
"""

from typing import Any

from orchestrator.chain import extrinsics, runtimes, storage_keys
from orchestrator.chain.extrinsics import Circumstances
from orchestrator.chain.metadata import Encoded, Metadata
from orchestrator.chain.port import Event, RuntimeVersion
from orchestrator.chain.reader import SubstrateReader
from orchestrator.chain.rpc import Rpc
from orchestrator.chain.vocabulary import Vocabulary
from orchestrator.genesis.header import blake2_256
from orchestrator.genesis.keys import KeyPair, ss58
from orchestrator.scale import vector


class SubstrateRuntime:
    """Reads with metadata. Every method raises ChainError."""

    def __init__(self, rpc: Rpc) -> None:
        self._reader = SubstrateReader(rpc)

    def events(self, at: str) -> tuple[Event, ...]:
        raw = self._reader.storage(storage_keys.EVENTS, at)
        return runtimes.reading(self._reader, at).events(raw)

    def value(self, pallet: str, item: str, *keys: Any, at: str) -> Any:
        metadata = runtimes.reading(self._reader, at)
        raw = self._reader.storage(metadata.storage_key(pallet, item, *keys), at)
        return metadata.storage_value(pallet, item, raw)

    def values(self, pallet: str, item: str, *keys: Any, at: str) -> tuple[Any, ...]:
        metadata = runtimes.reading(self._reader, at)
        found = self._reader.keys_below(metadata.storage_key(pallet, item, *keys), at)
        return tuple(metadata.storage_value(pallet, item, self._reader.storage(key, at)) for key in found)

    def vocabulary(self) -> Vocabulary:
        metadata, _ = runtimes.composing(self._reader, self._reader.best().hash)
        return metadata.vocabulary()


class SubstrateUpgrader(SubstrateRuntime):
    """Signs root calls with the sudo account. Sends calls that anybody may make unsigned."""

    def __init__(self, rpc: Rpc, sudo: KeyPair) -> None:
        super().__init__(rpc)
        self._rpc = rpc
        self._sudo = sudo

    def authorize(self, code_hash: bytes) -> str:
        """Does not send the call again if it waits in the pool: executed after the upgrade, it would stay for ever."""
        return self.as_root("System", "authorize_upgrade", code_hash="0x" + code_hash.hex())

    def apply(self, code: bytes) -> str:
        metadata, _ = self._composing()
        return self._submit(extrinsics.unsigned(metadata.call("System", "apply_authorized_upgrade", code=_bytes(code))))

    def as_root(self, pallet: str, name: str, /, **arguments: Any) -> str:
        """Sends `sudo(pallet.name(…))`. Returns the transaction's hash, or that of the same call in the pool.

        Only the event `Sudo.Sudid` has the result of the inner call.
        """
        metadata, version = self._composing()
        call = metadata.call("Sudo", "sudo", call=Encoded(metadata.call(pallet, name, **arguments)))
        if waiting := self._waiting(call):
            return waiting
        nonce = int(self._rpc.call("system_accountNextIndex", ss58(self._sudo.public)))
        at = Circumstances(bytes.fromhex(self._reader.genesis_hash()[2:]), version, nonce)
        return self._submit(extrinsics.signed(metadata, call, self._sudo, at))

    def _waiting(self, call: bytes) -> str | None:
        """The hash of the transaction in the node's pool that ends with this call. None if there is none."""
        pool = (bytes.fromhex(one[2:]) for one in self._rpc.call("author_pendingExtrinsics"))
        return next(("0x" + blake2_256(one).hex() for one in pool if one.endswith(call)), None)

    def _composing(self) -> tuple[Metadata, RuntimeVersion]:
        return runtimes.composing(self._reader, self._reader.best().hash)

    def _submit(self, extrinsic: bytes) -> str:
        return str(self._rpc.call("author_submitExtrinsic", "0x" + extrinsic.hex()))


def _bytes(code: bytes) -> Encoded:
    """A `Vec<u8>` of megabytes. It is encoded here, because the library would copy it about ten times."""
    return Encoded(vector(code))
