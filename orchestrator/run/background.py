"""Does work in a thread, so that it need not wait for what the main thread does. Used by `custom` and `clock`."""

import threading
from collections.abc import Iterable
from types import TracebackType
from typing import Self


class InThread:
    """Does its `_work` in a thread within a `with` block. The end of the block sets `_stop` and waits for the thread.

    An error ends the work, and is raised in the main thread by `check` and at the end of the block.
    """

    def __init__(self) -> None:
        self._error: BaseException | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._go, daemon=True)

    def check(self) -> None:
        """Raises the error that ended the work, if there was one."""
        if self._error is not None:
            raise self._error

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        if error is None:
            self.check()

    def _go(self) -> None:
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001  It is raised in the main thread.
            self._error = error

    def _work(self) -> None:
        """What is done until `_stop` is set."""
        raise NotImplementedError


class Background(InThread):
    """Goes through `steps`. The end of the block stops it after the step that it is at."""

    def __init__(self, steps: Iterable[None]) -> None:
        super().__init__()
        self._steps = steps

    def ended(self, within: float) -> bool:
        """Waits for the end of the work, for at most `within` seconds. Returns whether it came."""
        self._thread.join(within)
        return not self._thread.is_alive()

    def _work(self) -> None:
        for _ in self._steps:
            if self._stop.is_set():
                return
