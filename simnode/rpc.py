"""JSON-RPC with the names and shapes of a Substrate node, plus what a real node tells in its metadata.

`coalmine_events` has a block's events, decoded. `coalmine_names` has the names that the runtime has.
"""

import json
from collections.abc import Callable
from typing import Any

from orchestrator.genesis.keys import ss58
from simnode import VERSION
from simnode.chainspec import KEY_TYPES, SESSION_KEYS, Spec
from simnode.core.chain import ChainNode
from simnode.core.messages import PRECOMMIT, PREVOTE, Block, Hash, blake2
from simnode.core.relay import RelayNode
from simnode.core.rounds import Round
from simnode.http import Request, Response
from simnode.state.port import InvalidTransaction, State
from simnode.transport import Network

UNSAFE = frozenset({"system_peers", "author_hasKey", "author_hasSessionKeys", "system_addReservedPeer"})
_METHOD_NOT_FOUND, _INVALID_PARAMS, _INVALID_REQUEST, _PARSE_ERROR = -32601, -32602, -32600, -32700


class RpcError(Exception):
    """An error that a method returns."""

    def __init__(self, code: int, message: str, data: str | None = None) -> None:
        super().__init__(message)
        self.body = {"code": code, "message": message} | ({"data": data} if data is not None else {})


