"""Reads testnets from the cluster, without a file. Called by `cli` and by the other modules of this package.

Labels name an object's network, group, role and chain. StatefulSets say how many nodes there should be, pods which ones
exist. A ConfigMap holds the last applied Testnet.
"""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from orchestrator.cluster import Cluster, Object
from orchestrator.errors import ClusterError, UsageError
from orchestrator.inspection import last_applied, pods
from orchestrator.spec.testnet import RELAY

OURS = "app.kubernetes.io/managed-by=coalmine"
NODES = f"{OURS},app.kubernetes.io/component=node"


@dataclass(frozen=True, slots=True)
class NodeState:
    """A node that should exist, and its pod if it has one."""

    testnet: str
    namespace: str
    name: str
    group: str
    role: str
    chain: str
    para_id: int | None
    trouble: str | None
    """Why it is not ready, in a few words. None if it is ready."""
    pod: Object = field(repr=False)
    """The pod's document; empty if there is none."""

    @property
    def ready(self) -> bool:
        return self.trouble is None

    @property
    def restarts(self) -> int:
        return sum(int(status["restartCount"]) for status in self._containers)

    @property
    def created(self) -> datetime | None:
        return _time(self.pod)

    @property
    def machine(self) -> str | None:
        found = self.pod.get("spec", {}).get("nodeName")
        return str(found) if found else None

    @property
    def ip(self) -> str | None:
        found = self.pod.get("status", {}).get("podIP")
        return str(found) if found else None

    @property
    def image(self) -> str | None:
        """The image of the node's container, as its template names it."""
        return next((c["image"] for c in self.pod.get("spec", {}).get("containers", []) if c["name"] == "node"), None)

    def port(self, name: str) -> int | None:
        """The number of a named port of the node's container, such as `rpc` or `rpc-relay`."""
        containers = self.pod.get("spec", {}).get("containers", [])
        ports = [port for container in containers for port in container.get("ports", [])]
        return next((int(port["containerPort"]) for port in ports if port.get("name") == name), None)

    @property
    def _containers(self) -> list[Object]:
        return list(self.pod.get("status", {}).get("containerStatuses", []))


@dataclass(frozen=True, slots=True)
class ParachainState:
    """A parachain and its nodes."""

    testnet: str
    id: int
    chain: str
    nodes: tuple[NodeState, ...]


@dataclass(frozen=True, slots=True)
class TestnetState:
    """A testnet in the cluster, possibly one that is being deleted."""

    __test__ = False

    name: str
    namespace: str
    created: datetime | None
    terminating: bool
    nodes: tuple[NodeState, ...]
    applied: Object | None = field(repr=False)
    """The last applied Testnet. None if it was applied by a version of coalmine that stored none."""

    @property
    def phase(self) -> str:
        if self.terminating:
            return "Terminating"
        return "Ready" if self.nodes and all(node.ready for node in self.nodes) else "NotReady"

    @property
    def parachains(self) -> tuple[ParachainState, ...]:
        ids = sorted({(node.para_id, node.chain) for node in self.nodes if node.para_id is not None})
        return tuple(
            ParachainState(self.name, id_, chain, tuple(node for node in self.nodes if node.para_id == id_))
            for id_, chain in ids
        )

    @property
    def relay(self) -> tuple[NodeState, ...]:
        return tuple(node for node in self.nodes if node.chain == RELAY)


@dataclass(frozen=True, slots=True)
class Selection:
    """Selects nodes of a testnet. A field that is not set selects all."""

    names: tuple[str, ...] = ()
    group: str | None = None
    role: str | None = None
    chain: str | None = None
    """`relay`, or a parachain by name or id."""

    def __bool__(self) -> bool:
        return bool(self.names) or any((self.group, self.role, self.chain))

    def takes(self, node: NodeState) -> bool:
        return (
            (not self.names or node.name in self.names)
            and self.group in {None, node.group}
            and self.role in {None, node.role}
            and self.chain in {None, node.chain, str(node.para_id)}
        )


def testnets(cluster: Cluster) -> tuple[TestnetState, ...]:
    """All testnets of a cluster, by name."""
    spaces = [space for space in cluster.list_all("Namespace", OURS) if _network(space)]
    sets, pods = cluster.list_all("StatefulSet", NODES), cluster.list_all("Pod", NODES)
    applied = cluster.list_all("ConfigMap", f"{OURS},{last_applied.COMPONENT}")
    found = [
        _assemble(space, *(_within(space["metadata"]["name"], items) for items in (sets, pods, applied)))
        for space in spaces
    ]
    return tuple(sorted(found, key=lambda testnet: testnet.name))


def testnet(cluster: Cluster, name: str | None) -> TestnetState:
    """The testnet of this name. Without a name, the only testnet there is.

    Raises:
        UsageError: there is no such testnet, or there are several and no name was given.
    """
    if name is None:
        return _only(testnets(cluster), cluster)
    namespace = f"coalmine-{name}"
    space = cluster.get("Namespace", namespace)
    if space is None:
        there = [_network(other) for other in cluster.list_all("Namespace", OURS)]
        raise unknown("testnet", name, there)
    applied = cluster.get("ConfigMap", last_applied.NAME, namespace)
    return _assemble(
        space,
        cluster.list("StatefulSet", namespace, NODES),
        cluster.list("Pod", namespace, NODES),
        [applied] if applied else [],
    )


