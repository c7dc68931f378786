"""Brings a testnet up and takes it down: secrets, custom resource definitions, the program. Called by `cli`, `run`.

Whatever can be refused is refused before anything is changed (`prepare`). Secrets must not enter an engine's state, so
this module creates them itself (`vault`).
"""

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from orchestrator.cluster import Cluster
from orchestrator.engine import inventory, lock, ownership
from orchestrator.engine.inventory import Inventory
from orchestrator.engine.port import Change, Engine, Stack
from orchestrator.errors import ClusterError, ProvisionError
from orchestrator.genesis import chainspec
from orchestrator.genesis.chainspec import NetworkGenesis
from orchestrator.inspection import last_applied
from orchestrator.progress import Progress
from orchestrator.provision import capacity, caveats, continuity, definitions, effects, lifetime, vault, volumes
from orchestrator.provision.effects import Effect
from orchestrator.render import Images, Manifest, render
from orchestrator.spec import Testnet

CUSTOM = ("ChaosExperiment", "RuntimeUpgrade")
BARRIER = "coalmine-barrier"
"""The ConfigMap in which the controller records that the nodes have started (`chaos.barrier`)."""


@dataclass(frozen=True, slots=True)
class Network:
    """A testnet with its genesis and its objects."""

    testnet: Testnet
    genesis: NetworkGenesis
    manifests: tuple[Manifest, ...]

    @property
    def stack(self) -> Stack:
        return _stack(self.testnet.name)


@dataclass(frozen=True, slots=True)
class Prepared:
    """What an `up` would do, fully checked. The user must see the `warnings`."""

    network: Network
    known: Inventory
    changes: tuple[Change, ...]
    effects: tuple[Effect, ...]
    warnings: tuple[str, ...] = ()


def plan(testnet: Testnet, images: Images, seed: bytes) -> Network:
    """Genesis and objects of a new testnet. Pure. `seed` is 32 bytes."""
    return _planned(testnet, images, chainspec.build(testnet, seed))


def prepare(cluster: Cluster, engine: Engine, testnet: Testnet, images: Images) -> Prepared:
    """What `up` would do. Changes nothing. A network without a seed is planned with a temporary one.

    Raises:
        Refused: the file needs another genesis, other volumes, or objects of another owner.
        ProvisionError: the network needs more room than the cluster has.
    """
    return _prepared(cluster, engine, testnet, images, vault.read_seed(cluster, testnet.namespace) or vault.new_seed())


def up(cluster: Cluster, engine: Engine, testnet: Testnet, images: Images, progress: Progress) -> Network:
    """Applies everything. Continues an interrupted `up`. The nodes may still be starting when this returns.

    Raises:
        ProvisionError: the API server refuses an object, or somebody else is changing the network.
        Refused: as in `prepare`; nothing has been changed then.
    """
    namespace = testnet.namespace
    if _leaving(_own_namespace(cluster, testnet.name)):
        _wait_gone(cluster, namespace, progress)
    seed = vault.read_seed(cluster, namespace) or vault.new_seed()
    prepared = _prepared(cluster, engine, testnet, images, seed)
    _tell(prepared, progress)
    _create_namespace(cluster, testnet)
    with lock.held(cluster, namespace) as held:
        kept = vault.keep_seed(cluster, namespace, seed)
        known = inventory.read(cluster, namespace)
        if kept != seed or known.version != prepared.known.version:  # Somebody changed it since we looked.
            prepared = _prepared(cluster, engine, testnet, images, kept)
        definitions.ensure(cluster, at=lock.now().isoformat())
        vault.keep_token(cluster, namespace)
        vault.keep_imported(cluster, testnet)
        _remember_founding(cluster, engine, prepared)
        engine.up(prepared.network.stack, prepared.network.manifests, held, progress)
        last_applied.remember(cluster, testnet)
        _annotate(cluster, namespace, lifetime.at_up(testnet.spec.ttl, lock.now()))
    return prepared.network


def attach(cluster: Cluster, testnet: Testnet, images: Images) -> Network:
    """The plan of a network that is already up.

    Raises:
        ProvisionError: there is no such network.
    """
    namespace = testnet.namespace
    seed = vault.read_seed(cluster, namespace)
    if seed is None:
        hint = "bring it up with `coalmine up`"
        raise ProvisionError(f"there is no network {testnet.name} in {cluster.context}", hint=hint)
    known = inventory.read(cluster, namespace)
    genesis = chainspec.build(testnet, seed)
    genesis = continuity.with_genesis_of(genesis, _whole(testnet, genesis, seed, known))
    running = continuity.running_chains(cluster, namespace)
    return _planned(
        testnet, images, replace(continuity.with_running_specs(genesis, running), founders=known.parties or None)
    )