class Rpc:
    """The RPC methods of one chain's node."""

    def __init__(
        self, node: ChainNode, network: Network, spec: Spec, *, keys: frozenset[str], changed: Callable[[], None]
    ) -> None:
        self._node = node
        self._network = network
        self._spec = spec
        self._keys = keys
        self._changed = changed
        self.methods: dict[str, Callable[..., Any]] = {
            "author_hasKey": self._has_key,
            "author_hasSessionKeys": self._has_session_keys,
            "author_pendingExtrinsics": self._node.pool.candidates,
            "author_submitExtrinsic": self._submit,
            "chain_getBlock": self._block,
            "chain_getBlockHash": self._block_hash,
            "chain_getFinalizedHead": lambda: self._node.tree.finalized,
            "chain_getHead": self._block_hash,
            "chain_getHeader": self._header,
            "chain_getFinalisedHead": lambda: self._node.tree.finalized,
            "coalmine_events": self._events,
            "coalmine_names": self._names,
            "rpc_methods": lambda: {"methods": sorted(self.methods)},
            "state_getKeysPaged": self._keys_paged,
            "state_getRuntimeVersion": self._version,
            "state_getStorage": self._storage,
            "state_getStorageAt": self._storage,
            "state_getStorageHash": self._storage_hash,
            "system_accountNextIndex": self._next_index,
            "system_chain": lambda: self._spec.name,
            "system_chainType": lambda: self._spec.data.get("chainType", "Local"),
            "system_health": self.health,
            "system_localPeerId": lambda: self._network.identity.peer,
            "system_localListenAddresses": lambda: [str(self._network.identity.address)],
            "system_name": lambda: "simnode",
            "system_nodeRoles": lambda: [self._network.identity.info.role],
            "system_peers": self._peers,
            "system_properties": lambda: self._spec.data.get("properties") or {},
            "system_syncState": self._sync_state,
            "system_version": lambda: VERSION,
        }
        if isinstance(node, RelayNode):
            self.methods["grandpa_roundState"] = lambda: self._round_state(node)

    def handle(self, request: Request) -> Response:
        """Answers one HTTP request: a call, a batch of calls, or a probe."""
        if request.method == "GET":
            return self._probe(request.path)
        try:
            calls = json.loads(request.body)
        except ValueError:
            return _response({"jsonrpc": "2.0", "id": None, "error": {"code": _PARSE_ERROR, "message": "Parse error"}})
        if isinstance(calls, list):
            return _response([self._call(call, local=request.local) for call in calls])
        return _response(self._call(calls, local=request.local))

    def health(self) -> dict[str, Any]:
        return {
            "peers": len(self._node.peers),
            "isSyncing": self._node.major_syncing(),
            "shouldHavePeers": bool(self._network.known),
        }

    def _probe(self, path: str) -> Response:
        health = self.health()
        if path == "/health":
            return _response(health)
        if path == "/health/readiness":
            ready = not health["shouldHavePeers"] or (health["peers"] > 0 and not health["isSyncing"])
            return Response(200 if ready else 500, json.dumps(health).encode())
        return Response(405, b"Used HTTP Method is not allowed. POST is required\n", "text/plain")

    def _call(self, call: Any, *, local: bool) -> dict[str, Any]:
        identity = call.get("id") if isinstance(call, dict) else None
        try:
            result = self._dispatch(call, local=local)
        except RpcError as error:
            return {"jsonrpc": "2.0", "id": identity, "error": error.body}
        return {"jsonrpc": "2.0", "id": identity, "result": result}

    def _dispatch(self, call: Any, *, local: bool) -> Any:
        if not isinstance(call, dict) or not isinstance(call.get("method"), str):
            raise RpcError(_INVALID_REQUEST, "Invalid request")
        name, params = call["method"], call.get("params") or []
        method = self.methods.get(name)
        if method is None:
            raise RpcError(_METHOD_NOT_FOUND, "Method not found")
        if name in UNSAFE and not local:
            raise RpcError(_METHOD_NOT_FOUND, "RPC call is unsafe to be called externally")
        if not isinstance(params, list):
            raise RpcError(_INVALID_PARAMS, "Invalid params", "parameters are expected as a list")
        try:
            return method(*params)
        except (TypeError, ValueError, AttributeError) as error:
            raise RpcError(_INVALID_PARAMS, "Invalid params", str(error)) from error

    # author

    def _submit(self, extrinsic: str) -> Hash:
        try:
            hash_ = self._node.submit(extrinsic)
        except InvalidTransaction as error:
            if str(error) == "Already imported":
                hash_ = blake2(bytes.fromhex(extrinsic.removeprefix("0x")))
                raise RpcError(1013, "Transaction is already imported", hash_) from error
            raise RpcError(1010, "Invalid Transaction", str(error)) from error
        self._changed()
        return hash_

    def _has_key(self, public: str, kind: str) -> bool:
        return kind.encode().hex() + public.removeprefix("0x") in self._keys

    def _has_session_keys(self, joined: str) -> bool:
        raw, at = bytes.fromhex(joined.removeprefix("0x")), 0
        for name in ("aura",) if self._spec.para_id is not None else SESSION_KEYS:
            size = 33 if name == "beefy" else 32
            if KEY_TYPES[name].encode().hex() + raw[at : at + size].hex() not in self._keys:
                return False
            at += size
        return at == len(raw)

    # chain

    def _block_hash(self, number: int | str | None = None) -> Hash | None:
        if number is None:
            return self._node.best
        return self._node.hash_at(int(number, 16) if isinstance(number, str) else number)

    def _header(self, hash_: Hash | None = None) -> dict[str, Any] | None:
        entry = self._node.tree.get(hash_ or self._node.best)
        return None if entry is None else _header(entry.content.block)

    def _block(self, hash_: Hash | None = None) -> dict[str, Any] | None:
        entry = self._node.tree.get(hash_ or self._node.best)
        if entry is None:
            return None
        block = entry.content.block
        return {"block": {"header": _header(block), "extrinsics": list(block.body)}, "justifications": None}

    def _events(self, hash_: Hash | None = None) -> list[Any]:
        self._state(hash_)
        return list(self._node.tree[hash_ or self._node.best].content.events)

    def _names(self) -> dict[str, list[str]]:
        names = self._node.rules.names
        return {"storage": sorted(names.storage), "events": sorted(names.events)}

    # state

    def _state(self, at: Hash | None) -> State:
        hash_ = at or self._node.best
        entry = self._node.tree.get(hash_)
        if entry is None:
            raise RpcError(4003, f"Client error: UnknownBlock: Header was not found in the database: {hash_}")
        if entry.content.state is None:
            raise RpcError(4003, f"Client error: UnknownBlock: State already discarded for {hash_}")
        return entry.content.state

    def _storage(self, key: str, at: Hash | None = None) -> str | None:
        value = self._state(at).get(bytes.fromhex(key.removeprefix("0x")))
        return None if value is None else "0x" + value.hex()

    def _keys_paged(self, prefix: str, count: int, after: str | None = None, at: Hash | None = None) -> list[str]:
        start = prefix.removeprefix("0x")
        keys = sorted(key for key in map(bytes.hex, self._state(at).values) if key.startswith(start))
        return ["0x" + key for key in keys if after is None or key > after.removeprefix("0x")][:count]

    def _storage_hash(self, key: str, at: Hash | None = None) -> Hash | None:
        value = self._state(at).get(bytes.fromhex(key.removeprefix("0x")))
        return None if value is None else blake2(value)

    def _version(self, at: Hash | None = None) -> dict[str, Any]:
        version = self._node.rules.version(self._state(at))
        return {
            "specName": version.spec_name,
            "implName": version.impl_name,
            "authoringVersion": version.authoring_version,
            "specVersion": version.spec_version,
            "implVersion": version.impl_version,
            "apis": [["0x" + name.hex(), number] for name, number in version.apis],
            "transactionVersion": version.transaction_version,
            "systemVersion": version.system_version,
            "stateVersion": version.system_version,
        }

    # system

    def _next_index(self, account: str) -> int:
        """The next nonce to sign with, after the chain's and those that wait in the pool."""
        public = bytes.fromhex(account.removeprefix("0x"))
        nonce = self._node.rules.nonce(self._node.best_state, public)
        return self._node.pool.next_nonce(public, nonce)

    def _peers(self) -> list[dict[str, Any]]:
        return [
            {"peerId": peer, "roles": info.role.upper(), "bestHash": best, "bestNumber": number}
            for peer, info in self._node.peers.items()
            for best, number in [self._node.sync.peers.get(peer, ("", 0))]
        ]

    def _sync_state(self) -> dict[str, int]:
        best = self._node.best_number
        return {"startingBlock": 0, "currentBlock": best, "highestBlock": max(best, self._node.sync.target())}

    # grandpa

    def _round_state(self, node: RelayNode) -> dict[str, Any]:
        grandpa = node.grandpa
        before = grandpa.rounds.get(grandpa.round - 1)
        names = [ss58(bytes.fromhex(keys["grandpa"].removeprefix("0x"))) for keys in self._spec.session]
        background = [before] if before is not None and before.number else []
        return {
            "setId": 0,
            "best": _round(grandpa.rounds[grandpa.round], names),
            "background": [_round(one, names) for one in background],
        }


def _round(one: Round, names: list[str]) -> dict[str, Any]:
    return {
        "round": one.number,
        "totalWeight": one.voters,
        "thresholdWeight": one.needed,
        "prevotes": {"currentWeight": one.seen(PREVOTE), "missing": [names[i] for i in one.missing(PREVOTE)]},
        "precommits": {"currentWeight": one.seen(PRECOMMIT), "missing": [names[i] for i in one.missing(PRECOMMIT)]},
    }


def _header(block: Block) -> dict[str, Any]:
    header = block.header
    return {
        "parentHash": block.parent,
        "number": hex(header.number),
        "stateRoot": "0x" + header.state_root.hex(),
        "extrinsicsRoot": "0x" + header.extrinsics_root.hex(),
        "digest": {"logs": ["0x" + log.hex() for log in header.digest]},
    }


def _response(body: Any) -> Response:
    return Response(200, json.dumps(body, separators=(",", ":")).encode())
