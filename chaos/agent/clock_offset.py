"""Compares this machine's clock with the controller's, so that any two machines can be compared. Pure except `ask`.

It is NTP's method: the controller's time is taken to be of the middle of the question. So the offset is exact to half
the time that the answer took, on a pod network about a millisecond. Of the last answers the quickest counts.
The kernel's own NTP state would not do: it says what a machine believes, and not how far it is from the others.
"""

import time
from collections import deque
from dataclasses import dataclass, field

import aiohttp

_KEPT = 10
"""Answers of which the quickest counts. There is one a second, and a clock that is set shows after as many."""

_PATIENCE = 0.9
"""Seconds for an answer. One that takes longer says too little."""


@dataclass(frozen=True, slots=True)
class Offset:
    """How far this machine's clock is ahead of the controller's, and how exact that is, in seconds."""

    seconds: float
    error: float


def offset(sent: float, theirs: float, received: float) -> Offset:
    """The offset by one question, from the times at which it was sent and answered by both clocks."""
    return Offset((sent + received) / 2 - theirs, (received - sent) / 2)


@dataclass(slots=True)
class ClockComparison:
    """The last answers. A question without an answer takes the place of the oldest, so that no old answer stays."""

    url: str
    _last: deque[Offset | None] = field(default_factory=lambda: deque(maxlen=_KEPT))

    def keep(self, found: Offset | None) -> None:
        self._last.append(found)

    def best(self) -> Offset | None:
        """The most exact of the last offsets. None if there is no answer."""
        return min((each for each in self._last if each is not None), key=lambda each: each.error, default=None)

    async def ask(self, session: aiohttp.ClientSession) -> None:
        """Asks once. The round trip is measured by a clock that nobody sets."""
        sent, began = time.time(), time.monotonic()
        try:
            async with session.get(self.url, timeout=aiohttp.ClientTimeout(total=_PATIENCE)) as response:
                theirs = float(await response.text())
        except (TimeoutError, aiohttp.ClientError, ValueError):
            self.keep(None)
            return
        self.keep(offset(sent, theirs, sent + time.monotonic() - began))
