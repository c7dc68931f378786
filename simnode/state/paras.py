"""Parachains' heads and code on the relay chain: upgrades from pre-checking to the go-ahead.

It follows `polkadot/runtime/parachains/src/paras/mod.rs`, including the storage keys, so that the same reader works for
real nodes.
"""

import json
from dataclasses import dataclass
from typing import Any

from orchestrator.scale import compact, vector
from simnode.core.messages import Hash, blake2
from simnode.state.model import DispatchError, ModelExecution, root_only
from simnode.state.storage import Overlay, Readable, item, number_of, para_item, u32

ABORT, GO_AHEAD = 0, 1
_IS_PARACHAIN = b"\2"
"""`ParaLifecycle::Parachain`."""
ACTIVE_VOTES = item("Paras", "PvfActiveVoteList")
_VOTES = item("Paras", "PvfActiveVoteMap")
"""The votes, as JSON, because nothing outside reads them."""
SESSION = item("Session", "CurrentIndex")


@dataclass(frozen=True, slots=True)
class HostConfiguration:
    """The part of `configuration.activeConfig` that the model knows. Lengths are in blocks unless named otherwise."""

    validation_upgrade_cooldown: int = 2
    validation_upgrade_delay: int = 2
    minimum_validation_upgrade_delay: int = 5
    pvf_voting_ttl: int = 2
    minimum_backing_votes: int = 2
    max_code_size: int = 5 * 1024 * 1024
    group_rotation_frequency: int = 10
    paras_availability_period: int = 4
    max_validators_per_core: int | None = None
    allowed_ancestry_len: int = 3


def current_code_hash(state: Readable, para_id: int) -> Hash | None:
    return _hash(state.get(para_item("Paras", "CurrentCodeHash", para_id)))


def future_code_hash(state: Readable, para_id: int) -> Hash | None:
    return _hash(state.get(para_item("Paras", "FutureCodeHash", para_id)))


def go_ahead(state: Readable, para_id: int) -> int | None:
    value = state.get(para_item("Paras", "UpgradeGoAheadSignal", para_id))
    return None if value is None else value[0]


def restricted(state: Readable, para_id: int) -> bool:
    return state.get(para_item("Paras", "UpgradeRestrictionSignal", para_id)) is not None


def head(state: Readable, para_id: int) -> str | None:
    """The head data, an encoded header, `0x…`."""
    value = state.get(para_item("Paras", "Heads", para_id))
    if value is None:
        return None
    return "0x" + value[{0: 1, 1: 2, 2: 4}[value[0] & 3] :].hex()


def code_by_hash(state: Readable, code_hash: Hash) -> bytes | None:
    return state.get(item("Paras", "CodeByHash") + bytes.fromhex(code_hash[2:]))


def active_votes(state: Readable) -> list[Hash]:
    """The hashes of code that validators must pre-check."""
    value = state.get(ACTIVE_VOTES)
    return [] if value is None else ["0x" + value[at : at + 32].hex() for at in range(1, len(value), 32)]


def has_voted(state: Readable, code_hash: Hash, validator: int) -> bool:
    vote = _votes(state).get(code_hash)
    return vote is not None and validator in vote["ayes"] + vote["nays"]


def genesis(values: dict[bytes, bytes], para_id: int, *, head: bytes, code: bytes) -> None:
    """Registers a parachain in genesis storage."""
    values[para_item("Paras", "Heads", para_id)] = vector(head)
    values[para_item("Paras", "ParaLifecycles", para_id)] = _IS_PARACHAIN
    values[para_item("Paras", "CurrentCodeHash", para_id)] = bytes.fromhex(blake2(code)[2:])
    values[item("Paras", "CodeByHash") + bytes.fromhex(blake2(code)[2:])] = code