def down(cluster: Cluster, engine: Engine, name: str, progress: Progress) -> None:
    """Ends the faults while the controller still runs, then deletes everything, including volumes.

    Continues an interrupted `down`: it removes unused custom resource definitions even if the network is already gone.

    Raises:
        ProvisionError: somebody else is changing the network, or it is still there after the time limit.
        Refused: the namespace is not a network of ours.
    """
    namespace = f"coalmine-{name}"
    found = _own_namespace(cluster, name)
    if found is None:
        progress(f"there is no network {name}")
    elif _leaving(found):
        _wait_gone(cluster, namespace, progress)
    else:
        with lock.held(cluster, namespace) as held:
            _end_experiments(cluster, namespace, progress)
            engine.down(_stack(name), held, progress)
            cluster.delete("Namespace", namespace)
            _wait_gone(cluster, namespace, progress)
    definitions.remove_unused(cluster)


def down_keeping_data(cluster: Cluster, engine: Engine, name: str, progress: Progress) -> None:
    """Takes down everything that runs. Keeps what the same network needs to continue: volumes, seed and genesis.

    They stay in the namespace: the claims of the volumes, the Secret with the seed (the nodes' keys come from it), and
    the chain specs (the data continues their genesis). The next `up` finds them. A `down` without keeping, or `sweep`
    after the time to live, deletes them too.

    Raises:
        ProvisionError: as in `down`, or the volumes cannot be detached from their StatefulSets.
        Refused: as in `down`.
    """
    namespace = f"coalmine-{name}"
    found = _own_namespace(cluster, name)
    if found is None or _leaving(found):
        raise ProvisionError(f"there is no network {name} whose data could be kept")
    _same_engine(engine, inventory.read(cluster, namespace))
    with lock.held(cluster, namespace) as held:
        _end_experiments(cluster, namespace, progress)
        volumes.retain(cluster, namespace)
        stay = [Manifest(_namespace(name)), *_chain_specs(cluster, namespace)]
        engine.up(_stack(name), stay, held, progress)
        _wait_quiet(cluster, namespace)
        # All nodes will start again together, so the next `up` may wait for a different number of them.
        cluster.delete("ConfigMap", BARRIER, namespace)
        _annotate(cluster, namespace, {lifetime.KEPT: lifetime.text(lock.now())})
    claims = cluster.list("PersistentVolumeClaim", namespace)
    progress(f"kept {len(claims)} volumes, the seed and genesis in namespace {namespace}")


# What an `up` would do


def _prepared(cluster: Cluster, engine: Engine, testnet: Testnet, images: Images, seed: bytes) -> Prepared:
    fresh = _own_namespace(cluster, testnet.name) is None
    known = Inventory() if fresh else inventory.read(cluster, testnet.namespace)
    _same_engine(engine, known)
    network = _continued(cluster, testnet, images, seed, known)
    wanted = [manifest.key for manifest in network.manifests]
    live = {} if fresh else ownership.look(cluster, testnet.namespace, (*wanted, *known.objects))
    ownership.refuse_others({key: live.get(key) for key in wanted}, testnet.name)
    changes = _changes(engine, network, fresh=fresh)
    effects.refuse_loss(changes)
    said = (*caveats.warnings(testnet, network.manifests), *_room(cluster, network, live))
    return Prepared(network, known, changes, effects.effects(changes, network.manifests, live), said)


def _changes(engine: Engine, network: Network, *, fresh: bool) -> tuple[Change, ...]:
    if fresh:  # There is nothing to compare with, and no namespace in which an engine could look.
        return tuple(Change(manifest.key, "create") for manifest in network.manifests)
    return engine.preview(network.stack, network.manifests)


def _room(cluster: Cluster, network: Network, live: ownership.Live) -> tuple[str, ...]:
    found = capacity.read(cluster)
    if found is None:
        return ("WARNING: we may not list the cluster's machines, so its capacity is not checked",)
    warning = capacity.require(capacity.demands(network.manifests, live), found)
    return (warning,) if warning else ()


def _continued(cluster: Cluster, testnet: Testnet, images: Images, seed: bytes, known: Inventory) -> Network:
    """The file's network on the genesis that already runs."""
    genesis = chainspec.build(testnet, seed)
    if known.founded is None:
        return _planned(testnet, images, genesis)
    running = continuity.running_chains(cluster, testnet.namespace)
    whole = _whole(testnet, genesis, seed, known)
    continuity.require_same_genesis(whole, running)
    started = cluster.get("ConfigMap", BARRIER, testnet.namespace) is not None
    founders = known.parties if started else None
    return _planned(testnet, images, replace(continuity.with_genesis_of(genesis, whole), founders=founders))


