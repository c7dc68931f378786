"""All objects of a network, in the order in which they are applied. Called by `cli.render` and by `provision`.

Their number grows with the groups and not with the nodes: a StatefulSet, a Service and a PodDisruptionBudget each.
"""

import base64
import gzip
import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from orchestrator import units
from orchestrator.genesis.chainspec import RELAY, ChainGenesis, NetworkGenesis
from orchestrator.render import clients
from orchestrator.render.manifest import Manifest, from_template
from orchestrator.render.profiles import profile
from orchestrator.spec import NodeGroup, Testnet

CHUNK = 700_000
"""Bytes of a compressed chain spec in one ConfigMap: with base64 it stays below the limit of 1 MiB."""

SMALL = 100
"""Up to so many nodes Prometheus scrapes every second; above, every five."""


@dataclass(frozen=True, slots=True)
class Images:
    """References of the images that the network runs on."""

    coalmine: str
    prometheus: str


def render(testnet: Testnet, genesis: NetworkGenesis, images: Images) -> tuple[Manifest, ...]:
    """Every object of the network except its two Secrets, which `provision` makes and nothing stores."""
    return tuple(_objects(testnet, genesis, images))


def scrape_interval(nodes: int) -> float:
    """Seconds between two scrapes of a node."""
    return 1.0 if nodes <= SMALL else 5.0


def _objects(testnet: Testnet, genesis: NetworkGenesis, images: Images) -> Iterator[Manifest]:
    space, common = testnet.namespace, {"network": testnet.name, "images": asdict(images)}
    yield from from_template("namespace.yaml.j2", space, **common)
    chunks: dict[str, int] = {}
    for chain in genesis.chains:
        specs = list(_chain_spec(testnet, chain))
        chunks[chain.name] = len(specs)
        yield from specs
    yield from from_template("controller.yaml.j2", space, labels=_labels(testnet, "controller"), **common)
    yield from from_template("agent.yaml.j2", space, labels=_labels(testnet, "agent"), **common)
    yield from _prometheus(testnet, genesis, images)
    for group, place, para_id in _groups(testnet, genesis):
        yield from _group(testnet, group, place, para_id=para_id, genesis=genesis, chunks=chunks, images=images)


def _labels(testnet: Testnet, component: str, **more: str) -> dict[str, str]:
    return {
        "app.kubernetes.io/managed-by": "coalmine",
        "app.kubernetes.io/component": component,
        "coalmine.dev/network": testnet.name,
        **{f"coalmine.dev/{key.replace('_', '-')}": value for key, value in more.items()},
    }


def _chain_spec(testnet: Testnet, chain: ChainGenesis) -> Iterator[Manifest]:
    packed = gzip.compress(chain.spec, compresslevel=9, mtime=0)
    pieces = [packed[start : start + CHUNK] for start in range(0, len(packed), CHUNK)]
    for index, piece in enumerate(pieces):
        yield from from_template(
            "chain-spec.yaml.j2",
            testnet.namespace,
            labels=_labels(testnet, "chain-spec", chain=chain.name),
            chain=chain.name,
            index=index,
            chunk=base64.b64encode(piece).decode(),
            sha256=hashlib.sha256(chain.spec).hexdigest(),
            genesis_hash=chain.genesis_hash,
        )


@dataclass(frozen=True, slots=True)
class _Job:
    """What Prometheus scrapes of one group: its nodes' own chain, or the relay nodes inside its collators."""

    name: str
    record: str
    group: str
    role: str
    chain: str


def _prometheus(testnet: Testnet, genesis: NetworkGenesis, images: Images) -> Iterator[Manifest]:
    interval = units.format_duration(scrape_interval(len(genesis.nodes)))
    jobs = tuple(_jobs(testnet, genesis))
    yield from from_template(
        "prometheus.yaml.j2",
        testnet.namespace,
        network=testnet.name,
        labels=_labels(testnet, "prometheus"),
        interval=interval,
        lookback=f"{round(2500 * scrape_interval(len(genesis.nodes)))}ms",  # Prometheus takes whole numbers only.
        jobs=jobs,
        config_hash=hashlib.sha256(repr((interval, jobs)).encode()).hexdigest()[:16],
        images=asdict(images),
    )


def _jobs(testnet: Testnet, genesis: NetworkGenesis) -> Iterator[_Job]:
    for group, place, _ in _groups(testnet, genesis):
        service = f"{group.name}.{testnet.namespace}.svc.cluster.local"
        yield _Job(group.name, f"_prometheus._tcp.{service}", group.name, place.role, place.chain)
        if place.chain != RELAY:
            yield _Job(f"{group.name}-relay", f"_prom-relay._tcp.{service}", group.name, place.role, RELAY)


def _groups(testnet: Testnet, genesis: NetworkGenesis) -> Iterator[tuple[NodeGroup, clients.Placement, int | None]]:
    relay = _bootnodes(testnet, genesis, RELAY, roles=("bootnode", "validator"))
    for group in testnet.spec.relaychain.groups:
        yield group, clients.Placement(testnet.namespace, group.role, RELAY, relay, ()), None
    for parachain in testnet.spec.parachains:
        para = _bootnodes(testnet, genesis, parachain.chain, roles=("collator",))
        for para_group in parachain.groups:
            place = clients.Placement(testnet.namespace, para_group.role, parachain.chain, relay, para)
            yield para_group, place, parachain.id


def _bootnodes(testnet: Testnet, genesis: NetworkGenesis, chain: str, *, roles: tuple[str, ...]) -> tuple[str, ...]:
    """Addresses of the first nodes of the first role that the chain has: two, so that one may be lost."""
    for role in roles:
        nodes = [node for node in genesis.nodes if node.chain == chain and node.role == role]
        if nodes:
            return tuple(clients.address(node, testnet.namespace) for node in nodes[:2])
    return ()


def _group(
    testnet: Testnet,
    group: NodeGroup,
    place: clients.Placement,
    *,
    para_id: int | None,
    genesis: NetworkGenesis,
    chunks: dict[str, int],
    images: Images,
) -> list[Manifest]:
    client = testnet.spec.relaychain.client
    chains = (RELAY,) if place.chain == RELAY else (place.chain, RELAY)
    para = {"para_id": str(para_id)} if para_id is not None else {}
    return from_template(
        "group.yaml.j2",
        testnet.namespace,
        labels=_labels(testnet, "node", group=group.name, role=place.role, chain=place.chain, **para),
        group=group,
        resources=profile(group, client=client, role=place.role),
        images=asdict(images),
        node_image=images.coalmine,
        init_command=_init_command(testnet, group, place, chains=chains, parties=genesis.parties),
        command=list(clients.CLIENTS[client].command(group, place)),
        embedded_relay=place.chain != RELAY,
        chunks={chain: chunks[chain] for chain in chains},
    )


def _init_command(
    testnet: Testnet, group: NodeGroup, place: clients.Placement, *, chains: tuple[str, ...], parties: int
) -> list[str]:
    types = {"validator": "relay", "collator": "para"}.get(place.role, "none")
    barrier = f"http://coalmine-controller.{testnet.namespace}.svc:9701/barrier/{testnet.name}"
    return [
        *("python3", "-m", "orchestrator.nodeinit"),
        *("--group", group.name),
        *("--types", types),
        *("--seed-file", "/etc/coalmine/seed/seed"),
        *("--key-directory", clients.KEYS),
        *("--chunks", "/etc/coalmine/chain"),
        *("--spec-directory", clients.SPECS),
        *(part for chain in chains for part in ("--chain", chain)),
        *("--barrier", barrier),
        *("--parties", str(parties)),
    ]