def schedule_upgrade(execution: ModelExecution, para_id: int, code: bytes, *, config: HostConfiguration) -> None:
    """Begins pre-checking, when a candidate with new code was included (`schedule_code_upgrade`)."""
    storage, now, code_hash = execution.storage, execution.context.number, blake2(code)
    if future_code_hash(storage, para_id) is not None:
        return
    if code_hash == current_code_hash(storage, para_id):
        _signal(execution, para_id, ABORT)
        return
    storage.put(para_item("Paras", "FutureCodeHash", para_id), bytes.fromhex(code_hash[2:]))
    storage.put(para_item("Paras", "UpgradeRestrictionSignal", para_id), b"\0")
    storage.put(_cooldown(para_id), u32(now + config.validation_upgrade_cooldown))
    votes = _votes(storage)
    if code_by_hash(storage, code_hash) is not None and code_hash not in votes:
        _enact_accepted(execution, [para_id], now, config=config)
        return
    storage.put(item("Paras", "CodeByHash") + bytes.fromhex(code_hash[2:]), code)
    votes.setdefault(code_hash, {"age": 0, "since": now, "ayes": [], "nays": [], "causes": []})
    votes[code_hash]["causes"].append([para_id, now])
    _put_votes(storage, votes)
    execution.deposit("Paras", "PvfCheckStarted", code_hash=code_hash, para_id=para_id)


def vote(execution: ModelExecution, args: dict[str, Any], *, validators: int, config: HostConfiguration) -> None:
    """Records a validator's vote on code (`include_pvf_check_statement`)."""
    statement = args["stmt"]
    votes = _votes(execution.storage)
    check_vote(execution.storage, statement, validators=validators)
    entry = votes[statement["subject"]]
    entry["ayes" if statement["accept"] else "nays"].append(statement["validator_index"])
    _put_votes(execution.storage, votes)
    accept = validators - (validators - 1) // 3
    if len(entry["ayes"]) >= accept:
        _conclude(execution, statement["subject"], accepted=True, config=config)
    elif len(entry["nays"]) > validators - accept:
        _conclude(execution, statement["subject"], accepted=False, config=config)


def check_vote(state: Readable, statement: dict[str, Any], *, validators: int) -> None:
    """Returns if a vote may be counted.

    Raises:
        DispatchError: it may not. The text is the pallet's error.
    """
    entry = _votes(state).get(statement["subject"])
    if not 0 <= statement["validator_index"] < validators:
        raise DispatchError("Paras.PvfCheckValidatorIndexOutOfBounds")
    if statement["session_index"] != number_of(state.get(SESSION)):
        raise DispatchError("Paras.PvfCheckStatementStale")
    if entry is None:
        raise DispatchError("Paras.PvfCheckSubjectInvalid")
    if statement["validator_index"] in entry["ayes"] + entry["nays"]:
        raise DispatchError("Paras.PvfCheckDoubleVote")


def on_session(execution: ModelExecution, *, config: HostConfiguration) -> None:
    """Rejects code whose vote has reached no supermajority after some sessions."""
    votes = _votes(execution.storage)
    for entry in votes.values():
        entry["age"] += 1
    _put_votes(execution.storage, votes)
    for code_hash in [code_hash for code_hash, entry in votes.items() if entry["age"] > config.pvf_voting_ttl]:
        _conclude(execution, code_hash, accepted=False, config=config)


def on_initialize(execution: ModelExecution, parachains: list[int]) -> None:
    """Gives the go-ahead at its block, and ends cooldowns (`process_scheduled_upgrade_changes`)."""
    storage, now = execution.storage, execution.context.number
    for para_id in parachains:
        expected = storage.get(_expected(para_id))
        if expected is not None and number_of(expected) <= now and go_ahead(storage, para_id) is None:
            _signal(execution, para_id, GO_AHEAD)
        cooldown = storage.get(_cooldown(para_id))
        if cooldown is not None and number_of(cooldown) <= now:
            storage.delete(_cooldown(para_id))
            storage.delete(para_item("Paras", "UpgradeRestrictionSignal", para_id))


