"""Renders node groups: each is a StatefulSet, a headless Service and a PodDisruptionBudget. Called by `network`."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from orchestrator import node_identity, tcp_ports
from orchestrator.genesis.chainspec import NetworkGenesis
from orchestrator.node_identity import NodeIdentity
from orchestrator.render import clients
from orchestrator.render.clients import Placement
from orchestrator.render.common import Images, labels
from orchestrator.render.manifest import Manifest, from_template
from orchestrator.spec import NodeGroup, Parachain, Testnet
from orchestrator.spec.profiles import profile
from orchestrator.spec.testnet import RELAY

KEYS_SECRET = "coalmine-keys-"  # noqa: S105  The beginning of a Secret's name, not one.
"""Prefix of the Secret with a group's imported keys, before the group's name. `provision` creates the Secret."""


@dataclass(frozen=True, slots=True)
class PlacedGroup:
    """A group with its place in the network."""

    group: NodeGroup
    place: Placement
    para_id: int | None

    @property
    def client(self) -> str:
        return self.place.spec.client_of(self.group)

    @property
    def chains(self) -> tuple[str, ...]:
        """The chains whose specs the nodes need from us, their own first. Chains built into a client are left out."""
        named = [(self.place.chain, self.place.spec)]
        if not self.place.is_relay:
            named.append((RELAY, self.place.relay))
        return tuple(name for name, spec in named if spec.builtin is None)


def placed(testnet: Testnet, genesis: NetworkGenesis) -> tuple[PlacedGroup, ...]:
    """All groups, in the order of the file."""
    return tuple(_placed(testnet, genesis))


def _placed(testnet: Testnet, genesis: NetworkGenesis) -> Iterator[PlacedGroup]:
    relay = testnet.spec.relaychain
    relay_bootnodes = _bootnodes(testnet, genesis, RELAY)
    for chain, group in testnet.spec.groups():
        is_para = isinstance(chain, Parachain)
        name = chain.chain if isinstance(chain, Parachain) else RELAY
        place = Placement(
            namespace=testnet.namespace,
            role=group.role,
            chain=name,
            spec=chain,
            relay=relay,
            secure_validators=relay.secure_validators,
            relay_bootnodes=relay_bootnodes,
            para_bootnodes=_bootnodes(testnet, genesis, name) if is_para else (),
            relay_rpc=_relay_rpc(testnet) if isinstance(chain, Parachain) and chain.relay == "rpc" else (),
        )
        yield PlacedGroup(group, place, chain.id if isinstance(chain, Parachain) else None)


def _bootnodes(testnet: Testnet, genesis: NetworkGenesis, chain: str) -> tuple[str, ...]:
    """Addresses of two bootnodes, so that one may fail: the first nodes with the first role that the chain has."""
    for role in ("bootnode", "validator", "collator"):
        nodes = [node for node in genesis.nodes if node.chain == chain and node.role == role]
        if nodes:
            return tuple(clients.address(node, testnet.namespace) for node in nodes[:2])
    return ()


def _relay_rpc(testnet: Testnet) -> tuple[str, ...]:
    """Addresses of two relay nodes that serve RPC to parachains' nodes, with the most suitable role that exists."""
    for role in ("rpc", "full", "archive", "validator"):
        nodes = [
            f"ws://{group.node(ordinal)}.{group.name}.{testnet.namespace}.svc:{tcp_ports.NODE.rpc}"
            for group in testnet.spec.relaychain.groups
            if group.role == role
            for ordinal in range(group.count)
        ]
        if nodes:
            return tuple(nodes[:2])
    return ()


def objects(
    testnet: Testnet, genesis: NetworkGenesis, images: Images, item: PlacedGroup, chunks: dict[str, int]
) -> list[Manifest]:
    """One group's objects. `chunks` is the number of ConfigMaps of each chain's spec."""
    group, place = item.group, item.place
    para = {"para_id": str(item.para_id)} if item.para_id is not None else {}
    region = {"region": group.region} if group.region else {}
    ours = labels(testnet, "node", group=group.name, role=place.role, chain=place.chain, **para, **region)
    return from_template(
        "group.yaml.j2",
        testnet.namespace,
        labels={**group.labels, **ours},
        group=group,
        resources=profile(group, client=item.client, role=place.role),
        images=asdict(images),
        node_image=image(item, images),
        init_command=_init_command(testnet, item, parties=genesis.parties),
        identity_variable=node_identity.VARIABLE,
        identity=_identity(group, place),
        command=list(clients.CLIENTS[item.client].command(group, place)),
        embedded_relay=place.embedded_relay,
        chunks={chain: chunks[chain] for chain in item.chains},
        keys_secret=f"{KEYS_SECRET}{group.name}" if group.keys is not None and group.keys.file is not None else None,
    )


def _identity(group: NodeGroup, place: Placement) -> str:
    """Who the group's nodes are, with the labels that `observability` gives to their metrics."""
    chains = (place.chain, RELAY) if place.embedded_relay else (place.chain,)
    return NodeIdentity(group=group.name, role=place.role, chains=chains).model_dump_json()


def image(item: PlacedGroup, images: Images) -> str:
    """The image of the group's nodes: the group's own, else the chain's, else the client's."""
    own = images.clients.get(item.client) or clients.CLIENTS[item.client].image
    return item.group.image or item.place.spec.image or own or images.coalmine


def _init_command(testnet: Testnet, item: PlacedGroup, *, parties: int) -> list[str]:
    group, place = item.group, item.place
    types = {"validator": "relay", "collator": "para"}.get(place.role, "none")
    barrier = f"http://coalmine-controller.{testnet.namespace}.svc:{tcp_ports.CONTROLLER}/barrier/{testnet.name}"
    dev = group.keys.dev if group.keys is not None and group.keys.dev is not None else ()
    archive = group.snapshot.archive if group.snapshot is not None else None
    return [
        *("python3", "-m", "orchestrator.nodeinit"),
        *("--group", group.name),
        *("--types", types),
        *("--seed-file", "/etc/coalmine/seed/seed"),
        *("--key-directory", clients.KEYS),
        *("--chunks", "/etc/coalmine/chain"),
        *("--spec-directory", clients.SPECS),
        *(part for chain in item.chains for part in ("--chain", chain)),
        *(part for name in dev for part in ("--dev", name)),
        *(("--uris", "/etc/coalmine/uris") if group.keys is not None and group.keys.file is not None else ()),
        *(("--snapshot", archive.url, "--snapshot-sha256", archive.sha256) if archive is not None else ()),
        *("--barrier", barrier),
        *("--parties", str(parties)),
    ]
