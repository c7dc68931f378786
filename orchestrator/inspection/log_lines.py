"""Logs of many nodes as one stream, in the order of their times. Called by `cli.logs`.

A watch on the pods starts one follower per container. When a container restarts or a pod is replaced, the new log
continues in the same stream. A broken stream is resumed after its last line.
"""

import contextlib
import heapq
import queue
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

from orchestrator.cluster import Cluster, Object
from orchestrator.errors import ClusterError
from orchestrator.inspection import networks
from orchestrator.inspection.networks import NodeState, Selection

WINDOW = 0.3
"""Seconds that a followed line waits for earlier lines of other nodes."""

RETRY = 1.0
"""Seconds before a failed watch or stream is tried again."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, order=True)
class Line:
    """A line of a log: when it was written (Unix time in nanoseconds), by which node, and its text."""

    at: int
    node: str
    text: str


@dataclass(frozen=True, slots=True)
class Wish:
    """What to read of each node's log."""

    container: str = "node"
    since: datetime | None = None
    tail: int | None = None
    previous: bool = False


def read(cluster: Cluster, nodes: Iterable[NodeState], wish: Wish, say: Say) -> Iterator[Line]:
    """What the nodes have logged up to now. `say` gets a line for each node without a log."""
    chosen = list(nodes)

    def one(node: NodeState) -> list[Line]:
        try:
            return list(_stream(cluster, node.namespace, node.name, wish, follow=False))
        except ClusterError as error:
            say(f"{node.name}: no log: {error.message.rpartition(': ')[2]}")
            return []

    with ThreadPoolExecutor(max(1, min(16, len(chosen)))) as pool:
        yield from heapq.merge(*pool.map(one, chosen))


def follow(cluster: Cluster, namespace: str, selection: Selection, wish: Wish, say: Say) -> Iterator[Line]:
    """What the nodes have logged and will log. It never ends by itself; closing the generator ends its threads."""
    follower = _Follower(cluster, namespace, selection, wish, say)
    order = Reorder(WINDOW)
    try:
        follower.start()
        while True:
            with contextlib.suppress(queue.Empty):
                order.put(follower.lines.get(timeout=WINDOW / 3), time.monotonic())
            yield from order.due(time.monotonic())
    finally:
        follower.ended.set()


class Reorder:
    """Sorts lines by time. A line waits for earlier ones for the length of a window and no longer."""

    def __init__(self, window: float) -> None:
        self._window = window
        self._by_time: list[Line] = []
        self._arrivals: deque[tuple[float, Line]] = deque()

    def put(self, line: Line, now: float) -> None:
        heapq.heappush(self._by_time, line)
        self._arrivals.append((now, line))

    def due(self, now: float) -> Iterator[Line]:
        """The lines whose window is over, in the order of their times."""
        while self._arrivals and self._arrivals[0][0] + self._window <= now:
            _, last = self._arrivals.popleft()
            while self._by_time and self._by_time[0] <= last:
                yield heapq.heappop(self._by_time)


def parse(text: str, node: str) -> Line:
    """Reads a line as the API server sends it, with its time in front. A line without a time gets the time 0."""
    stamp, _, rest = text.partition(" ")
    at = _nanoseconds(stamp)
    return Line(0, node, text) if at is None else Line(at, node, rest)


_ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
_CONTROL = re.compile(r"\x1b(?!\[[0-9;]*m)|[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f]")


def plain(text: str) -> str:
    """The text without colours and control characters."""
    return _CONTROL.sub("", _ESCAPE.sub("", text))


def coloured(text: str) -> str:
    """The text with its colours, but without other control sequences."""
    return _CONTROL.sub("", text)


class _Follower:
    """The threads of one `follow`."""

    def __init__(self, cluster: Cluster, namespace: str, selection: Selection, wish: Wish, say: Say) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._selection = selection
        self._wish = wish
        self._say = say
        self._followed: set[str] = set()
        self.lines: queue.SimpleQueue[Line] = queue.SimpleQueue()
        self.ended = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        first: set[str] = set()
        while not self.ended.is_set():
            try:
                for _, pod in self._cluster.watch("Pod", self._namespace, networks.NODES):
                    if self.ended.is_set():
                        return
                    self._consider(pod, first)
            except ClusterError as error:
                self._say(f"waiting for the API server: {error.message}")
                self.ended.wait(RETRY)

    def _consider(self, pod: Object, seen: set[str]) -> None:
        """Starts a thread for a container that is not followed yet."""
        node = networks.node_of(pod)
        container = _container(pod, self._wish.container)
        if container is None or container in self._followed or not self._selection.takes(node):
            return
        self._followed.add(container)
        again = node.name in seen
        seen.add(node.name)
        if again:
            self._say(f"{node.name}: continues in a new container")
        # The user's options apply to the first container. Its successors are read from their beginning.
        wish = Wish(container=self._wish.container) if again else self._wish
        threading.Thread(target=self._take, args=(node, container, wish), daemon=True).start()

    def _take(self, node: NodeState, container: str, wish: Wish) -> None:
        known = last = 0
        while not self.ended.is_set():
            try:
                for line in _stream(self._cluster, node.namespace, node.name, wish, follow=True):
                    if self.ended.is_set():
                        return
                    if line.at > known:  # `since` is exact to the second only.
                        last = max(last, line.at)
                        self.lines.put(line)
                if not self._lives(node, container):
                    return
            except ClusterError:
                self.ended.wait(RETRY)
                with contextlib.suppress(ClusterError):
                    if not self._lives(node, container):
                        return
            known = last
            since = datetime.fromtimestamp(last / 1e9, UTC) if last else wish.since
            wish = Wish(container=wish.container, since=since)

    def _lives(self, node: NodeState, container: str) -> bool:
        """Whether the container still runs, so that its log may grow."""
        pod = self._cluster.get("Pod", node.name, node.namespace)
        name = self._wish.container
        return pod is not None and _container(pod, name) == container and _running(pod, name)


def _stream(cluster: Cluster, namespace: str, pod: str, wish: Wish, *, follow: bool) -> Iterator[Line]:
    since = wish.since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if wish.since else None
    for text in cluster.log_stream(
        pod,
        namespace,
        container=wish.container,
        since=since,
        tail=wish.tail,
        previous=wish.previous,
        follow=follow,
    ):
        yield parse(text, pod)


def _statuses(pod: Object, name: str) -> Iterator[Object]:
    status = pod.get("status", {})
    for container in (*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])):
        if container["name"] == name:
            yield container


def _container(pod: Object, name: str) -> str | None:
    """The id of the container that runs or last ran under this name."""
    return next((status["containerID"] for status in _statuses(pod, name) if status.get("containerID")), None)


def _running(pod: Object, name: str) -> bool:
    return any("running" in status.get("state", {}) for status in _statuses(pod, name))


_STAMP = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$")


def _nanoseconds(stamp: str) -> int | None:
    """Unix time in nanoseconds of an RFC 3339 time, in any time zone. None if it is not one."""
    match = _STAMP.match(stamp)
    if match is None:
        return None
    seconds = datetime.fromisoformat(match[1] + match[3]).timestamp()
    return int(seconds) * 1_000_000_000 + int((match[2] or "").ljust(9, "0"))
