"""What real nodes have said, and a node that says it again."""

import functools
import json
from pathlib import Path

import zstandard

from orchestrator.chain import storage_keys as keys
from orchestrator.chain.metadata import Metadata
from orchestrator.chain.rpc import Refusal
from orchestrator.genesis.header import blake2_256

FOLDER = Path(__file__).parent / "recorded"
EVENTS = {name: bytes.fromhex(text) for name, text in json.loads((FOLDER / "events.json").read_text()).items()}


def metadata(name):
    """`westend-1025002` or `penpal-1`."""
    return zstandard.ZstdDecompressor().decompress((FOLDER / f"{name}.metadata.zst").read_bytes())


decoded = functools.cache(Metadata)
"""Decoding takes a second or two, which one test after another need not spend again."""


def block_hash(number):
    return "0x" + blake2_256(str(number).encode()).hex()


class RecordedNode:
    """A node with a chain of empty blocks, whose storage the test fills; each block may have a runtime of its own."""

    node = "recorded"

    def __init__(self, raw, *, spec_name="westend", spec_version=1025002, blocks=3):
        self.storage = [{} for _ in range(blocks)]
        self.runtimes = [(raw, spec_name, spec_version)] * blocks
        self.methods = ["author_submitExtrinsic", "state_getMetadata"]
        self.sent = []
        self.pool = []
        self.nonce = 0
        self.calls = []

    def call(self, method, *params):
        self.calls.append(method)
        return getattr(self, method)(*params)

    def _number(self, at=None):
        for number in range(len(self.storage)):
            if at is None or block_hash(number) == at:
                return number if at else len(self.storage) - 1
        raise Refusal("unknown block", 4003)

    def rpc_methods(self):
        return {"methods": self.methods}

    def system_name(self):
        return "Recorded"

    def chain_getBlockHash(self, number):  # noqa: N802
        return block_hash(number) if number < len(self.storage) else None

    def chain_getHeader(self, at=None):  # noqa: N802
        number = self._number(at)
        return {"number": hex(number), "parentHash": block_hash(number - 1) if number else "0x" + "00" * 32}

    def state_getRuntimeVersion(self, at=None):  # noqa: N802
        _, name, version = self.runtimes[self._number(at)]
        return {"specName": name, "specVersion": version, "transactionVersion": 27}

    def state_getMetadata(self, at=None):  # noqa: N802
        return "0x" + self.runtimes[self._number(at)][0].hex()

    def state_getStorage(self, key, at=None):  # noqa: N802
        found = self.storage[self._number(at)].get(bytes.fromhex(key[2:]))
        return None if found is None else "0x" + found.hex()

    def state_getStorageHash(self, key, at=None):  # noqa: N802
        found = self.storage[self._number(at)].get(bytes.fromhex(key[2:]))
        return None if found is None else "0x" + blake2_256(found).hex()

    def state_getKeysPaged(self, prefix, count, after, at):  # noqa: N802
        found = sorted("0x" + key.hex() for key in self.storage[self._number(at)])
        return [key for key in found if key.startswith(prefix) and key > (after or "")][:count]

    def system_accountNextIndex(self, account):  # noqa: N802
        assert account.startswith("5"), "real nodes take addresses and no hex"
        return self.nonce

    def author_pendingExtrinsics(self):  # noqa: N802
        return ["0x" + raw.hex() for raw in self.pool]

    def author_submitExtrinsic(self, extrinsic):  # noqa: N802
        self.sent.append(bytes.fromhex(extrinsic[2:]))
        return "0x" + blake2_256(self.sent[-1]).hex()

    def with_events(self, number, name):
        self.storage[number][keys.EVENTS] = EVENTS[name]
        return block_hash(number)
