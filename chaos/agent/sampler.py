"""Reads all node pods of this machine once a second and keeps their shares of the last scrape's length.

Prometheus sees only the value of the moment at which it scrapes. As each value is over the whole time since the scrape
before, no second is lost between two scrapes. Called by `metrics_server`; `shares` computes.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from chaos.agent.counters import Counters
from chaos.agent.node_pods import NodePod, NodePods
from chaos.agent.shares import Part, Reading, Scarce, growth, shares

INTERVAL = 1.0
"""Seconds between two readings."""


@dataclass(slots=True)
class _Followed:
    """A pod with its last reading and what came in each of the seconds before."""

    pod: NodePod
    last: Reading
    seconds: deque[dict[Scarce, Part]]


@dataclass(slots=True)
class Sampler:
    """`length` is the time in seconds over which shares are taken. `clock` never goes back."""

    pods: NodePods
    counters: Counters
    length: float
    clock: Callable[[], float] = time.monotonic
    _followed: dict[str, _Followed] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def sample(self) -> None:
        """Reads everything once."""
        here = self.pods.here()
        machine = self.counters.machine(self.clock())
        followed = {uid: self._read(uid, pod, machine) for uid, pod in here.items()}
        with self._lock:
            self._followed = followed

    def shares(self) -> tuple[tuple[NodePod, Mapping[Scarce, float]], ...]:
        """The nodes that are here, each with what is known about it. Safe to call from another thread."""
        with self._lock:
            return tuple((each.pod, shares(each.seconds)) for each in self._followed.values())

    def _read(self, uid: str, pod: NodePod, machine: Mapping[Scarce, Part]) -> _Followed:
        now = self.counters.pod(pod.pids, pod.cgroup, machine, self.clock())
        before = self._followed.get(uid)
        kept = max(1, round(self.length / INTERVAL))
        seconds = before.seconds.copy() if before is not None else deque[dict[Scarce, Part]](maxlen=kept)
        if before is not None:
            seconds.append(growth(before.last, now))
        return _Followed(pod, now, seconds)