def _whole(testnet: Testnet, genesis: NetworkGenesis, seed: bytes, known: Inventory) -> NetworkGenesis:
    """The file's genesis plus the parachains that were in the first genesis and have left the file since."""
    if known.founded is None:
        return genesis
    everyone = continuity.with_departed(testnet, known.founded)
    return genesis if everyone is testnet else chainspec.build(everyone, seed)


def _planned(testnet: Testnet, images: Images, genesis: NetworkGenesis) -> Network:
    return Network(testnet, genesis, render(testnet, genesis, images))


def _same_engine(engine: Engine, known: Inventory) -> None:
    if known.engine not in {"", engine.name}:
        raise ProvisionError(
            f"the {known.engine} engine brought this network up, and its state does not fit {engine.name}",
            hint=f"use --engine {known.engine}; `coalmine down` works with either engine",
        )


def _remember_founding(cluster: Cluster, engine: Engine, prepared: Prepared) -> None:
    """Records the Testnet that genesis is built from, at the first `up`, and how many nodes the barrier waits for."""
    known, network = prepared.known, prepared.network
    founded = known.founded or network.testnet
    parties = network.genesis.parties
    if (known.engine, known.founded, known.parties) != (engine.name, founded, parties):
        updated = replace(known, engine=engine.name, founded=founded, parties=parties)
        inventory.write(cluster, network.testnet.namespace, updated)


def _tell(prepared: Prepared, progress: Progress) -> None:
    for warning in prepared.warnings:
        progress(warning)
    if prepared.known.objects:
        for line in effects.summary(prepared.effects):
            progress(line)


# The namespace


def _stack(name: str) -> Stack:
    return Stack(program="testnet", name=name, namespace=f"coalmine-{name}")


def _namespace(name: str) -> dict[str, Any]:
    labels = {ownership.MANAGED_BY: "coalmine", ownership.NETWORK: name}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"coalmine-{name}", "labels": labels}}


def _own_namespace(cluster: Cluster, name: str) -> dict[str, Any] | None:
    """The network's namespace; None if there is none.

    Raises:
        Refused: it belongs to somebody else.
    """
    found = cluster.get("Namespace", f"coalmine-{name}")
    ownership.refuse_others({f"Namespace/coalmine-{name}": found}, name)
    return found


def _leaving(found: dict[str, Any] | None) -> bool:
    return found is not None and "deletionTimestamp" in found["metadata"]


def _create_namespace(cluster: Cluster, testnet: Testnet) -> None:
    """Creates the namespace before the program runs: the Secrets and the lock need it. The program then owns it."""
    document = _namespace(testnet.name)
    document["metadata"]["annotations"] = lifetime.at_creation(lock.user(), lock.now())
    vault.create_once(cluster, document)


def _annotate(cluster: Cluster, namespace: str, annotations: dict[str, str | None] | dict[str, str]) -> None:
    cluster.patch("Namespace", namespace, None, {"metadata": {"annotations": annotations}})


# Taking down


def _chain_specs(cluster: Cluster, namespace: str) -> Sequence[Manifest]:
    """The running chain specs, in the form in which they were applied."""
    found = cluster.list("ConfigMap", namespace, "app.kubernetes.io/component=chain-spec")
    return [
        Manifest(
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {key: item["metadata"][key] for key in ("name", "namespace", "labels")},
                **{key: item[key] for key in ("data", "binaryData", "immutable") if key in item},
            }
        )
        for item in found
    ]


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
        progress(f"{name}: no controller ended it in 30 s; the agents end its faults at their time limit")
        with contextlib.suppress(ClusterError):  # It may be gone at this moment.
            cluster.patch(item["kind"], name, namespace, {"metadata": {"finalizers": None}})


def _custom(cluster: Cluster, kind: str, namespace: str) -> list[dict[str, Any]]:
    try:
        return [{**item, "kind": kind} for item in cluster.list(kind, namespace)]
    except ClusterError as error:
        if error.status == 404:  # The definitions are gone already.
            return []
        raise


def _wait_quiet(cluster: Cluster, namespace: str, patience: float = 120.0) -> None:
    """Waits until the network has no pod left: before that its data may still change."""
    deadline = time.monotonic() + patience
    while pods := cluster.list("Pod", namespace):
        if time.monotonic() > deadline:
            names = ", ".join(pod["metadata"]["name"] for pod in pods[:3])
            raise ProvisionError(f"{len(pods)} pods still run after {patience:g} s: {names}")
        time.sleep(0.3)


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