def note_head(execution: ModelExecution, para_id: int, head_data: str, *, relay_parent: int) -> None:
    """Sets the head of an included candidate, and its code if it was built after the go-ahead.

    An abort is kept while candidates from before it are included. Otherwise a parachain with blocks that are not
    included yet would never see it.
    """
    storage = execution.storage
    storage.put(para_item("Paras", "Heads", para_id), vector(bytes.fromhex(head_data[2:])))
    expected = storage.get(_expected(para_id))
    if expected is None:
        if number_of(storage.get(_signalled(para_id))) <= relay_parent:
            storage.delete(para_item("Paras", "UpgradeGoAheadSignal", para_id))
            storage.delete(_signalled(para_id))
    elif number_of(expected) <= relay_parent:
        future = storage.get(para_item("Paras", "FutureCodeHash", para_id))
        assert future is not None
        for key in (_expected(para_id), _signalled(para_id)):
            storage.delete(key)
        for name in ("UpgradeGoAheadSignal", "FutureCodeHash"):
            storage.delete(para_item("Paras", name, para_id))
        storage.put(para_item("Paras", "CurrentCodeHash", para_id), future)


def force_set_current_code(execution: ModelExecution, origin: str | bytes | None, args: dict[str, Any]) -> None:
    root_only(origin)
    code, para_id = bytes.fromhex(args["new_code"][2:]), int(args["para"])
    if current_code_hash(execution.storage, para_id) is None:
        raise DispatchError("Paras.NotRegistered")
    digest = bytes.fromhex(blake2(code)[2:])
    execution.storage.put(item("Paras", "CodeByHash") + digest, code)
    execution.storage.put(para_item("Paras", "CurrentCodeHash", para_id), digest)
    execution.deposit("Paras", "CurrentCodeUpdated", para_id=para_id)


def _conclude(execution: ModelExecution, code_hash: Hash, *, accepted: bool, config: HostConfiguration) -> None:
    votes = _votes(execution.storage)
    entry = votes.pop(code_hash)
    _put_votes(execution.storage, votes)
    para_ids = [cause[0] for cause in entry["causes"]]
    for para_id in para_ids:
        execution.deposit(
            "Paras", "PvfCheckAccepted" if accepted else "PvfCheckRejected", code_hash=code_hash, para_id=para_id
        )
    if accepted:
        relay_parents = entry["causes"][0][1]
        _enact_accepted(execution, para_ids, relay_parents, config=config)
        return
    execution.storage.delete(item("Paras", "CodeByHash") + bytes.fromhex(code_hash[2:]))
    for para_id in para_ids:
        execution.storage.delete(para_item("Paras", "FutureCodeHash", para_id))
        _signal(execution, para_id, ABORT)


def _enact_accepted(
    execution: ModelExecution, para_ids: list[int], included_at: int, *, config: HostConfiguration
) -> None:
    now = execution.context.number
    expected = max(included_at + config.validation_upgrade_delay, now + config.minimum_validation_upgrade_delay)
    for para_id in para_ids:
        execution.storage.put(_expected(para_id), u32(expected))


def _signal(execution: ModelExecution, para_id: int, signal: int) -> None:
    execution.storage.put(para_item("Paras", "UpgradeGoAheadSignal", para_id), bytes([signal]))
    execution.storage.put(_signalled(para_id), u32(execution.context.number))


def _expected(para_id: int) -> bytes:
    return para_item("Paras", "FutureCodeUpgrades", para_id)


def _cooldown(para_id: int) -> bytes:
    """The key of a parachain's cooldown. The real pallet has one list; the model has one entry per parachain."""
    return para_item("Paras", "UpgradeCooldowns", para_id)


def _signalled(para_id: int) -> bytes:
    """The key of the block that gave the current signal. Only the model has it."""
    return para_item("CoalmineModel", "SignalledAt", para_id)


def _hash(value: bytes | None) -> Hash | None:
    return None if value is None else "0x" + value.hex()


def _votes(state: Readable) -> dict[Hash, dict[str, Any]]:
    value = state.get(_VOTES)
    return {} if value is None else dict(json.loads(value))


def _put_votes(storage: Overlay, votes: dict[Hash, dict[str, Any]]) -> None:
    if not votes:
        storage.delete(_VOTES)
        storage.delete(ACTIVE_VOTES)
        return
    storage.put(_VOTES, json.dumps(votes, sort_keys=True, separators=(",", ":")).encode())
    storage.put(ACTIVE_VOTES, compact(len(votes)) + b"".join(bytes.fromhex(code[2:]) for code in sorted(votes)))
