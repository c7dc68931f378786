"""The conditions that a user can wait for. Called by `cli.wait`.

Pods are watched. Nodes are asked for their heights twice a second, all at once, because their RPC offers no watch
through the API server. A node that has reached the height is not asked again.
"""

import threading
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Self

from orchestrator.chain import SubstrateReader
from orchestrator.cluster import Cluster
from orchestrator.errors import ChainError, ClusterError, UsageError
from orchestrator.inspection import live, networks
from orchestrator.inspection.networks import NodeState, Selection, TestnetState
from orchestrator.inspection.reach import ask_all
from orchestrator.inspection.waiting import POLL, WORDS, Condition


@dataclass(eq=False)
class PodsReady:
    """Every selected node has a ready pod. A thread watches the pods within the condition's `with` block."""

    cluster: Cluster
    nodes: tuple[NodeState, ...]
    name: str = "pods ready"
    _troubles: dict[str, str | None] = field(init=False)
    _ended: threading.Event = field(init=False, default_factory=threading.Event)

    @property
    def asked(self) -> frozenset[str]:
        return frozenset(self._troubles)

    def __post_init__(self) -> None:
        self._troubles = {node.name: node.trouble for node in self.nodes}

    def __enter__(self) -> Self:
        threading.Thread(target=self._watch, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()

    def missing(self) -> dict[str, str]:
        return {name: why for name, why in self._troubles.items() if why is not None}

    def _watch(self) -> None:
        while not self._ended.is_set():
            try:
                for kind, pod in self.cluster.watch("Pod", self.nodes[0].namespace, networks.NODES):
                    name = pod["metadata"]["name"]
                    if name in self._troubles:
                        self._troubles[name] = "not there" if kind == "DELETED" else networks.node_of(pod).trouble
                    if self._ended.is_set():
                        return
            except ClusterError:
                self._ended.wait(POLL)


Measure = Callable[[SubstrateReader], int]


@dataclass(eq=False)
class AtLeast:
    """A measured number is at least `least` on every selected node."""

    name: str
    what: str
    least: int
    measure: Measure
    cluster: Cluster
    nodes: tuple[NodeState, ...]
    _open: dict[str, NodeState] = field(init=False)

    @property
    def asked(self) -> frozenset[str]:
        return frozenset(node.name for node in self.nodes)

    def __post_init__(self) -> None:
        self._open = {node.name: node for node in self.nodes}

    def missing(self) -> dict[str, str]:
        answers = ask_all(self._open.values(), lambda node: self.measure(self._reader(node)))
        missing = {name: why for name, found in answers.items() if (why := self._short(found)) is not None}
        self._open = {name: node for name, node in self._open.items() if name in missing}
        return missing

    def _short(self, found: int | ChainError) -> str | None:
        if isinstance(found, ChainError):
            return found.message
        return f"{self.what} {found}" if found < self.least else None

    def _reader(self, node: NodeState) -> SubstrateReader:
        if not node.pod:  # It had no pod when the wait began, so its ports are not known. It may have one now.
            found = self.cluster.get("Pod", node.name, node.namespace)
            if found is None:
                raise ChainError("not there")
            node = self._open[node.name] = networks.node_of(found)
        return live.reader(self.cluster, node)


@dataclass(eq=False)
class ParachainsIncluded:
    """The relay chain has included a block of each parachain. The genesis block does not count."""

    cluster: Cluster
    testnet: TestnetState
    para_ids: tuple[int, ...]
    name: str = field(init=False)
    asked: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self.name = f"included a block of {', '.join(map(str, self.para_ids))}"

    def missing(self) -> dict[str, str]:
        found = live.included(self.cluster, self.testnet.relay, self.para_ids)
        return {
            str(para_id): number.message if isinstance(number, ChainError) else "still at genesis"
            for para_id, number in found.items()
            if isinstance(number, ChainError) or number == 0
        }


@dataclass(frozen=True, slots=True)
class WaitFor:
    """The value of one `--for`: its word, and what stands behind `=`."""

    word: str
    value: str | None


def parse(text: str) -> WaitFor:
    """Reads the value of one `--for`.

    Raises:
        UsageError: it is not valid.
    """
    word, equals, value = text.partition("=")
    if word == "ready" and not equals:
        return WaitFor(word, None)
    if word in {"best", "finalized", "session"} and value.isdecimal():
        return WaitFor(word, value)
    if word == "parachain-included" and value and all(part.isdecimal() for part in value.split(",")):
        return WaitFor(word, value)
    raise UsageError(f"cannot wait for {text!r}", hint=f"known are {WORDS}")


def conditions(
    asked: Iterable[WaitFor], cluster: Cluster, testnet: TestnetState, selection: Selection, stack: ExitStack
) -> list[Condition]:
    """The conditions that the user asked for. Their watches end with the stack.

    Heights are of each node's own chain. Without a selection only the relay chain's nodes are asked.

    Raises:
        UsageError: a selected node or parachain does not exist, or a session is asked for without a relay node.
    """
    nodes = networks.select(testnet.nodes, selection)
    relay = tuple(node for node in nodes if node.para_id is None)
    found: list[Condition] = []
    for wish in asked:
        least = int(wish.value) if wish.value and wish.value.isdecimal() else 0
        heights = nodes if selection else relay
        if wish.word == "ready":
            found.append(stack.enter_context(PodsReady(cluster, nodes)))
            found.append(AtLeast("every node finalises", "finalised", 1, _finalized, cluster, nodes))
        elif wish.word == "best":
            found.append(AtLeast(f"best block {least}", "best", least, _best, cluster, heights))
        elif wish.word == "finalized":
            found.append(AtLeast(f"finalised block {least}", "finalised", least, _finalized, cluster, heights))
        elif wish.word == "session":
            if not relay:
                raise UsageError("only relay chain nodes know sessions, and none is selected")
            found.append(AtLeast(f"session {least}", "session", least, SubstrateReader.session, cluster, relay))
        else:
            found.append(ParachainsIncluded(cluster, testnet, _known(wish.value or "", testnet)))
    return found


def _known(ids: str, testnet: TestnetState) -> tuple[int, ...]:
    there = [str(parachain.id) for parachain in testnet.parachains]
    for word in ids.split(","):
        if word not in there:
            raise networks.unknown("parachain", word, there)
    return tuple(int(word) for word in ids.split(","))


def _best(reader: SubstrateReader) -> int:
    return reader.best().number


def _finalized(reader: SubstrateReader) -> int:
    return reader.finalized().number
