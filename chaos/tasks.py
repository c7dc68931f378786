"""Steps the objects of one kind until they end, in a kopf task or a deletion handler. Called by `operator`.

An object has one reconciler. A lock keeps the task and the deletion handler from stepping it at the same time. A step
that fails is repeated a second later: if the task died instead, the fault would stay until its hard limit.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

import kopf
from pydantic import ValidationError

from chaos import metrics

_LOG = logging.getLogger(__name__)
_AFTER_FAILURE = 1.0


class Stepped(Protocol):
    """A reconciler of one object."""

    @property
    def name(self) -> str: ...

    @property
    def phase(self) -> str: ...

    @property
    def ended(self) -> bool: ...

    def mark_deleted(self) -> None: ...

    def tell(self) -> str:
        """One sentence about the current phase, for an event."""
        ...


_One = TypeVar("_One", bound=Stepped)


@dataclass
class _Live(Generic[_One]):
    one: _One
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Tasks(Generic[_One]):
    """All objects of a kind. Subclasses define `open`, `step`, `refuse` and `forget`."""

    kind: str

    def __init__(self) -> None:
        self._live: dict[str, _Live[_One]] = {}

    def open(self, body: Mapping[str, Any]) -> _One:
        """A reconciler that continues from the object's status. Raises ValidationError if the spec is invalid."""
        raise NotImplementedError

    async def step(self, one: _One, indices: Mapping[str, Any]) -> float:
        """Does one round. Returns the seconds until the next."""
        raise NotImplementedError

    def refuse(self, body: Mapping[str, Any], cause: str) -> None:
        """Writes into the object's status that its spec is invalid."""
        raise NotImplementedError

    def forget(self, one: _One) -> None:
        """Called when the object is gone."""
        raise NotImplementedError

    def live(self) -> tuple[_One, ...]:
        """All reconcilers. They know what they have planned before the watch reports it."""
        return tuple(live.one for live in self._live.values())

    async def run(self, body: kopf.Body, indices: Mapping[str, Any], stopped: kopf.DaemonStopped) -> None:
        """Steps the object until it ends or kopf stops the task."""
        live = await self._open(body)
        while live is not None and not live.one.ended and not stopped:
            await stopped.wait(await self._step(live, body, indices))

    async def finish(self, body: kopf.Body, indices: Mapping[str, Any]) -> None:
        """Steps a deleted object until its faults are undone."""
        live = await self._open(body)
        if live is None:
            return
        live.one.mark_deleted()
        while not live.one.ended:
            pause = await self._step(live, body, indices)
            await asyncio.sleep(pause)
        self.forget(live.one)
        self._live.pop(body["metadata"]["uid"], None)

    async def _open(self, body: Mapping[str, Any]) -> _Live[_One] | None:
        uid = body["metadata"]["uid"]
        if uid not in self._live:
            try:
                self._live[uid] = _Live(self.open(body))
            except ValidationError as error:
                cause = "; ".join(str(item["msg"]) for item in error.errors(include_url=False))
                await asyncio.to_thread(self.refuse, body, f"the spec is invalid: {cause}")
                return None
        return self._live[uid]

    async def _step(self, live: _Live[_One], body: kopf.Body, indices: Mapping[str, Any]) -> float:
        async with live.lock:
            before = live.one.phase
            try:
                with metrics.RECONCILE_SECONDS.labels(self.kind).time():
                    pause = await self.step(live.one, indices)
            except Exception:  # noqa: BLE001  Whatever it is, a fault that is in place must be undone.
                metrics.RECONCILE_FAILURES.labels(self.kind).inc()
                _LOG.exception("%s %s: a step failed and is repeated", self.kind, live.one.name)
                return _AFTER_FAILURE
            if live.one.phase != before:
                self._announce(live.one, body)
            return pause

    def _announce(self, one: _One, body: kopf.Body) -> None:
        metrics.PHASES.labels(self.kind, one.phase).inc()
        message = one.tell() or one.phase
        kopf.event(body, type="Warning" if one.phase == "Failed" else "Normal", reason=one.phase, message=message)
        _LOG.info("%s %s: %s: %s", self.kind, one.name, one.phase, message)
