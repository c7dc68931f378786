"""Real Substrate chains: what their metadata is needed for. Called by the controller, gates and readiness.

`SubstrateRuntime` decodes events and storage values; `SubstrateUpgrader` sends what an upgrade needs. Both are made for
a node by `clients`, which knows simnode from a real one.
"""

from typing import Any

from orchestrator.chain import extrinsics, runtimes, storage_keys
from orchestrator.chain.extrinsics import Circumstances
from orchestrator.chain.metadata import Encoded, Metadata
from orchestrator.chain.port import Event, RuntimeVersion
from orchestrator.chain.reader import SubstrateReader
from orchestrator.chain.rpc import Rpc
from orchestrator.genesis.header import blake2_256
from orchestrator.genesis.keys import KeyPair, ss58
from orchestrator.scale import vector


class SubstrateRuntime:
    """Reads by metadata. Every method raises ChainError."""

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


class SubstrateUpgrader(SubstrateRuntime):
    """Signs as the sudo account what needs root, and sends as nobody what anybody may."""

    def __init__(self, rpc: Rpc, sudo: KeyPair) -> None:
        super().__init__(rpc)
        self._rpc = rpc
        self._sudo = sudo

    def authorize(self, code_hash: bytes) -> str:
        """One that waits in the pool is not sent again: carried out after the upgrade, it would stay for ever."""
        return self.as_root("System", "authorize_upgrade", code_hash="0x" + code_hash.hex())

    def apply(self, code: bytes) -> str:
        metadata, _ = self._composing()
        return self._submit(extrinsics.unsigned(metadata.call("System", "apply_authorized_upgrade", code=_bytes(code))))

    def as_root(self, pallet: str, name: str, /, **arguments: Any) -> str:
        """`sudo(pallet.name(…))`; the transaction's hash, or that of the same call where it waits in the pool already.

        What became of the inner call, only `Sudo.Sudid` says.
        """
        metadata, version = self._composing()
        call = metadata.call("Sudo", "sudo", call=Encoded(metadata.call(pallet, name, **arguments)))
        if waiting := self._waiting(call):
            return waiting
        nonce = int(self._rpc.call("system_accountNextIndex", ss58(self._sudo.public)))
        at = Circumstances(bytes.fromhex(self._reader.genesis_hash()[2:]), version, nonce)
        return self._submit(extrinsics.signed(metadata, call, self._sudo, at))

    def _waiting(self, call: bytes) -> str | None:
        """The transaction in the node's pool that makes this call, which is its end."""
        pool = (bytes.fromhex(one[2:]) for one in self._rpc.call("author_pendingExtrinsics"))
        return next(("0x" + blake2_256(one).hex() for one in pool if one.endswith(call)), None)

    def _composing(self) -> tuple[Metadata, RuntimeVersion]:
        return runtimes.composing(self._reader, self._reader.best().hash)

    def _submit(self, extrinsic: bytes) -> str:
        return str(self._rpc.call("author_submitExtrinsic", "0x" + extrinsic.hex()))


def _bytes(code: bytes) -> Encoded:
    """A `Vec<u8>` of millions, past the library, which would copy it some ten times."""
    return Encoded(vector(code))
