"""Registers parachains and assigns cores on a running relay chain, as root. Called by `readiness.onboarding`.

The calls are those of newer runtimes: `runtime/common/src/paras_sudo_wrapper.rs`, `runtime/parachains/src/coretime` and
`scheduler/assigner_coretime.rs` of polkadot. A transaction has worked only if the event of its inner call says so; that
a node accepted it or that it is in a block proves nothing.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from orchestrator.chain.metadata import Encoded
from orchestrator.chain.port import POOL, Cores, Sent
from orchestrator.chain.reader import SubstrateReader
from orchestrator.chain.substrate import SubstrateUpgrader
from orchestrator.errors import ChainError, Refused
from orchestrator.genesis.header import blake2_256
from orchestrator.genesis.keys import KeyPair
from orchestrator.scale import vector

_WHOLE = 57_600
"""The number of parts that make a whole core."""


class Registrar:
    """Sends root calls about parachains, one at a time, and reads their results. Every method raises ChainError."""

    def __init__(self, reader: SubstrateReader, sudo: KeyPair) -> None:
        self._reader = reader
        self._runtime = SubstrateUpgrader(reader.rpc, sudo)

    def register(self, para_id: int, *, head: bytes, code: bytes, lease: bool) -> Sent:
        """Begins the onboarding of a parachain. With a `lease` it gets its own core, else it orders blocks on demand.

        A parachain's genesis (`ParaGenesisArgs`) has megabytes, so it is encoded here and not by the library.
        """
        genesis = Encoded(vector(head) + vector(code) + bytes([lease]))
        return self._send("ParasSudoWrapper", "sudo_schedule_para_initialize", id=para_id, genesis=genesis)

    def assign(self, core: int, holder: int) -> Sent:
        """Gives a whole core to a parachain for good, or with `POOL` to blocks on demand."""
        begin = self._reader.best().number + 2
        what = "Pool" if holder == POOL else {"Task": holder}
        return self._send("Coretime", "assign_core", core=core, begin=begin, assignment=[(what, _WHOLE)], end_hint=None)

    def set_cores(self, number: int) -> Sent:
        """Sets the number of cores, from the session after the next one."""
        return self._send("Configuration", "set_coretime_cores", new=number)

    def cores(self) -> Cores:
        """The cores in the best block, including assignments that begin at a later block.

        Raises:
            Refused: the runtime is older and keeps its cores in another pallet.
        """
        at = self._reader.best().hash
        try:
            described = dict(self._runtime.value("ParaScheduler", "CoreDescriptors", at=at))
            scheduled = self._runtime.values("ParaScheduler", "CoreSchedules", at=at)
        except ChainError as error:
            if "the runtime has no" not in error.message:
                raise
            hint = "newer runtimes do; assign the cores yourself, and leave `cores` at 1"
            raise Refused("the runtime does not keep its cores in ParaScheduler", hint=hint) from error
        return cores_of(self._number(at), described, scheduled)

    def more_cores_come(self) -> bool:
        """Whether a change of the configuration is waiting for its session."""
        return bool(self._runtime.value("Configuration", "PendingConfigs", at=self._reader.best().hash))

    def outcome(self, sent: Sent) -> str | None:
        """The result of a transaction: `ok`, the name of an error, or None while it is in no block up to the best."""
        for number in range(sent.since, self._reader.best().number + 1):
            block = self._reader.hash_at(number)
            if block is None:
                return None
            index = self._index(block, sent.hash)
            if index is not None:
                return self._result(block, index)
        return None

    def _number(self, at: str) -> int:
        config: Any = self._runtime.value("Configuration", "ActiveConfig", at=at)
        return int(config["scheduler_params"]["num_cores"])

    def _send(self, pallet: str, name: str, /, **arguments: Any) -> Sent:
        since = self._reader.best().number + 1
        return Sent(self._runtime.as_root(pallet, name, **arguments), since)

    def _index(self, block: str, hash_: str) -> int | None:
        found = self._reader.rpc.call("chain_getBlock", block)["block"]["extrinsics"]
        hashes = ("0x" + blake2_256(bytes.fromhex(one[2:])).hex() for one in found)
        return next((index for index, one in enumerate(hashes) if one == hash_), None)

    def _result(self, block: str, index: int) -> str:
        for event in self._runtime.events(block):
            if event.extrinsic != index:
                continue
            if event.title == "Sudo.Sudid":
                result = event.data["sudo_result"]
                return "ok" if "Ok" in result else str(result["Err"])
            if event.title == "System.ExtrinsicFailed":
                return str(event.data["dispatch_error"])
        raise ChainError(f"block {block} has the transaction, but no event of its result")


def cores_of(number: int, described: Mapping[int, Any], scheduled: Iterable[Any]) -> Cores:
    """The cores, from the scheduler's storage: `CoreDescriptors` by core, and the values of `CoreSchedules`."""
    works = (one["current_work"] for one in described.values() if one["current_work"])
    assignments = [one for work in (*works, *scheduled) for one in work["assignments"]]
    held = Counter(POOL if what == "Pool" else int(what["Task"]) for what, _ in assignments if what != "Idle")
    busy = {core for core, one in described.items() if one["current_work"] or one["queue"]}
    return Cores(number, held, tuple(core for core in range(number) if core not in busy))
