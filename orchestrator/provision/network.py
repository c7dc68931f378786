"""Brings a testnet up and takes it down: secrets, custom resource definitions, the program. Called by `cli`, `run`.

What may not pass through an engine's state stays here: seed and agents' token live in two Secrets and in memory.
"""

import base64
import secrets
import time
from dataclasses import dataclass
from typing import Any

from orchestrator.cluster import Cluster
from orchestrator.errors import ClusterError, ProvisionError
from orchestrator.genesis import chainspec
from orchestrator.genesis.chainspec import NetworkGenesis
from orchestrator.provision import state_applied
from orchestrator.provision.engine import Change, Engine, Progress, Stack
from orchestrator.render import Images, Manifest, render
from orchestrator.spec import Testnet
from orchestrator.spec.crd import crds

SEED_SECRET = "coalmine-seed"  # noqa: S105  The name of a Secret, not one.
TOKEN_SECRET = "coalmine-agent-token"  # noqa: S105  As above.
CUSTOM = ("ChaosExperiment", "RuntimeUpgrade")


@dataclass(frozen=True, slots=True)
class Network:
    """A testnet with all that was planned for it."""

    testnet: Testnet
    genesis: NetworkGenesis
    manifests: tuple[Manifest, ...]

    @property
    def stack(self) -> Stack:
        return Stack(program="testnet", name=self.testnet.name, namespace=self.testnet.namespace)


def plan(testnet: Testnet, images: Images, seed: bytes) -> Network:
    """Genesis and objects of a testnet; pure."""
    genesis = chainspec.build(testnet, seed)
    return Network(testnet, genesis, render(testnet, genesis, images))


def preview(cluster: Cluster, engine: Engine, testnet: Testnet, images: Images) -> tuple[Change, ...]:
    """What `up` would change. A network that has no seed yet is shown with one that is thrown away."""
    seed = _read_seed(cluster, testnet.namespace) or secrets.token_bytes(32)
    network = plan(testnet, images, seed)
    return engine.preview(network.stack, network.manifests)


def up(cluster: Cluster, engine: Engine, testnet: Testnet, images: Images, progress: Progress) -> Network:
    """Applies everything; the nodes may still be starting when this returns.

    Raises:
        ProvisionError: when the API server refuses an object, or somebody else is changing the network.
    """
    namespace = testnet.namespace
    _create_namespace(cluster, testnet)
    for definition in crds():
        cluster.apply(definition)
    network = plan(testnet, images, _seed(cluster, namespace))
    _token(cluster, namespace)
    _established(cluster)
    state_applied.remember(cluster, testnet)
    engine.up(network.stack, network.manifests, progress)
    return network


def attach(cluster: Cluster, testnet: Testnet, images: Images) -> Network:
    """The network as it was planned, for one that is up already.

    Raises:
        ProvisionError: when it is not there.
    """
    seed = _read_seed(cluster, testnet.namespace)
    if seed is None:
        hint = "bring it up with `coalmine up`"
        raise ProvisionError(f"there is no network {testnet.name} in {cluster.context}", hint=hint)
    return plan(testnet, images, seed)


def down(cluster: Cluster, engine: Engine, name: str, progress: Progress) -> None:
    """Ends faults first, for only a living controller can; then deletes everything, volumes included."""
    namespace = f"coalmine-{name}"
    if cluster.get("Namespace", namespace) is None:
        progress(f"there is no network {name}")
        return
    _end_experiments(cluster, namespace, progress)
    engine.down(Stack(program="testnet", name=name, namespace=namespace), progress)
    cluster.delete("Namespace", namespace)
    _wait_gone(cluster, namespace, progress)
    if not cluster.list_all("Namespace", "app.kubernetes.io/managed-by=coalmine"):
        for definition in crds():
            cluster.delete("CustomResourceDefinition", definition["metadata"]["name"])


def _create_namespace(cluster: Cluster, testnet: Testnet) -> None:
    """The namespace before the program runs, for the Secrets and the lock stand in it; the program then owns it."""
    labels = {"app.kubernetes.io/managed-by": "coalmine", "coalmine.dev/network": testnet.name}
    document = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": testnet.namespace, "labels": labels}}
    _create_once(cluster, document)


def _seed(cluster: Cluster, namespace: str) -> bytes:
    """The network's seed, made when there is none."""
    _create_once(cluster, _secret(SEED_SECRET, namespace, "seed", secrets.token_hex(32)))
    seed = _read_seed(cluster, namespace)
    assert seed is not None
    return seed


def _token(cluster: Cluster, namespace: str) -> None:
    _create_once(cluster, _secret(TOKEN_SECRET, namespace, "token", secrets.token_urlsafe(32)))


def _read_seed(cluster: Cluster, namespace: str) -> bytes | None:
    found = cluster.get("Secret", SEED_SECRET, namespace)
    return bytes.fromhex(base64.b64decode(found["data"]["seed"]).decode()) if found else None


def _secret(name: str, namespace: str, key: str, value: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace, "labels": {"app.kubernetes.io/managed-by": "coalmine"}}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "immutable": True, "stringData": {key: value}}


def _create_once(cluster: Cluster, document: dict[str, Any]) -> None:
    """Creates an object; one that is there already stays as it is."""
    try:
        cluster.create(document)
    except ClusterError as error:
        if error.status != 409:
            raise


def _established(cluster: Cluster) -> None:
    """Waits until the API server serves our kinds; it takes a second or so after their first creation."""
    deadline = time.monotonic() + 30
    while True:
        definitions = [cluster.get("CustomResourceDefinition", d["metadata"]["name"]) for d in crds()]
        conditions = [c for d in definitions if d for c in d.get("status", {}).get("conditions", [])]
        if sum(c["type"] == "Established" and c["status"] == "True" for c in conditions) == len(definitions):
            return
        if time.monotonic() > deadline:
            raise ProvisionError("the API server did not establish coalmine's custom resources within 30 s")
        time.sleep(0.2)


def _end_experiments(cluster: Cluster, namespace: str, progress: Progress) -> None:
    names = [(kind, item["metadata"]["name"]) for kind in CUSTOM for item in _custom(cluster, kind, namespace)]
    for kind, name in names:
        cluster.delete(kind, name, namespace)
    deadline = time.monotonic() + 30
    while left := [item for kind in CUSTOM for item in _custom(cluster, kind, namespace)]:
        if time.monotonic() > deadline:
            break
        time.sleep(0.3)
    for item in left:
        name = item["metadata"]["name"]
        progress(f"{name}: no controller ended it in 30 s; its faults end by the agents' time limit")
        cluster.patch(item["kind"], name, namespace, {"metadata": {"finalizers": None}})


def _custom(cluster: Cluster, kind: str, namespace: str) -> list[dict[str, Any]]:
    try:
        return [{**item, "kind": kind} for item in cluster.list(kind, namespace)]
    except ClusterError as error:
        if error.status == 404:  # The definitions are gone already.
            return []
        raise


def _wait_gone(cluster: Cluster, namespace: str, progress: Progress) -> None:
    started = time.monotonic()
    while cluster.get("Namespace", namespace) is not None:
        if time.monotonic() - started > 180:
            raise ProvisionError(
                f"namespace {namespace} is still there after 180 s",
                hint=f"`kubectl get namespace {namespace} -o yaml` says what it waits for",
            )
        time.sleep(0.3)
    progress(f"namespace {namespace} is gone after {time.monotonic() - started:.0f} s")
