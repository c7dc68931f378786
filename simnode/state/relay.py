"""The relay chain's state transition: sessions and parachains on top of the common model."""

from collections.abc import Callable, Mapping
from typing import Any

from orchestrator.genesis.header import blake2_256
from simnode.state import inclusion, paras
from simnode.state.extrinsics import Call
from simnode.state.inclusion import SESSION_START, Cores
from simnode.state.model import EXHAUSTED, NOT_EXPECTED, DispatchError, ModelChain, ModelExecution
from simnode.state.names import COMMON, RELAY
from simnode.state.paras import SESSION
from simnode.state.port import InvalidTransaction, Validity
from simnode.state.storage import CODE, Readable, item, number_of, u32, u64

GENESIS_SLOT = item("Babe", "GenesisSlot")
CURRENT_SLOT = item("Babe", "CurrentSlot")
EPOCH = item("Babe", "EpochIndex")

Function = Callable[[ModelExecution, str | bytes | None, dict[str, Any]], None]


class RelayChain(ModelChain):
    """The rules of a relay chain. Sessions are BABE epochs. A session without blocks is skipped."""

    inherents = frozenset({("Timestamp", "set"), ("ParaInherent", "enter")})
    authorities = (item("Babe", "Authorities"), u64(1))
    names = COMMON | RELAY

    def __init__(
        self, *, cores: Cores, epoch_duration: int, heads: Mapping[int, tuple[bytes, bytes]], **common: Any
    ) -> None:
        values = {CODE: common.pop("code"), SESSION: u32(0), SESSION_START: u32(0), EPOCH: u64(0)}
        for para_id, (head, code) in heads.items():
            paras.genesis(values, para_id, head=head, code=code)
        super().__init__(genesis=values, **common)
        self.cores = cores
        self.epoch_duration = epoch_duration
        self.max_code_size = cores.config.max_code_size

    def calls(self) -> dict[tuple[str, str], Function]:
        return {
            **super().calls(),
            ("Paras", "force_set_current_code"): paras.force_set_current_code,
            ("Paras", "include_pvf_check_statement"): self._vote,
            ("ParaInherent", "enter"): self._enter,
        }

    def validate_unsigned(self, state: Readable, call: Call) -> Validity:
        name = (call["pallet"], call["call"])
        if name == ("Paras", "include_pvf_check_statement"):
            try:
                paras.check_vote(state, call["args"]["stmt"], validators=self.cores.validators)
            except (DispatchError, KeyError, TypeError) as error:
                raise InvalidTransaction("Transaction is outdated") from error
            return Validity(ready=True, priority=1)
        if name == ("System", "apply_authorized_upgrade"):
            if len(str(call["args"].get("code"))) // 2 > self.max_code_size:
                raise InvalidTransaction(EXHAUSTED)
            return super().validate_unsigned(state, call)
        raise InvalidTransaction(NOT_EXPECTED)

    def on_initialize(self, execution: ModelExecution) -> None:
        storage, context = execution.storage, execution.context
        if storage.get(GENESIS_SLOT) is None:
            storage.put(GENESIS_SLOT, u64(context.slot))
        storage.put(CURRENT_SLOT, u64(context.slot))
        inclusion.note_relay_parent(execution, self.cores.config.allowed_ancestry_len)
        epoch = epoch_of(context.slot, number_of(storage.get(GENESIS_SLOT)), self.epoch_duration)
        if epoch > number_of(storage.get(EPOCH)):
            storage.put(EPOCH, u64(epoch))
            storage.put(SESSION, u32(number_of(storage.get(SESSION)) + 1))
            storage.put(SESSION_START, u32(context.number))
            execution.deposit("Session", "NewSession", session_index=number_of(storage.get(SESSION)))
            paras.on_session(execution, config=self.cores.config)
        paras.on_initialize(execution, list(self.cores.parachains))

    def _vote(self, execution: ModelExecution, origin: str | bytes | None, args: dict[str, Any]) -> None:
        none_only(origin)
        paras.vote(execution, args, validators=self.cores.validators, config=self.cores.config)

    def _enter(self, execution: ModelExecution, origin: str | bytes | None, args: dict[str, Any]) -> None:
        none_only(origin)
        inclusion.enter(execution, args, self.cores)


def epoch_of(slot: int, genesis_slot: int, duration: int) -> int:
    return (slot - genesis_slot) // duration


def randomness(genesis_hash: str, epoch: int) -> bytes:
    """An epoch's randomness. The real one comes from VRF outputs two epochs before. No node games this one."""
    return blake2_256(bytes.fromhex(genesis_hash[2:]) + u64(epoch))


def none_only(origin: str | bytes | None) -> None:
    if origin is not None:
        raise DispatchError("BadOrigin")
