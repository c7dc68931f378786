"""A validator's work for parachains: backing, availability, pre-checking. Other relay nodes forward the messages.

Not simulated are erasure coding (a statement contains the whole candidate and counts as a validator's chunk), approval
voting and disputes (no node lies). So finality never waits for them, and their lags are really 0.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from orchestrator.errors import RuntimeBlobError
from orchestrator.runtime import blob
from simnode.core.messages import Bitfield, Candidate, Chunk, ChunkRequest, Collation, Hash, Message, Statement
from simnode.core.outbox import Outbox
from simnode.state import inclusion, paras
from simnode.state.inclusion import Cores
from simnode.state.port import State
from simnode.state.storage import number_of

_KEPT = 12
"""How many relay blocks candidates and bitfields are remembered."""

StateOf = Callable[[Hash], State | None]


@dataclass(slots=True)
class Counters:
    """Counters with the names of the real subsystems' counters."""

    seconded: int = 0
    statements: int = 0
    bitfields: int = 0
    chunks: int = 0
    prepare_enqueued: int = 0
    prepare_concluded: int = 0
    precheck_votes: int = 0


@dataclass(slots=True)
class _Known:
    candidate: Candidate
    validators: set[int] = field(default_factory=set)


class Candidates:
    """`authority` is the node's index among the validators. None for a node that only forwards messages."""

    def __init__(
        self,
        outbox: Outbox,
        cores: Cores,
        state_of: StateOf,
        *,
        authority: int | None,
        slot_duration: float,
        preparation: float,
        peers: dict[str, Any],
        submit: Callable[[dict[str, Any]], None],
    ) -> None:
        self.cores = cores
        self.authority = authority
        self.counters = Counters()
        self._out = outbox
        self._state_of = state_of
        self._slot_duration = slot_duration
        self._preparation = preparation
        self._peers = peers
        self._submit = submit
        self._known: dict[Hash, _Known] = {}
        self._bitfields: dict[Hash, dict[int, Bitfield]] = {}
        self._numbers: dict[Hash, int] = {}
        self._chunks: dict[Hash, int] = {}
        self._waiting: list[Candidate] = []
        """Collations and other validators' candidates that wait for a relay block or for their code."""
        self._wanted_code: set[Hash] = set()
        self._jobs: dict[Hash, float] = {}
        """Code that is being compiled, and when it will be ready."""
        self._voted: set[tuple[Hash, int]] = set()
        self._sign_at: tuple[float, Hash] | None = None
        self._best = ""
        self._number = 0

    def wakeup(self) -> float | None:
        times = list(self._jobs.values())
        if self._sign_at is not None:
            times.append(self._sign_at[0])
        return min(times, default=None)

    def tick(self, now: float) -> None:
        done = [code for code, ready in self._jobs.items() if now >= ready]
        for code in done:
            del self._jobs[code]
            self.counters.prepare_concluded += 1
        if done:
            self._retry(now)
            self._precheck(now)
        if self._sign_at is not None and now >= self._sign_at[0]:
            block, self._sign_at = self._sign_at[1], None
            self._sign(block)

    def on_best(self, best: Hash, number: int, now: float) -> None:
        """Handles a new best relay block: processes what waited for it, and drops what is obsolete."""
        self._best, self._number = best, number
        self._forget()
        if self.authority is not None:
            # Chunks need time to arrive, so a bitfield is signed a quarter of a slot later, like 1.5 s of 6 s.
            self._sign_at = (now + self._slot_duration / 4, best)
            self._precheck(now)
        self._retry(now)
        state = self._state_of(best)
        for para_id in self.cores.parachains if state is not None else ():
            assert state is not None
            self._want_code(paras.current_code_hash(state, para_id), now)
            waiting = inclusion.pending(state, para_id)
            if waiting is not None and waiting.candidate.hash not in self._chunks:
                for peer in self._peers:
                    self._out.send(peer, ChunkRequest(waiting.candidate.hash))

    def receive(self, peer: str, message: Message, now: float) -> None:
        match message:
            case Collation():
                if self.authority is not None:
                    self._consider(message.candidate, now)
            case Statement():
                self._on_statement(peer, message, now)
            case Bitfield():
                self._on_bitfield(peer, message)
            case ChunkRequest():
                if message.candidate in self._chunks:
                    self._out.send(peer, Chunk(message.candidate))
            case Chunk():
                if message.candidate not in self._chunks:
                    self._chunks[message.candidate] = self._number
                    self.counters.chunks += 1
            case _:
                pass

    # What an author puts into its block

    def bitfields(self, parent: Hash) -> list[list[Any]]:
        signed = self._bitfields.get(parent, {})
        return [[validator, list(signed[validator].candidates)] for validator in sorted(signed)]

    def backable(self) -> list[tuple[Candidate, list[int]]]:
        """Candidates with enough votes of their group, lower blocks first. The state transition takes what fits."""
        found = []
        for known in self._known.values():
            group = self._group(known.candidate)
            if group is not None and len(known.validators & set(group)) >= self.cores.votes_needed(group):
                found.append((known.candidate, sorted(known.validators & set(group))))
        return sorted(found, key=lambda pair: (pair[0].number, -pair[0].relay_parent_number, pair[0].hash))

    # Backing

    def _group(self, candidate: Candidate) -> list[int] | None:
        state = self._state_of(candidate.relay_parent)
        if state is None or candidate.para_id not in self.cores.parachains:
            return None
        return self.cores.group_for(candidate.para_id, candidate.relay_parent_number, inclusion.session_start(state))

    def _consider(self, candidate: Candidate, now: float) -> None:
        """Backs a candidate, or keeps it until that can be decided, or drops it."""
        known = self._known.get(candidate.hash)
        if known is not None and self.authority in known.validators:
            return
        state = self._state_of(candidate.relay_parent)
        if state is None:
            self._wait(candidate)
            return
        group = self._group(candidate)
        if group is None or self.authority not in group or not self._plausible(candidate, state):
            return
        if not self._is_prepared(candidate.code_hash, now):
            self._wait(candidate)
            return
        if not self._valid(candidate, state):
            self._out.log(f"Candidate {candidate.hash} of parachain {candidate.para_id} is invalid: execution panicked")
            return
        assert self.authority is not None
        if known is None or not known.validators:
            self.counters.seconded += 1
        self.counters.statements += 1
        self._note(candidate, self.authority)
        for peer in self._peers:
            self._out.send(peer, Statement(self.authority, candidate))

    def _plausible(self, candidate: Candidate, state: State) -> bool:
        """Whether the candidate has a known parent and names code that may apply to it."""
        para_id = candidate.para_id
        head, waiting = paras.head(state, para_id), inclusion.pending(state, para_id)
        heads = {inclusion.head_hash(head)} if head is not None else set()
        heads |= {waiting.candidate.head_hash} if waiting is not None else set()
        heads |= {known.candidate.head_hash for known in self._known.values()}
        codes = {paras.current_code_hash(state, para_id), paras.future_code_hash(state, para_id)}
        return candidate.parent_head in heads and candidate.code_hash in codes

    def _valid(self, candidate: Candidate, state: State) -> bool:
        """Simulates the execution of the block. Only the code's migration can fail."""
        code = paras.code_by_hash(state, candidate.code_hash)
        if code is None:
            return False
        try:
            behaviour = blob.read(code).behaviour or {}
        except RuntimeBlobError:
            return False
        return not (candidate.migrates and behaviour.get("migration") == "panics")

    def _wait(self, candidate: Candidate) -> None:
        if candidate.relay_parent_number > self._number - _KEPT and candidate not in self._waiting:
            self._waiting = [*self._waiting[-63:], candidate]

    def _retry(self, now: float) -> None:
        waiting, self._waiting = self._waiting, []
        for candidate in waiting:
            self._consider(candidate, now)

    def _on_statement(self, peer: str, message: Statement, now: float) -> None:
        """Counts a statement and forwards it, once."""
        candidate = message.candidate
        known = self._known.get(candidate.hash)
        if known is not None and message.validator in known.validators:
            return
        if candidate.relay_parent_number < self._number - _KEPT:
            return
        self._note(candidate, message.validator)
        for other in self._peers:
            if other != peer:
                self._out.send(other, message)
        if self.authority is not None:
            self._consider(candidate, now)

    def _note(self, candidate: Candidate, validator: int) -> None:
        self._known.setdefault(candidate.hash, _Known(candidate)).validators.add(validator)
        self._chunks.setdefault(candidate.hash, self._number)

    # Availability

    def _on_bitfield(self, peer: str, message: Bitfield) -> None:
        signed = self._bitfields.setdefault(message.relay_block, {})
        if message.validator in signed:
            return
        signed[message.validator] = message
        self._numbers.setdefault(message.relay_block, self._number)
        for other in self._peers:
            if other != peer:
                self._out.send(other, message)

    def _sign(self, block: Hash) -> None:
        """Signs a bitfield: the pending candidates of which this validator has a chunk."""
        state = self._state_of(block)
        if state is None or block != self._best:
            return
        waiting = [inclusion.pending(state, para_id) for para_id in self.cores.parachains]
        held = tuple(one.candidate.hash for one in waiting if one is not None and one.candidate.hash in self._chunks)
        assert self.authority is not None
        self.counters.bitfields += 1
        message = Bitfield(block, self.authority, held)
        self._bitfields.setdefault(block, {})[self.authority] = message
        self._numbers.setdefault(block, self._number)
        for peer in self._peers:
            self._out.send(peer, message)

    # Validation code

    def _want_code(self, code_hash: Hash | None, now: float) -> None:
        if self.authority is not None and code_hash is not None:
            self._is_prepared(code_hash, now)

    def _is_prepared(self, code_hash: Hash, now: float) -> bool:
        """Whether the code is compiled. If not, starts to compile it."""
        if code_hash not in self._wanted_code:
            self._wanted_code.add(code_hash)
            self._jobs[code_hash] = now + self._preparation
            self.counters.prepare_enqueued += 1
        return code_hash not in self._jobs

    def _precheck(self, now: float) -> None:
        """Votes on new code as the model says, once per session, after compiling it."""
        state = self._state_of(self._best)
        if state is None or self.authority is None:
            return
        session = number_of(state.get(paras.SESSION))
        for code_hash in paras.active_votes(state):
            if (code_hash, session) in self._voted or paras.has_voted(state, code_hash, self.authority):
                continue
            if not self._is_prepared(code_hash, now):
                continue
            self._voted.add((code_hash, session))
            self.counters.precheck_votes += 1
            statement = {
                "accept": _accepted(paras.code_by_hash(state, code_hash)),
                "subject": code_hash,
                "session_index": session,
                "validator_index": self.authority,
            }
            self._submit({"pallet": "Paras", "call": "include_pvf_check_statement", "args": {"stmt": statement}})

    def _forget(self) -> None:
        oldest = self._number - _KEPT
        self._known = _keep(self._known, lambda known: known.candidate.relay_parent_number >= oldest)
        self._chunks = _keep(self._chunks, lambda since: since >= oldest)
        self._numbers = _keep(self._numbers, lambda since: since >= oldest)
        for block in [block for block in self._bitfields if block not in self._numbers]:
            del self._bitfields[block]
        self._waiting = [candidate for candidate in self._waiting if candidate.relay_parent_number >= oldest]


def _keep(entries: dict[Hash, Any], wanted: Callable[[Any], bool]) -> dict[Hash, Any]:
    return {key: value for key, value in entries.items() if wanted(value)}


def _accepted(code: bytes | None) -> bool:
    if code is None:
        return False
    try:
        behaviour = blob.read(code).behaviour or {}
    except RuntimeBlobError:
        return False
    return behaviour.get("precheck") != "rejected"
