"""Cores on the relay chain: backed candidates wait on a core until they are available, then they are included.

It follows `polkadot/runtime/parachains/src/{scheduler,inclusion,paras_inherent}`. Each parachain has one core, in the
order of ids. Candidates that do not fit are left out silently, as the real inherent does.
"""

import json
from dataclasses import dataclass
from typing import Any

from simnode.core.messages import Candidate, Hash, blake2
from simnode.state import paras
from simnode.state.model import ModelExecution
from simnode.state.paras import HostConfiguration
from simnode.state.storage import Readable, item, number_of, para_item

RELAY_PARENTS = item("ParasShared", "AllowedRelayParents")
SESSION_START = item("ParaScheduler", "SessionStartBlock")


@dataclass(frozen=True, slots=True)
class Pending:
    """A candidate that occupies its parachain's core."""

    candidate: Candidate
    backed_at: int
    available: int
    """Bit mask of the validators that have a chunk."""


@dataclass(frozen=True, slots=True)
class Cores:
    """The groups of validators, and which group backs which parachain."""

    validators: int
    parachains: tuple[int, ...]
    config: HostConfiguration

    @property
    def groups(self) -> list[list[int]]:
        """Validator indices by group: as many groups as cores, of sizes as equal as possible."""
        per_core = self.config.max_validators_per_core
        wanted = max(len(self.parachains), self.validators // per_core if per_core else 0, 1)
        count = min(wanted, self.validators) or 1
        size, larger = divmod(self.validators, count)
        groups, at = [], 0
        for index in range(count):
            end = at + size + (index < larger)
            groups.append(list(range(at, end)))
            at = end
        return groups

    def group_for(self, para_id: int, relay_parent_number: int, session_start: int) -> list[int]:
        """The validators that may back a parachain's candidate with that relay parent.

        `session_start` is the block at which the session began, in the relay parent's state.
        """
        groups = self.groups
        since = max(0, relay_parent_number + 1 - session_start)
        rotations = since // max(1, self.config.group_rotation_frequency)
        return groups[(self.parachains.index(para_id) + rotations) % len(groups)]

    def votes_needed(self, group: list[int]) -> int:
        return min(len(group), self.config.minimum_backing_votes)


def pending(state: Readable, para_id: int) -> Pending | None:
    value = state.get(_pending_key(para_id))
    if value is None:
        return None
    wire, backed_at, available = json.loads(value)
    return Pending(Candidate.from_wire(wire), backed_at, available)


def session_start(state: Readable) -> int:
    return number_of(state.get(SESSION_START))


def relay_parents(state: Readable) -> dict[Hash, tuple[int, int]]:
    """The relay blocks on which a candidate may be built: their height, and when the session in their state began.

    The real pallet empties the list when a session begins, which costs every parachain a block.
    """
    value = state.get(RELAY_PARENTS)
    return {} if value is None else {hash_: (number, start) for hash_, number, start in json.loads(value)}


def note_relay_parent(execution: ModelExecution, keep: int) -> None:
    """Records a relay parent. Called before the session changes, so that a parent belongs to its own session."""
    parents = [(hash_, *rest) for hash_, rest in relay_parents(execution.storage).items()]
    parents.append((execution.context.parent, execution.context.number - 1, session_start(execution.storage)))
    execution.storage.put(RELAY_PARENTS, json.dumps(parents[-keep:]).encode())


def acceptable(state: Readable, cores: Cores, candidate: Candidate, backers: list[int]) -> bool:
    """Whether a candidate may use its free core."""
    para_id = candidate.para_id
    relay_parent = relay_parents(state).get(candidate.relay_parent)
    if para_id not in cores.parachains or relay_parent is None or relay_parent[0] != candidate.relay_parent_number:
        return False
    head = paras.head(state, para_id)
    group = cores.group_for(para_id, *relay_parent)
    return (
        head is not None
        and candidate.parent_head == head_hash(head)
        and candidate.code_hash == paras.current_code_hash(state, para_id)
        and len(candidate.new_code or "") // 2 <= cores.config.max_code_size
        and set(backers) <= set(group)
        and len(set(backers)) >= cores.votes_needed(group)
    )


def head_hash(head: str) -> Hash:
    return blake2(bytes.fromhex(head[2:]))


def enter(execution: ModelExecution, args: dict[str, Any], cores: Cores) -> None:
    """The inherent of every relay block: first availability, then timeouts, then new candidates."""
    for para_id in cores.parachains:
        waiting = pending(execution.storage, para_id)
        if waiting is None:
            continue
        waiting = _count(execution, waiting, args["bitfields"])
        if waiting.available.bit_count() >= cores.validators - (cores.validators - 1) // 3:
            _include(execution, waiting, cores)
        elif execution.context.number >= waiting.backed_at + cores.config.paras_availability_period:
            execution.storage.delete(_pending_key(para_id))
            execution.deposit("ParaInclusion", "CandidateTimedOut", para_id=para_id, candidate=waiting.candidate.hash)
    for wire, backers in args["backed"]:
        candidate = Candidate.from_wire(wire)
        if pending(execution.storage, candidate.para_id) is None and acceptable(
            execution.storage, cores, candidate, backers
        ):
            _put(execution, Pending(candidate, execution.context.number, 0))
            execution.deposit("ParaInclusion", "CandidateBacked", para_id=candidate.para_id, candidate=candidate.hash)


def _count(execution: ModelExecution, waiting: Pending, bitfields: list[Any]) -> Pending:
    mask = waiting.available
    for validator, candidates in bitfields:
        if waiting.candidate.hash in candidates:
            mask |= 1 << validator
    counted = Pending(waiting.candidate, waiting.backed_at, mask)
    if mask != waiting.available:
        _put(execution, counted)
    return counted


def _include(execution: ModelExecution, waiting: Pending, cores: Cores) -> None:
    candidate = waiting.candidate
    execution.storage.delete(_pending_key(candidate.para_id))
    if candidate.new_code is not None:
        code = bytes.fromhex(candidate.new_code[2:])
        paras.schedule_upgrade(execution, candidate.para_id, code, config=cores.config)
    paras.note_head(execution, candidate.para_id, candidate.head, relay_parent=candidate.relay_parent_number)
    execution.deposit("ParaInclusion", "CandidateIncluded", para_id=candidate.para_id, candidate=candidate.hash)


def _put(execution: ModelExecution, waiting: Pending) -> None:
    value = json.dumps([waiting.candidate.to_wire(), waiting.backed_at, waiting.available], separators=(",", ":"))
    execution.storage.put(_pending_key(waiting.candidate.para_id), value.encode())


def _pending_key(para_id: int) -> bytes:
    """The key of a pending candidate. Its value is JSON instead of a SCALE struct, because nothing else reads it."""
    return para_item("ParaInclusion", "V1", para_id)
