"""The parachain's state transition: `ParachainSystem` on top of the common model.

It follows `cumulus/pallets/parachain-system/src/lib.rs`. The inherent `set_validation_data` contains the relay chain's
state, without a proof, because the model's collators are honest.
"""

import json
from typing import Any

from simnode.core.messages import blake2
from simnode.state.model import DispatchError, ModelChain, ModelExecution
from simnode.state.names import COMMON, PARACHAIN
from simnode.state.paras import ABORT, GO_AHEAD
from simnode.state.port import RuntimePanic
from simnode.state.relay import Function, none_only
from simnode.state.storage import CODE, Readable, item, u32

PENDING_CODE = item("ParachainSystem", "PendingValidationCode")
NEW_CODE = item("ParachainSystem", "NewValidationCode")
RESTRICTION = item("ParachainSystem", "UpgradeRestrictionSignal")
LAST_RELAY_BLOCK = item("ParachainSystem", "LastRelayChainBlockNumber")
SEGMENT = item("ParachainSystem", "UnincludedSegment")
"""JSON: the heights that are not included yet, each with the upgrade signal that it consumed."""


class ParaChain(ModelChain):
    """The rules of a parachain."""

    inherents = frozenset({("Timestamp", "set"), ("ParachainSystem", "set_validation_data")})
    authorities = (item("Aura", "Authorities"), b"")
    names = COMMON | PARACHAIN

    def __init__(self, *, code: bytes, para_id: int, **common: Any) -> None:
        values = {
            CODE: code,
            item("Session", "CurrentIndex"): u32(0),
            item("ParachainInfo", "ParachainId"): u32(para_id),
        }
        super().__init__(genesis=values, **common)

    def calls(self) -> dict[tuple[str, str], Function]:
        return {**super().calls(), ("ParachainSystem", "set_validation_data"): _set_validation_data}

    def on_initialize(self, execution: ModelExecution) -> None:
        execution.storage.delete(NEW_CODE)

    def set_code(self, execution: ModelExecution, code: bytes) -> None:
        """Stores the code. The candidate of this block carries it to the relay chain."""
        storage = execution.storage
        if storage.get(PENDING_CODE) is not None:
            raise DispatchError("ParachainSystem.OverlappingUpgrades")
        if storage.get(RESTRICTION) is not None:
            raise DispatchError("ParachainSystem.ProhibitedByPolkadot")
        if len(code) > self.max_code_size:
            raise DispatchError("ParachainSystem.TooBig")
        storage.put(PENDING_CODE, code)
        storage.put(NEW_CODE, code)
        execution.deposit("ParachainSystem", "ValidationFunctionStored")


def segment(state: Readable) -> list[list[Any]]:
    value = state.get(SEGMENT)
    return [] if value is None else list(json.loads(value))


def _set_validation_data(execution: ModelExecution, origin: str | bytes | None, args: dict[str, Any]) -> None:
    none_only(origin)
    storage = execution.storage
    storage.put(LAST_RELAY_BLOCK, u32(args["relay_parent_number"]))
    if args["restricted"]:
        storage.put(RESTRICTION, b"\0")
    else:
        storage.delete(RESTRICTION)
    waiting = [entry for entry in segment(storage) if entry[0] > args["included"]]
    # An ancestor that is not included yet may have consumed the signal. The relay chain cannot know that.
    consumed = any(entry[1] is not None for entry in waiting)
    signal = None if consumed else args["go_ahead"]
    _obey(execution, signal, args["relay_parent_number"])
    waiting.append([execution.context.number, signal])
    storage.put(SEGMENT, json.dumps(waiting).encode())


def _obey(execution: ModelExecution, signal: int | None, relay_block: int) -> None:
    storage = execution.storage
    pending = storage.get(PENDING_CODE)
    if signal == GO_AHEAD:
        if pending is None:
            raise RuntimePanic(
                "panicked at cumulus/pallets/parachain-system/src/lib.rs:1:1: "
                "no new validation function found in storage, GoAhead signal is not expected"
            )
        execution.replace_code(pending)
        storage.delete(PENDING_CODE)
        execution.deposit("ParachainSystem", "ValidationFunctionApplied", relay_chain_block_num=relay_block)
    elif signal == ABORT and pending is not None:
        storage.delete(PENDING_CODE)
        execution.deposit("ParachainSystem", "ValidationFunctionDiscarded", code_hash=blake2(pending))
