"""The readiness ladder: a network is ready when it does what a network does, not when its pods run.

Each rung has a time limit of its own and, when it is not reached, names the node and the cause. After
knowledge/substrate.md section 9. Called by `cli.up` and by `run`.
"""

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from orchestrator.chain import SubstrateReader
from orchestrator.cluster import Cluster
from orchestrator.errors import ChainError, ReadinessError
from orchestrator.genesis.chainspec import RELAY, Node
from orchestrator.provision.access import Access, each
from orchestrator.provision.engine import Progress
from orchestrator.provision.network import Network

T = TypeVar("T")

POLL = 0.5
"""Seconds between two looks at nodes. Their RPC offers no watch through the API server's proxy."""

_CAUSE = re.compile(
    r"(NetworkKeyNotFound|MissingWorkerBinaries|panicked at|Error:|error:|ERROR|Traceback)", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Rung:
    """One condition: `missing` says, per node or in general, what is still not so; empty means reached."""

    name: str
    timeout: float
    missing: Callable[[], dict[str, str]]


@dataclass(frozen=True, slots=True)
class Reached:
    """A rung that was reached, and after how many seconds of waiting on it."""

    name: str
    seconds: float


def climb(cluster: Cluster, network: Network, progress: Progress) -> tuple[Reached, ...]:
    """Climbs all rungs.

    Raises:
        ReadinessError: naming the rung that was not reached, the nodes, and a cause from their state or logs.
    """
    access = Access(cluster, network)
    return climb_rungs(rungs(cluster, network, access), access, progress)


def climb_rungs(ladder: Iterable[Rung], access: Access, progress: Progress) -> tuple[Reached, ...]:
    """Climbs the rungs in order; raises as `climb` does."""
    reached = []
    for rung in ladder:
        started = time.monotonic()
        shown = started
        while missing := rung.missing():
            now = time.monotonic()
            if now - started > rung.timeout:
                raise _failure(rung, missing, access)
            if now - shown > 5:
                shown = now
                progress(f"{rung.name}: waiting for {_some(missing)}")
            time.sleep(POLL)
        reached.append(Reached(rung.name, time.monotonic() - started))
        progress(f"{rung.name} ({reached[-1].seconds:.1f} s)")
    return tuple(reached)


def rungs(cluster: Cluster, network: Network, access: Access) -> tuple[Rung, ...]:
    """The ladder for this network; the rungs about parachains only where there are some."""
    ladder = _Ladder(cluster, network, access)
    relay_slot = network.testnet.spec.relaychain.slot
    session = relay_slot * network.testnet.spec.relaychain.session_blocks
    common = (
        Rung("controller, agents and Prometheus are ready", 180, ladder.services),
        Rung("all pods are ready", 240, ladder.pods),
        Rung("all nodes have the planned genesis", 30, ladder.genesis),
        Rung("all nodes have the planned peer id", 30, ladder.peer_ids),
        Rung("all authorities hold their session keys", 60, ladder.session_keys),
        Rung("best blocks advance on all nodes", 60 + 10 * relay_slot, ladder.best_advances),
        Rung("finality advances on all nodes, and hashes agree", 120 + 10 * relay_slot, ladder.finality_advances),
    )
    if not network.testnet.spec.parachains:
        return common
    return (
        *common,
        Rung("parachains are registered", 60, ladder.registered),
        Rung("each parachain had its first candidate included", 120 + 2 * session, ladder.included),
    )


class _Ladder:
    """The looks that the rungs take, with what they must remember between two looks."""

    def __init__(self, cluster: Cluster, network: Network, access: Access) -> None:
        self._cluster = cluster
        self._network = network
        self._access = access
        self._namespace = network.testnet.namespace
        self._relay = [node for node in access.nodes if node.chain == RELAY]
        self._first_best: dict[str, int] = {}
        self._first_finalized: dict[str, int] = {}

    def services(self) -> dict[str, str]:
        pods = [
            pod
            for component in ("controller", "agent", "prometheus")
            for pod in self._pods(f"app.kubernetes.io/component={component}") or [_absent(component)]
        ]
        return {pod["metadata"]["name"]: why for pod in pods if (why := pod_trouble(pod)) is not None}

    def pods(self) -> dict[str, str]:
        found = {pod["metadata"]["name"]: pod for pod in self._pods("app.kubernetes.io/component=node")}
        troubles = {node.name: pod_trouble(found.get(node.name) or _absent(node.name)) for node in self._access.nodes}
        return {name: why for name, why in troubles.items() if why is not None}

    def genesis(self) -> dict[str, str]:
        planned = {chain.name: chain.genesis_hash for chain in self._network.genesis.chains}
        return self._compare(
            self._access.nodes, lambda n: self._access.reader(n).genesis_hash(), lambda n: planned[n.chain], "genesis"
        )

    def peer_ids(self) -> dict[str, str]:
        return self._compare(
            self._access.nodes, lambda n: self._access.reader(n).peer_id(), lambda n: n.peer_id, "peer id"
        )

    def session_keys(self) -> dict[str, str]:
        """A validator that finds its keys says so by its metric; unsafe RPC is not open to us, on purpose."""
        validators = [node for node in self._relay if node.role == "validator"]
        pages = each(validators, self._access.metrics)
        wanted = re.compile(r"^polkadot_node_is_active_validator(\{[^}]*\})? 1(\.0)?$", re.MULTILINE)
        return {
            name: str(page)
            if isinstance(page, ChainError)
            else "it is no active validator: its session keys are missing"
            for name, page in pages.items()
            if isinstance(page, ChainError) or not wanted.search(page)
        }

    def best_advances(self) -> dict[str, str]:
        heights = each(self._relay, lambda node: self._access.reader(node).best().number)
        return _standing(heights, self._first_best, "best block")

    def finality_advances(self) -> dict[str, str]:
        heads = each(self._relay, lambda node: self._access.reader(node).finalized())
        heights = {name: head if isinstance(head, ChainError) else head.number for name, head in heads.items()}
        if standing := _standing(heights, self._first_finalized, "finalised block"):
            return standing
        height = min(number for number in heights.values() if not isinstance(number, ChainError))
        hashes = each(self._relay, lambda node: self._access.reader(node).hash_at(height))
        first = next(iter(hashes.values()))
        return {
            name: f"block {height} is {found}, elsewhere {first}" for name, found in hashes.items() if found != first
        }

    def registered(self) -> dict[str, str]:
        return self._parachains(lambda reader, para: reader.current_code_hash(para) is not None, "not registered yet")

    def included(self) -> dict[str, str]:
        """The relay chain's head of each parachain is no longer the genesis head, and its nodes finalise it."""
        nodes = [node for node in self._access.nodes if node.chain != RELAY]
        heights = each(nodes, lambda node: self._access.reader(node).finalized().number)
        return {
            name: str(height) if isinstance(height, ChainError) else "no block of its parachain is finalised yet"
            for name, height in heights.items()
            if isinstance(height, ChainError) or height < 1
        }

    # Underneath

    def _pods(self, selector: str) -> list[dict[str, Any]]:
        return self._cluster.list("Pod", self._namespace, selector)

    def _parachains(self, holds: Callable[[SubstrateReader, int], bool], otherwise: str) -> dict[str, str]:
        missing = {}
        reader = self._access.reader(self._relay[0])
        for chain in self._network.genesis.chains:
            if chain.para_id is None:
                continue
            try:
                if not holds(reader, chain.para_id):
                    missing[chain.name] = otherwise
            except ChainError as error:
                missing[chain.name] = str(error)
        return missing

    def _compare(
        self, nodes: Iterable[Node], ask: Callable[[Node], str], planned: Callable[[Node], str], what: str
    ) -> dict[str, str]:
        chosen = list(nodes)
        answers = each(chosen, ask)
        return {
            node.name: str(answers[node.name])
            if isinstance(answers[node.name], ChainError)
            else f"{what} is {answers[node.name]}, planned {planned(node)}"
            for node in chosen
            if answers[node.name] != planned(node)
        }


def pod_trouble(pod: dict[str, Any]) -> str | None:
    """Why a pod is not ready, in a few words; None when it is."""
    status = pod.get("status") or {}
    conditions = {c["type"]: c for c in status.get("conditions", [])}
    if conditions.get("Ready", {}).get("status") == "True":
        return None
    containers = [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]
    for container in containers:
        waiting = container.get("state", {}).get("waiting") or {}
        if waiting.get("reason") not in {None, "PodInitializing", "ContainerCreating"}:
            return f"{waiting['reason']}: {str(waiting.get('message', ''))[:80]}".strip(": ")
        ended = container.get("state", {}).get("terminated") or container.get("lastState", {}).get("terminated")
        if ended and ended.get("exitCode"):
            return f"container {container['name']} ended with {ended['exitCode']} ({ended.get('reason', '')})"
    scheduled = conditions.get("PodScheduled", {})
    if scheduled.get("status") == "False":
        return f"not scheduled: {scheduled.get('message', '')}"
    return str(status.get("phase", "not there")).lower()


def _absent(name: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "status": {"phase": "not there yet"}}


def _standing(heights: dict[str, int | ChainError], first: dict[str, int], what: str) -> dict[str, str]:
    """Nodes whose height has not grown since the first look at them."""
    standing = {}
    for name, height in heights.items():
        if isinstance(height, ChainError):
            standing[name] = str(height)
        elif height <= first.setdefault(name, height):
            standing[name] = f"{what} stands at {height}"
    return standing


def _some(missing: dict[str, str]) -> str:
    shown = [f"{name} ({why})" for name, why in list(missing.items())[:3]]
    more = len(missing) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _failure(rung: Rung, missing: dict[str, str], access: Access) -> ReadinessError:
    by_name = {node.name: node for node in access.nodes}
    for name in missing:
        if name in by_name and (
            lines := [line for line in access.log_tail(by_name[name]).splitlines() if _CAUSE.search(line)]
        ):
            return ReadinessError(
                f"{rung.name}: not within {rung.timeout:g} s: {_some(missing)}", hint=f"{name}: {lines[-1]}"
            )
    return ReadinessError(f"{rung.name}: not within {rung.timeout:g} s: {_some(missing)}")
