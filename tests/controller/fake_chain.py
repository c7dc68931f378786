"""A chain behind JSON-RPC in one object, with as much of System, Sudo and ParachainSystem as an upgrade touches.

It is driven block by block (`author`), keeps the state of each block, and speaks simnode's extrinsics. A node of it is
a `FakeNode`, which may be silent. What a runtime would do is done here again, in few lines, and not taken from simnode.
"""

import copy
import hashlib
import json

from orchestrator.chain import storage_keys as keys
from orchestrator.chain.rpc import Refusal
from orchestrator.errors import ChainError
from orchestrator.genesis.header import blake2_256
from orchestrator.genesis.keys import verify
from orchestrator.runtime import blob
from orchestrator.scale import compact, text


class Panic(Exception):  # noqa: N818  As the runtime calls it.
    """The runtime panicked, so there is no block."""


class FakeChain:
    def __init__(self, code, sudo, *, finality_lag=2):
        version = blob.read(code).version
        genesis = {keys.CODE: code, keys.LAST_RUNTIME_UPGRADE: compact(version.spec_version) + text(version.spec_name)}
        self.sudo = sudo
        self.states = [genesis]
        self.events = [[]]
        self.pool = []
        self.nonce = 0
        self.finality_lag = finality_lag
        self.deaf = False
        self.para_id = None
        self.tag = "a"

    # Blocks

    @property
    def best(self):
        return len(self.states) - 1

    @property
    def finalized(self):
        return max(0, self.best - self.finality_lag)

    def hash(self, number):
        return "0x" + hashlib.blake2b(f"{self.tag}{number}".encode(), digest_size=32).hexdigest()

    def author(self, count=1, **storage):
        """Builds blocks with what is in the pool; `storage` are values that the test puts into the first."""
        for _ in range(count):
            state, events = copy.copy(self.states[-1]), []
            code = blob.read(state[keys.CODE])
            noted = compact(code.version.spec_version) + text(code.version.spec_name)
            if state[keys.LAST_RUNTIME_UPGRADE] != noted:
                if (code.behaviour or {}).get("migration") == "panics":
                    raise Panic
                state[keys.LAST_RUNTIME_UPGRADE] = noted
            for call in self.pool:
                self._dispatch(state, events, call)
            self.pool = []
            state.update(storage.pop("put", {}))
            self.states.append(state)
            self.events.append(events)

    def _dispatch(self, state, events, call):
        name, args = call["call"], call["args"]
        if name == "sudo":
            inner = args["call"]
            if inner["args"].get("code_hash") == "0x" + bytes(32).hex():
                events.append({"pallet": "Sudo", "event": "Sudid", "data": {"sudo_result": {"Err": "BadOrigin"}}})
            else:
                state[keys.AUTHORIZED_UPGRADE] = bytes.fromhex(inner["args"]["code_hash"][2:]) + b"\1"
                events.append({"pallet": "Sudo", "event": "Sudid", "data": {"sudo_result": "Ok"}})
            return
        code = bytes.fromhex(args["code"][2:])
        new, old = blob.read(code).version, blob.read(state[keys.CODE]).version
        state.pop(keys.AUTHORIZED_UPGRADE)
        if new.spec_version <= old.spec_version or new.spec_name != old.spec_name:
            data = {"code_hash": "0x" + blake2_256(code).hex(), "error": "System.SpecVersionNeedsToIncrease"}
            events.append({"pallet": "System", "event": "RejectedInvalidAuthorizedUpgrade", "data": data})
        elif self.para_id is None:
            state[keys.CODE] = code
        else:
            state[keys.PENDING_VALIDATION_CODE] = code

    # RPC

    def call(self, method, params):
        return getattr(self, "_" + method)(*params)

    def _number(self, at):
        if at is None:
            return self.best
        found = [number for number in range(len(self.states)) if self.hash(number) == at]
        if not found:
            raise Refusal("unknown block", -32000)
        return found[0]

    def _chain_getHeader(self, at=None):  # noqa: N802
        return {"number": hex(self._number(at))}

    def _chain_getFinalizedHead(self):  # noqa: N802
        return self.hash(self.finalized)

    def _chain_getBlockHash(self, number):  # noqa: N802
        return self.hash(number) if number <= self.best else None

    def _state_getStorage(self, key, at=None):  # noqa: N802
        value = self.states[self._number(at)].get(bytes.fromhex(key[2:]))
        return None if value is None else "0x" + value.hex()

    def _state_getStorageHash(self, key, at=None):  # noqa: N802
        value = self.states[self._number(at)].get(bytes.fromhex(key[2:]))
        return None if value is None else "0x" + blake2_256(value).hex()

    def _state_getRuntimeVersion(self, at=None):  # noqa: N802
        version = blob.read(self.states[self._number(at)][keys.CODE]).version
        return {
            "specName": version.spec_name,
            "specVersion": version.spec_version,
            "transactionVersion": version.transaction_version,
        }

    def _rpc_methods(self):
        return {"methods": ["coalmine_events", "chain_getHeader"]}

    def _coalmine_events(self, at):
        return self.events[self._number(at)]

    def _system_name(self):
        return "Fake"

    def _system_health(self):
        return {"peers": 3, "isSyncing": False, "shouldHavePeers": True}

    def _system_localPeerId(self):  # noqa: N802
        return "12D3KooWfake"

    def _system_accountNextIndex(self, _):  # noqa: N802
        return self.nonce

    def _author_submitExtrinsic(self, hexed):  # noqa: N802
        raw = bytes.fromhex(hexed[2:])
        extrinsic = json.loads(raw)
        assert raw == json.dumps(extrinsic, sort_keys=True, separators=(",", ":")).encode(), "not canonical"
        call = extrinsic["call"]
        if "signature" in extrinsic:
            payload = {"call": call, "genesis": self.hash(0), "nonce": extrinsic["nonce"]}
            digest = blake2_256(json.dumps(payload, sort_keys=True, separators=(",", ":")).encode())
            public = bytes.fromhex(extrinsic["signer"][2:])
            signature = bytes.fromhex(extrinsic["signature"][2:])
            if public != self.sudo.public or extrinsic["nonce"] != self.nonce or not verify(public, digest, signature):
                raise Refusal("Invalid Transaction", 1010)
            self.nonce += 1
        else:
            authorized = self.states[-1].get(keys.AUTHORIZED_UPGRADE)
            if authorized is None or authorized[:32] != blake2_256(bytes.fromhex(call["args"]["code"][2:])):
                raise Refusal("Invalid Transaction", 1010)
        if not self.deaf:
            self.pool.append(call)
        return "0x" + blake2_256(raw).hex()


class FakeNode:
    """One node's RPC."""

    def __init__(self, name, chain):
        self.node = name
        self.chain = chain
        self.silent = False
        self.calls = []

    def call(self, method, *params):
        self.calls.append(method)
        if self.silent:
            raise ChainError(f"{self.node}: does not answer")
        return self.chain.call(method, params)
