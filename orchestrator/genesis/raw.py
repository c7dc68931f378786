"""Raw chain specs: the genesis storage in the form that clients read, and its genesis block.

Called by `wasm` for storage that it has built, and by `chainspec` for spec files that a user supplies.
"""

import json
from pathlib import Path
from typing import Any

from orchestrator.errors import GenesisError
from orchestrator.genesis import fork, refusals
from orchestrator.genesis.header import EMPTY_TRIE_ROOT, Header
from orchestrator.genesis.plan import ChainGenesis, ChainPlan, hexadecimal
from orchestrator.runtime import blob
from orchestrator.runtime.genesis_builder import CODE
from orchestrator.runtime.storage import Storage


def document(storage: Storage) -> dict[str, Any]:
    """The value of `genesis.raw` in a spec."""
    children = {hexadecimal(child): _pairs(values) for child, values in sorted(storage.children.items())}
    return {"raw": {"top": _pairs(storage.top), "childrenDefault": children}}


def storage_of(spec: dict[str, Any], file: str) -> Storage:
    """The storage of a raw spec.

    Raises:
        GenesisError: the spec is not raw, or not valid.
    """
    try:
        raw = spec["genesis"]["raw"]
        top, children = raw["top"], raw.get("childrenDefault") or {}
        return Storage(_values(top), {_bytes(child): _values(values) for child, values in children.items()})
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        hint = "`polkadot export-chain-spec --raw` or `chain-spec-builder convert-to-raw` make one from a plain spec"
        raise GenesisError(f"{file} is not a raw chain spec: {error!r}", hint=hint) from error


def genesis_header(storage: Storage) -> Header:
    """The header of block 0. The runtime in the storage says which state version to use.

    Raises:
        RuntimeBlobError: the storage contains no runtime.
    """
    root = storage.root(_state_version(storage.top.get(CODE, b"")))
    return Header(parent_hash=bytes(32), number=0, state_root=root, extrinsics_root=EMPTY_TRIE_ROOT)


def _state_version(code: bytes) -> int:
    """The state version of a runtime. Old code without a version section, as in Kusama's genesis, has version 0."""
    if code.startswith(b"\0asm") and b"runtime_version" not in code:
        return 0
    return min(blob.read(code).version.system_version, 1)


def from_file(plan: ChainPlan, file: str) -> ChainGenesis:
    """The genesis of a raw spec that a user supplies. Only overridden storage and a given fork id are changed.

    Raises:
        GenesisError: the file is not a raw chain spec.
        Refused: the spec leads to public nodes.
    """
    spec = read(file)
    refusals.public_bootnodes(plan.name, spec.get("bootNodes") or [])
    storage = storage_of(spec, file)
    return finished(plan, overridden(storage, plan), fork.renamed(plan, spec))


def read(file: str) -> dict[str, Any]:
    """The JSON of a chain spec.

    Raises:
        GenesisError: the file is not a chain spec.
    """
    try:
        spec = json.loads(Path(file).read_bytes())
    except (OSError, ValueError) as error:
        raise GenesisError(f"{file} cannot be read as a chain spec: {error}") from error
    if not isinstance(spec, dict):
        raise GenesisError(f"{file} is not a chain spec: it contains no JSON object")
    return spec


def overridden(storage: Storage, plan: ChainPlan) -> Storage:
    """Sets and removes the keys that the user names. Changes the storage in place and returns it."""
    for key, value in plan.chain.raw_override.items():
        storage.set(_bytes(key), None if value is None else _bytes(value))
    return storage


def finished(plan: ChainPlan, storage: Storage, outer: dict[str, Any]) -> ChainGenesis:
    block = genesis_header(storage)
    spec = {**outer, "genesis": document(storage)}
    return ChainGenesis(
        name=plan.name,
        para_id=plan.para_id,
        spec=json.dumps(spec, sort_keys=True, separators=(",", ":")).encode(),
        genesis_hash=hexadecimal(block.hash),
        raw=True,
        head=block.encode(),
        code=storage.top[CODE],
    )


def _pairs(values: Any) -> dict[str, str]:
    return {hexadecimal(key): hexadecimal(values[key]) for key in sorted(values)}


def _values(pairs: dict[str, str]) -> dict[bytes, bytes]:
    return {_bytes(key): _bytes(value) for key, value in pairs.items()}


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
