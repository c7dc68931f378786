"""Acts on many objects at once, on each as soon as the objects that it needs are done. Called by `embedded`."""

import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from orchestrator.engine import program
from orchestrator.engine.ownership import WORKERS
from orchestrator.engine.port import Change
from orchestrator.render import Manifest


class Ordered:
    """Acts on each object that it is given. Begins nothing more after the first failure.

    An object must be given after all that it needs (`program.needs`). A worker that waits therefore waits for objects
    that other workers already act on. Leaving the block waits for what was begun.
    """

    def __init__(self, action: Callable[[Manifest], Change]) -> None:
        self._action = action
        self._pool = ThreadPoolExecutor(WORKERS)
        self._begun: dict[str, Future[Change]] = {}
        self._failed = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        if kind is not None:
            self._failed.set()
        self._pool.shutdown()

    def take(self, manifest: Manifest) -> None:
        """Begins with the object, or queues it. Never raises."""
        needed = [self._begun[key] for key in program.needs(manifest.document, self._begun)]
        self._begun[manifest.key] = self._pool.submit(self._act, manifest, needed)

    def changes(self) -> dict[str, Change]:
        """The change of each object, in the order in which they were given. Raises the first failure."""
        failures = [failure for future in self._begun.values() if (failure := future.exception()) is not None]
        for failure in failures:
            if not isinstance(failure, CancelledError):
                raise failure
        return {key: future.result() for key, future in self._begun.items()}

    def _act(self, manifest: Manifest, needed: list[Future[Change]]) -> Change:
        if any(other.exception() is not None for other in needed) or self._failed.is_set():
            raise CancelledError
        try:
            return self._action(manifest)
        except BaseException:
            self._failed.set()
            raise
