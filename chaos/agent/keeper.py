"""Holds the faults of this machine: at most one of a kind per pod, each until its time is over, with or without others.

The ledger is written before a fault is injected. So somebody always knows what to undo: this agent when the fault
expires, its successor when it starts, or this agent at a clean shutdown. Called by the HTTP server in `server`.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from chaos.agent.faults import FaultError, FaultInjector
from chaos.agent.ledger import FaultRecord, Ledger, boot_clock, boot_id
from chaos.wire import Order

_LOG = logging.getLogger(__name__)
_TICK = 0.2
_Result = TypeVar("_Result")


@dataclass
class Keeper:
    """All faults of a machine. `clock` is in seconds; only it decides when a fault expires."""

    faults: Mapping[str, FaultInjector]
    unsupported: Mapping[str, str]
    ledger: Ledger
    clock: Callable[[], float] = boot_clock
    _entries: dict[str, FaultRecord] = field(default_factory=dict)
    _locks: dict[str, asyncio.Lock] = field(default_factory=dict)
    _threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(16, "fault"))

    def adopt(self) -> None:
        """Takes over the faults that an earlier agent left on this machine. Expired ones end at the first tick."""
        for entry in self.ledger.load():
            self._entries[entry.id] = entry
            _LOG.info("adopted %s, %.0f s left", entry.id, entry.expires - self.clock())

    def held(self) -> tuple[FaultRecord, ...]:
        return tuple(self._entries.values())

    async def place(self, fault_id: str, order: Order) -> FaultRecord:
        """Injects a fault, or changes an injected one to a new order. A new order never extends the time limit.

        Raises:
            FaultError: it cannot be done. Whatever was done has been undone.
        """
        async with self._lock(fault_id):
            self._check(fault_id, order)
            expires = self.clock() + order.ttl_seconds
            known = self._entries.get(fault_id)
            if known is not None:
                expires = min(expires, known.expires)
                if _container(known.order) != _container(order):  # It restarted; the old container may still be there.
                    await self._apply(self.faults[order.kind].recover, fault_id, known.order)
            entry = FaultRecord(id=fault_id, order=order, expires=expires, boot=boot_id())
            self.ledger.write(entry)
            self._entries[fault_id] = entry
            try:
                effect = await self._apply(self.faults[order.kind].inject, fault_id, order)
            except FaultError:
                await self._end(entry)
                raise
            entry = entry.model_copy(update={"effect": effect})
            self.ledger.write(entry)
            self._entries[fault_id] = entry
            _LOG.info("injected %s: %s", fault_id, effect)
            return entry

    async def end(self, fault_id: str) -> str:
        """Undoes a fault. Does no harm if nothing was injected.

        Raises:
            FaultError: the fault is still there. It stays in the ledger and is tried again when it expires.
        """
        async with self._lock(fault_id):
            entry = self._entries.get(fault_id)
            if entry is None:
                return "nothing was injected here, or its time was over"
            return await self._end(entry)

    async def keep_time(self) -> None:
        """Ends faults that expire, until it is cancelled. A recovery that fails is tried again at the next tick."""
        while True:
            now = self.clock()
            expired = [entry.id for entry in self._entries.values() if entry.expires <= now]
            await asyncio.gather(*(self._attempt(self.end(fault_id)) for fault_id in expired))
            await asyncio.sleep(_TICK)

    async def close(self) -> None:
        """Undoes everything at a clean shutdown, because an agent that does not run can keep no time limit."""
        await asyncio.gather(*(self._attempt(self.end(fault_id)) for fault_id in tuple(self._entries)))
        self._threads.shutdown()

    def _check(self, fault_id: str, order: Order) -> None:
        if reason := self.unsupported.get(order.kind):
            raise FaultError(f"this machine cannot {order.kind}: {reason}")
        for entry in self._entries.values():
            if entry.id != fault_id and entry.order.kind == order.kind and entry.order.pod_uid == order.pod_uid:
                raise FaultError(f"{entry.id} has a {order.kind} on this pod already")

    async def _end(self, entry: FaultRecord) -> str:
        recovery = await self._apply(self.faults[entry.order.kind].recover, entry.id, entry.order)
        del self._entries[entry.id]
        self.ledger.remove(entry.id)
        _LOG.info("recovered %s: %s", entry.id, recovery)
        return recovery

    async def _attempt(self, ending: Awaitable[str]) -> None:
        try:
            await ending
        except Exception:  # noqa: BLE001  One fault that misbehaves must not stop the time limits of the others.
            _LOG.exception("recovery failed and stays in the ledger")

    async def in_thread(self, work: Callable[[], _Result]) -> _Result:
        """Runs blocking work on the keeper's own threads, which are enough for a hundred pods at once."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def _apply(self, work: Callable[[str, Any], str], fault_id: str, order: Order) -> str:
        return await self.in_thread(lambda: work(fault_id, order))

    def _lock(self, fault_id: str) -> asyncio.Lock:
        return self._locks.setdefault(fault_id, asyncio.Lock())


def _container(order: Order) -> str:
    return order.container_id if order.kind == "pause" else order.pod_uid