def select(nodes: Iterable[NodeState], selection: Selection) -> tuple[NodeState, ...]:
    """The selected nodes.

    Raises:
        UsageError: the selection names something that does not exist, or no node matches all of it.
    """
    there = tuple(nodes)
    known = {
        "node": [node.name for node in there],
        "group": [node.group for node in there],
        "role": [node.role for node in there],
        "chain": [word for node in there for word in (node.chain, str(node.para_id or node.chain))],
    }
    asked = [("node", name) for name in selection.names]
    asked += [(what, getattr(selection, what)) for what in ("group", "role", "chain") if getattr(selection, what)]
    for what, word in asked:
        if word not in known[what]:
            raise unknown(what, word, known[what])
    chosen = tuple(node for node in there if selection.takes(node))
    if not chosen:
        raise UsageError("no node is selected", hint="a node must match every part of the selection")
    return chosen


def unknown(what: str, word: str, known: Iterable[str]) -> UsageError:
    """The error for an unknown name, with the names that the user may have meant."""
    names = sorted(set(known))
    near = difflib.get_close_matches(word, names, n=3, cutoff=0.5) or names[:8]
    hint = f"did you mean {', '.join(near)}?" if near else f"there is no {what} at all"
    return UsageError(f"there is no {what} {word}", hint=hint)


def events(cluster: Cluster, namespace: str, names: Iterable[str] | None = None) -> list[Object]:
    """Kubernetes' events of the namespace, oldest first. With `names`, only events about objects of these names."""
    wanted = None if names is None else set(names)
    found = [e for e in cluster.list("Event", namespace) if wanted is None or e["involvedObject"].get("name") in wanted]
    return sorted(found, key=lambda e: str(e.get("lastTimestamp") or e.get("eventTime") or ""))


def experiments(cluster: Cluster, namespace: str) -> list[Object]:
    """The chaos experiments and runtime upgrades in the namespace, each with its kind."""
    found = []
    for kind in ("ChaosExperiment", "RuntimeUpgrade"):
        try:
            found += [{**item, "kind": kind} for item in cluster.list(kind, namespace)]
        except ClusterError as error:
            if error.status != 404:  # The custom resource definitions may not exist.
                raise
    return found


# Underneath


def _only(found: tuple[TestnetState, ...], cluster: Cluster) -> TestnetState:
    if len(found) == 1:
        return found[0]
    if not found:
        raise UsageError(f"there is no testnet in {cluster.context}", hint="`coalmine up FILE` brings one up")
    names = ", ".join(testnet.name for testnet in found)
    raise UsageError(f"there are {len(found)} testnets: {names}", hint="say which one with --testnet")


def _assemble(space: Object, sets: list[Object], found_pods: list[Object], applied: list[Object]) -> TestnetState:
    by_name = {pod["metadata"]["name"]: pod for pod in found_pods}
    metadata = space["metadata"]
    nodes = [
        _node(metadata["name"], group["metadata"]["labels"], name, by_name.get(name))
        for group in sorted(sets, key=_order)
        for name in (f"{group['metadata']['name']}-{ordinal}" for ordinal in range(group["spec"]["replicas"]))
    ]
    return TestnetState(
        name=_network(space),
        namespace=metadata["name"],
        created=_time(space),
        terminating=space.get("status", {}).get("phase") == "Terminating",
        nodes=tuple(nodes),
        applied=last_applied.document(applied[0]) if applied else None,
    )


def node_of(pod: Object) -> NodeState:
    """A node's state from its pod alone."""
    metadata = pod["metadata"]
    return _node(metadata["namespace"], metadata["labels"], metadata["name"], pod)


def _node(namespace: str, labels: dict[str, str], name: str, pod: Object | None) -> NodeState:
    word = "coalmine.dev/"
    para_id = labels.get(word + "para-id")
    return NodeState(
        testnet=labels[word + "network"],
        namespace=namespace,
        name=name,
        group=labels[word + "group"],
        role=labels[word + "role"],
        chain=labels[word + "chain"],
        para_id=int(para_id) if para_id is not None else None,
        trouble=_trouble(pod),
        pod=pod or {},
    )


def _trouble(pod: Object | None) -> str | None:
    if pod is None:
        return "not there"
    return "terminating" if "deletionTimestamp" in pod["metadata"] else pods.trouble(pod)


def _order(group: Object) -> tuple[int, bool, str]:
    """Sort key: the relay chain first, then parachains by id; within a chain by role and name."""
    labels = group["metadata"]["labels"]
    para_id = int(labels.get("coalmine.dev/para-id", -1))
    return para_id, labels["coalmine.dev/role"] not in {"validator", "collator"}, str(group["metadata"]["name"])


def _within(namespace: str, items: list[Object]) -> list[Object]:
    return [item for item in items if item["metadata"]["namespace"] == namespace]


def _network(space: Object) -> str:
    return str(space["metadata"].get("labels", {}).get("coalmine.dev/network", ""))


def _time(document: dict[str, Any]) -> datetime | None:
    text = document.get("metadata", {}).get("creationTimestamp")
    return datetime.fromisoformat(text) if text else None
