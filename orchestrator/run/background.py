"""Does work step by step in a thread, so that it need not wait for what the main thread does. Used by `custom`."""

import threading
from collections.abc import Iterable
from types import TracebackType
from typing import Self


class Background:
    """Goes through `steps` within a `with` block. The end of the block stops it after the step that it is at.

    An error ends the work, and is raised in the main thread at the end of the block.
    """

    def __init__(self, steps: Iterable[None]) -> None:
        self._steps = steps
        self._error: BaseException | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._go, daemon=True)

    def ended(self, within: float) -> bool:
        """Waits for the end of the work, for at most `within` seconds. Returns whether it came."""
        self._thread.join(within)
        return not self._thread.is_alive()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        if self._error is not None and error is None:
            raise self._error

    def _go(self) -> None:
        try:
            for _ in self._steps:
                if self._stop.is_set():
                    return
        except BaseException as error:  # noqa: BLE001  It is raised in the main thread.
            self._error = error
