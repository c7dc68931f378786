"""Reads from the nodes' pods what gates need: restarts, kills by lack of memory, readiness, and log lines.

Implements `gates.ports.Pods` and `Logs`; created by `sources`.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from orchestrator.cluster import Cluster
from orchestrator.errors import ClusterError
from orchestrator.gates.ports import Lines, Pod
from orchestrator.journal import LINE_LENGTH, MOST_LINES

_EARLIER = 60.0
"""Seconds before the wanted time from which a log is read. A line from that time shows that no later line was lost.

Logs are rotated when they grow (10 MB by default), and the API server does not tell what was dropped.
"""

_MORE = 50
"""How many lines may be added between two reads of a log."""

_CONTAINER = "node"

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(slots=True)
class _Seen:
    """A pod as it was last seen, and the counts of the pods that it replaced."""

    uid: str
    restarts: int
    killed: frozenset[str]
    past_restarts: int = 0


class PodWatch:
    """Counts across replacements of pods. A new pod under the same name is a restart, and its own count starts at 0."""

    def __init__(self, cluster: Cluster, namespace: str, nodes: frozenset[str]) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._nodes = nodes
        self._seen: dict[str, _Seen] = {}

    def facts(self) -> Mapping[str, Pod]:
        pods = self._cluster.list("Pod", self._namespace)
        return {pod["metadata"]["name"]: self._fact(pod) for pod in pods if pod["metadata"]["name"] in self._nodes}

    def _fact(self, pod: Mapping[str, Any]) -> Pod:
        name, uid = str(pod["metadata"]["name"]), str(pod["metadata"]["uid"])
        status = pod.get("status") or {}
        containers = status.get("containerStatuses") or []
        restarts = sum(int(container.get("restartCount", 0)) for container in containers)
        killed = frozenset(f"{uid}/{when}" for container in containers for when in _killed(container))
        before = self._seen.get(name)
        past = 0
        if before is not None:
            replaced = before.uid != uid
            past = before.past_restarts + (before.restarts + 1 if replaced else 0)
            killed |= before.killed
        self._seen[name] = _Seen(uid, restarts, killed, past)
        ready = any(c.get("type") == "Ready" and c.get("status") == "True" for c in status.get("conditions") or [])
        return Pod(restarts=past + restarts, oom_kills=len(killed), ready=ready)


def _killed(container: Mapping[str, Any]) -> Iterator[str]:
    """The times at which the container was killed by lack of memory, as far as its status still shows them."""
    for state in ("state", "lastState"):
        ended = (container.get(state) or {}).get("terminated") or {}
        if ended.get("reason") == "OOMKilled":
            yield f"{container.get('name')} {ended.get('finishedAt')}"


class PodLogs:
    """The log of a node's container and, after a restart, of the container before it."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self._cluster = cluster
        self._namespace = namespace

    def matching(self, node: str, pattern: str, since: float, until: float) -> Lines:
        """The times of matching lines after `since` and up to `until`, in Unix seconds.

        Raises:
            ClusterError: the log cannot be read.
        """
        lines = self._read(node, since, previous=False)
        if not _begins_by(lines, since):
            lines = [*self._before(node, since, lines), *lines]
        return matching(lines, pattern, since, until)

    def _before(self, node: str, since: float, lines: list[str]) -> list[str]:
        """The log of the previous container, if this one's log continues it. A gap may mean lost lines."""
        try:
            before = self._read(node, since, previous=True)
        except ClusterError:  # There was none.
            return []
        last = max(map(_time, before), default=None)
        first = min(map(_time, lines), default=None)
        follows = last is not None and (first is None or first - last < _EARLIER)
        return before if follows else []

    def _read(self, node: str, since: float, *, previous: bool) -> list[str]:
        """The lines since then, and at least one line before, if there is one, to show that nothing was lost."""
        start = datetime.fromtimestamp(since - _EARLIER, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        stream = partial(self._cluster.log_stream, node, self._namespace, container=_CONTAINER, previous=previous)
        lines = [line for line in stream(since=start) if math.isfinite(_time(line))]
        if not _begins_by(lines, since):
            lines = [line for line in stream(tail=len(lines) + _MORE) if math.isfinite(_time(line))]
        return lines


def _begins_by(lines: list[str], when: float) -> bool:
    return any(_time(line) <= when for line in lines)


def _time(line: str) -> float:
    """The time in front of a line, in Unix seconds. NaN if there is none."""
    try:
        return datetime.fromisoformat(line.partition(" ")[0]).timestamp()
    except ValueError:
        return math.nan


def matching(lines: Iterable[str], pattern: str, since: float, until: float) -> Lines:
    """The matching lines, each with its time in front. If no line is old enough, the log begins with its first line."""
    wanted = re.compile(pattern)
    times = [(when, line.partition(" ")[2]) for line in lines if math.isfinite(when := _time(line))]
    whole = min((when for when, _ in times), default=until)
    found = [(when, text) for when, text in times if since < when <= until and wanted.search(text)]
    texts = tuple(cut(text) for _, text in found[:MOST_LINES])
    return Lines(since=max(since, whole), hits=tuple(when for when, _ in found), lines=texts)


def cut(text: str) -> str:
    """A log line as the journal keeps it: without colours, and not longer than `LINE_LENGTH`."""
    plain = _COLOUR.sub("", text).strip()
    return plain if len(plain) <= LINE_LENGTH else plain[: LINE_LENGTH - 1] + "…"
