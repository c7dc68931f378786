"""The rungs of the readiness ladder. Called by `ladder`.

A running process proves nothing. So each rung checks the next thing that a network does, up to parachains whose code
every validator has prepared. A check returns what is still missing, by node or in general.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from orchestrator.chain.parachains import ParachainReader
from orchestrator.cluster import Cluster
from orchestrator.errors import ChainError, ReadinessError
from orchestrator.genesis.chainspec import Node
from orchestrator.inspection import pods
from orchestrator.inspection.reach import ask_all
from orchestrator.inspection.waiting import summary
from orchestrator.provision.network import Network
from orchestrator.readiness import causes, onboarding, rollout
from orchestrator.readiness.access import Access
from orchestrator.spec.testnet import RELAY, HrmpChannel, Parachain

_SIGNED = (
    "polkadot_node_is_active_validator",
    "substrate_finality_grandpa_precommits_total",
    "substrate_proposer_block_constructed_count",
)
"""Metrics that are above 0 only on a node that has found its keys."""

_PODS = "all pods are ready"

HOPELESS = 4
"""Restarts of a node after which the rung gives up. The first ones may be caused by a volume or a peer."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One condition. `missing` returns what is still missing, by node or in general; empty means reached.

    `asked` are the names of the nodes that it asks; none where it asks for something else.
    """

    name: str
    timeout: float
    missing: Callable[[], dict[str, str]]
    asked: frozenset[str] = frozenset()


def rungs(cluster: Cluster, network: Network, access: Access) -> tuple[Rung, ...]:
    """The rungs for this network. Rungs about parachains are there only if it has parachains."""
    return tuple(_rungs(_Looks(cluster, network, access), network))


def _rungs(look: "_Looks", network: Network) -> Iterator[Rung]:
    spec = network.testnet.spec
    slot, session = network.genesis.timing.slot, network.genesis.timing.session
    nodes = network.genesis.nodes
    all_, relay, validators = _names(nodes), _names(_relay(nodes)), _names(_validators(nodes))
    yield Rung("controller, agents and Prometheus are ready", 180, look.services)
    yield Rung(_PODS, 900, look.pods, all_)
    yield Rung("all nodes have the planned genesis", 30, look.genesis, all_)
    yield Rung("all nodes have the planned peer id", 30, look.peer_ids, all_)
    yield Rung("all authorities hold their session keys", 120 + 10 * slot, look.session_keys, validators)
    yield Rung("best blocks advance on all nodes", 60 + 10 * slot, look.best_advances, relay)
    yield Rung("finality advances on all nodes, and hashes agree", 120 + 10 * slot, look.finality_advances, relay)
    if onboarding.needed(spec):
        # A parachain is onboarded two sessions after its registration. Before that, validators prepare its code.
        yield Rung("what genesis could not register is onboarded", 300 + 4 * session, look.onboarded)
    if not any(parachain.onboarding != "none" for parachain in spec.parachains):
        return
    # A parachain in genesis gets its core at the first change of session (polkadot-sdk, `paras/mod.rs`).
    yield Rung("parachains are registered", 60 + session, look.registered)
    # Parachains without a core author only when somebody orders a block, and nobody has yet.
    authoring = {parachain.chain for parachain in spec.parachains if parachain.onboarding != "none" and parachain.cores}
    if authoring:
        of_parachains = _names(node for node in nodes if node.chain in authoring)
        yield Rung("each parachain had its first candidate included", 180 + 2 * session, look.included, of_parachains)
    if spec.hrmp_channels:
        yield Rung("HRMP channels are open", 60 + 2 * session, look.channels)
    if authoring:
        # Before that, a parachain's block rate would show how fast its code compiles.
        yield Rung("validators have prepared the parachains' code", 300, look.prepared, validators)


class _Looks:
    """The checks of the rungs, and what they must remember from one check to the next."""

    def __init__(self, cluster: Cluster, network: Network, access: Access) -> None:
        self._cluster = cluster
        self._network = network
        self._access = access
        self._namespace = network.testnet.namespace
        self._relay = _relay(access.nodes)
        self._validators = _validators(access.nodes)
        self._parachains = [p for p in network.testnet.spec.parachains if p.onboarding != "none"]
        self._onboarding: onboarding.Onboarding | None = None
        self._first_best: dict[str, int] = {}
        self._first_finalized: dict[str, int] = {}

    def services(self) -> dict[str, str]:
        own = ("prometheus",) if self._network.testnet.spec.observability.own is not None else ()
        found = [
            pod
            for component in ("controller", "agent", *own)
            for pod in self._pods(f"app.kubernetes.io/component={component}") or [pods.absent(component)]
        ]
        return {pod["metadata"]["name"]: why for pod in found if (why := pods.trouble(pod)) is not None}

    def pods(self) -> dict[str, str]:
        found = {pod["metadata"]["name"]: pod for pod in self._pods("app.kubernetes.io/component=node")}
        there = [(node, found.get(node.name) or pods.absent(node.name)) for node in self._access.nodes]
        troubles = {node.name: pods.trouble(pod) for node, pod in there}
        found_wanting = {name: why for name, why in troubles.items() if why is not None}
        if hopeless := [node for node, pod in there if pods.restarts_held_back(pod) >= HOPELESS]:
            ends = {node.name: found_wanting[node.name] for node in hopeless}
            raise ReadinessError(
                f"{_PODS}: gave up after {HOPELESS} restarts: {summary(ends)}",
                hint=causes.first(self._access, hopeless),
            )
        # When a running network is changed, a pod may be ready and about to be replaced.
        return found_wanting or rollout.missing(self._cluster, self._namespace)

    def genesis(self) -> dict[str, str]:
        """A chain that is built into its client has no planned genesis. Its nodes must then agree on one."""
        answers = ask_all(self._access.nodes, lambda node: self._access.reader(node).genesis_hash())
        planned = {chain.name: chain.genesis_hash for chain in self._network.genesis.chains}
        for node in self._access.nodes:
            planned.setdefault(node.chain, str(answers[node.name]))
        return _different(self._access.nodes, answers, lambda node: planned[node.chain], "genesis")

    def peer_ids(self) -> dict[str, str]:
        answers = ask_all(self._access.nodes, lambda node: self._access.reader(node).peer_id())
        return _different(self._access.nodes, answers, lambda node: node.peer_id, "peer id")

    def session_keys(self) -> dict[str, str]:
        """A validator shows that it has its keys by what it signs. Unsafe RPC, which could tell, is closed on purpose.

        There is a metric for it, but it appears only at the first change of session, after up to an hour.
        """
        pages = ask_all(self._validators, self._access.metrics)
        return {
            node: str(page) if isinstance(page, ChainError) else "it has signed nothing: are its session keys there?"
            for node, page in pages.items()
            if isinstance(page, ChainError) or not any(_sample(page, name) for name in _SIGNED)
        }

    def best_advances(self) -> dict[str, str]:
        heights = ask_all(self._relay, lambda node: self._access.reader(node).best().number)
        return _standing(heights, self._first_best, "best block")

    def finality_advances(self) -> dict[str, str]:
        heads = ask_all(self._relay, lambda node: self._access.reader(node).finalized())
        heights = {name: head if isinstance(head, ChainError) else head.number for name, head in heads.items()}
        if standing := _standing(heights, self._first_finalized, "finalised block"):
            return standing
        height = min(number for number in heights.values() if not isinstance(number, ChainError))
        hashes = ask_all(self._relay, lambda node: self._access.reader(node).hash_at(height))
        first = next(iter(hashes.values()))
        return {
            name: f"block {height} is {found}, elsewhere {first}" for name, found in hashes.items() if found != first
        }

    def onboarded(self) -> dict[str, str]:
        if self._onboarding is None:
            self._onboarding = onboarding.onboarding(self._cluster, self._network)
        return self._onboarding.missing()

    def registered(self) -> dict[str, str]:
        return self._on_relay(
            (parachain.chain, partial(_is_registered, parachain), "not registered") for parachain in self._parachains
        )

    def included(self) -> dict[str, str]:
        """The nodes of each parachain have finalised a block, so the relay chain has included and finalised one."""
        names = {parachain.chain for parachain in self._parachains if parachain.cores}
        nodes = [node for node in self._access.nodes if node.chain in names]
        heights = ask_all(nodes, lambda node: self._access.reader(node).finalized().number)
        return {
            name: str(height) if isinstance(height, ChainError) else "no block of its parachain is finalised yet"
            for name, height in heights.items()
            if isinstance(height, ChainError) or height < 1
        }

    def channels(self) -> dict[str, str]:
        return self._on_relay(
            (f"{channel.sender} to {channel.recipient}", partial(_is_open, channel), "not open")
            for channel in self._network.testnet.spec.hrmp_channels
        )

    def prepared(self) -> dict[str, str]:
        """Every validator has finished all preparations of code that it began, and at least one."""
        begun, concluded = "polkadot_pvf_prepare_enqueued", "polkadot_pvf_prepare_concluded"
        pages = ask_all(self._validators, self._access.metrics)
        missing = {}
        for name, page in pages.items():
            if isinstance(page, ChainError):
                missing[name] = str(page)
            elif (done := _sample(page, concluded)) < max(1.0, wanted := _sample(page, begun)):
                missing[name] = f"{done:g} of {wanted:g} prepared"
        return missing

    # Underneath

    def _pods(self, selector: str) -> list[dict[str, Any]]:
        return self._cluster.list("Pod", self._namespace, selector)

    def _on_relay(self, questions: Iterable[tuple[str, Callable[[ParachainReader], bool], str]]) -> dict[str, str]:
        """Asks one relay node several things, each with its name and what it means when the answer is no."""
        reader = ParachainReader(self._access.reader(self._relay[0]))
        missing = {}
        for name, holds, otherwise in questions:
            try:
                if not holds(reader):
                    missing[name] = otherwise
            except ChainError as error:
                missing[name] = str(error)
        return missing


def _relay(nodes: Iterable[Node]) -> list[Node]:
    return [node for node in nodes if node.chain == RELAY]


def _validators(nodes: Iterable[Node]) -> list[Node]:
    return [node for node in _relay(nodes) if node.role == "validator"]


def _names(nodes: Iterable[Node]) -> frozenset[str]:
    return frozenset(node.name for node in nodes)


def _is_registered(parachain: Parachain, relay: ParachainReader) -> bool:
    return relay.lifecycle(parachain.id) in {"Parathread", "Parachain"}


def _is_open(channel: HrmpChannel, relay: ParachainReader) -> bool:
    return relay.channel(channel.sender, channel.recipient) is not None


def _sample(page: str, name: str) -> float:
    """The value of a metric with one series. 0 if the page lacks it: such counters appear with their first count."""
    found = re.search(rf"^{name}(?:\{{[^}}]*\}})? ([0-9.e+]+)$", page, re.MULTILINE)
    return float(found[1]) if found else 0.0


def _standing(heights: dict[str, int | ChainError], first: dict[str, int], what: str) -> dict[str, str]:
    """Nodes whose height has not grown since the first look at them."""
    standing = {}
    for name, height in heights.items():
        if isinstance(height, ChainError):
            standing[name] = str(height)
        elif height <= first.setdefault(name, height):
            standing[name] = f"{what} stands at {height}"
    return standing


def _different(
    nodes: Iterable[Node], answers: dict[str, str | ChainError], planned: Callable[[Node], str], what: str
) -> dict[str, str]:
    """Nodes that do not answer, or whose answer is not the planned one."""
    return {
        node.name: str(answer) if isinstance(answer, ChainError) else f"{what} is {answer}, planned {planned(node)}"
        for node in nodes
        if (answer := answers[node.name]) != planned(node)
    }
