"""`Testnet`: the network that a user wants. Read by `spec.load`, turned into objects by `render`."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from orchestrator.spec.base import ExactlyOne, Image, LabelKey, LabelValue, Metadata, Model, Name, ObjectName
from orchestrator.spec.node import Client, NodeGroup, ParaGroup, Quantity, RelayGroup
from orchestrator.spec.runtime import RuntimeCode
from orchestrator.units import Bytes, Duration, Plancks

Hex = Annotated[str, StringConstraints(pattern=r"^0x([0-9a-f]{2})*$")]
SIMULATED: Client = "simnode"

RELAY = "relay"
"""The name of the relay chain everywhere in coalmine. Parachains have their own names."""


class Chain(ExactlyOne):
    """The common part of a relay chain and a parachain: where genesis comes from, and what its nodes run."""

    client: Client = Field(default=SIMULATED, description="The program of all its nodes; a group may have another.")
    image: Image | None = Field(default=None, description="Image of all its nodes; by default the client's own.")
    runtime: RuntimeCode | None = Field(default=None, description="Genesis from runtime code and one of its presets.")
    spec_file: str | None = Field(default=None, description="Genesis from a raw chain spec, relative to this file.")
    builtin: str | None = Field(default=None, description="A chain that is built into the client: westend-local.")
    preset: str = Field(default="local_testnet", description="The runtime's genesis preset on which ours is based.")
    genesis: dict[str, Any] = Field(
        default_factory=dict, description="Merged over preset and network (RFC 7396), in the runtime's own field names."
    )
    raw_override: dict[Hex, Hex | None] = Field(
        default_factory=dict, description="Storage keys to set, or to remove with null, after genesis was built."
    )
    spec_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")] | None = Field(
        default=None,
        description="The chain spec's id, by default NETWORK-CHAIN. If it begins with kusama or polkadot, authors do "
        "not slow down when finality stalls, as on the live networks.",
    )
    balances: dict[str, Plancks] = Field(default_factory=dict, description="More endowed accounts (SS58), in plancks.")
    args: tuple[str, ...] = Field(default=(), description="More arguments for all its nodes.")

    @classmethod
    def alternatives(cls) -> tuple[str, ...]:
        return ("runtime", "spec_file", "builtin")

    def client_of(self, group: NodeGroup) -> Client:
        """The client that this chain's group runs."""
        return group.client or self.client

    @property
    def simulated(self) -> bool:
        return self.client == SIMULATED


class Relaychain(Chain):
    """The relay chain and its nodes."""

    slot: Duration = Field(default=6.0, ge=1.0, le=6.0, description="Length of simnode's slots; real runtimes fix it.")
    session_blocks: int = Field(default=10, ge=4, le=600, description="Slots per session of simnode; as above.")
    host_configuration: dict[str, Any] = Field(
        default_factory=dict, description="Fields of the HostConfiguration, in the runtime's snake_case."
    )
    secure_validators: bool = Field(
        default=False,
        description="Whether validators must sandbox PVF workers. Most clusters forbid what the sandbox needs, and the "
        "validators then refuse to start. Without the sandbox, coalmine warns at every `up`.",
    )
    groups: tuple[RelayGroup, ...] = Field(min_length=1, description="The nodes.")

    def validators(self) -> int:
        """The number of validators in genesis."""
        return sum(group.count for group in self.groups if group.role == "validator")


class Parachain(Chain):
    """A parachain and its nodes."""

    id: int = Field(ge=1, le=4_294_967_295, description="The parachain's number.")
    name: Name | None = Field(default=None, description="What it is called here; by default para-ID.")
    relay: Literal["embedded", "rpc"] = Field(
        default="embedded",
        description="Whether its nodes contain a relay node, or ask the relay chain's nodes of role rpc, full or "
        "validator by RPC.",
    )
    onboarding: Literal["genesis", "late", "none"] = Field(
        default="genesis", description="Registered in the relay chain's genesis, later by its root, or not at all."
    )
    cores: int = Field(default=1, ge=0, le=64, description="Its own cores; with 0 it buys blocks on demand.")
    authoring: Literal["lookahead", "slot-based"] = Field(
        default="lookahead", description="How collators author; several cores (elastic scaling) need slot-based."
    )
    ethereum_accounts: bool = Field(default=False, description="Whether accounts are 20-byte Ethereum addresses.")
    groups: tuple[ParaGroup, ...] = Field(min_length=1, description="The nodes.")

    @property
    def chain(self) -> str:
        return self.name or f"para-{self.id}"


class HrmpChannel(Model):
    """A one-way message channel between two parachains, open from genesis."""

    sender: int = Field(description="Id of the parachain that sends.")
    recipient: int = Field(description="Id of the parachain that receives.")
    max_capacity: int = Field(default=8, ge=1, description="Messages that may wait in it.")
    max_message_size: Bytes = Field(default=102_400, ge=1, description="Bytes of one message.")


class OwnPrometheus(Model):
    """The network's own Prometheus, in its namespace."""

    scrape_interval: Duration | None = Field(
        default=None, description="By default 1s for up to 100 nodes of simnode, else 5s."
    )
    storage: Quantity = Field(default="2Gi", description="Size of its volume.")


class ExistingPrometheus(Model):
    """A Prometheus that the cluster already has. It must scrape the network's nodes and label them as ours does."""

    namespace: ObjectName = Field(description="The namespace of its Service.")
    service: ObjectName = Field(description="Its Service.")
    port: int = Field(default=9090, ge=1, le=65535, description="The Service's port.")
    scrape_interval: Duration = Field(default=5.0, description="How often it scrapes the network's nodes.")
    pod_monitor: bool = Field(default=True, description="Whether to create PodMonitors (Prometheus Operator).")
    labels: dict[LabelKey, LabelValue] = Field(
        default_factory=dict, description="Labels by which the operator selects the PodMonitors."
    )


class Observability(ExactlyOne):
    """Who scrapes the network's metrics."""

    own: OwnPrometheus | None = Field(default=None, description="The network's own Prometheus; the default.")
    existing: ExistingPrometheus | None = Field(default=None, description="A Prometheus that the cluster already has.")


class Isolation(Model):
    """What keeps the network to itself."""

    network_policy: bool = Field(
        default=True, description="Whether NetworkPolicies restrict the nodes' traffic to their own namespace."
    )
    fork_id: str | None = Field(default=None, description="The chain specs' forkId; part of all protocol names.")
    protocol_id: str | None = Field(default=None, description="The specs' protocolId; by default the network's own.")


class TestnetSpec(Model):
    """A relay chain, its parachains, and who watches them. Rules between its parts are in `testnet_rules`."""

    __test__ = False

    relaychain: Relaychain = Field(description="The relay chain.")
    parachains: tuple[Parachain, ...] = Field(default=(), description="The parachains.")
    hrmp_channels: tuple[HrmpChannel, ...] = Field(default=(), description="Channels that are open from genesis.")
    observability: Observability = Field(default=Observability(own=OwnPrometheus()), description="Who scrapes metrics.")
    isolation: Isolation = Field(default=Isolation(), description="What keeps the network to itself.")
    ttl: Duration | None = Field(
        default=None, description="Time to live: after it, `coalmine sweep` takes the network down."
    )
    dev_keys: bool = Field(
        default=False, description="Allows the well-known development accounts, whose keys anybody has."
    )

    def groups(self) -> Iterator[tuple[Relaychain | Parachain, RelayGroup | ParaGroup]]:
        """All groups with their chains, in the order of the file."""
        yield from ((self.relaychain, group) for group in self.relaychain.groups)
        yield from ((parachain, group) for parachain in self.parachains for group in parachain.groups)


class Testnet(Model):
    """A network to provision: `kind: Testnet`."""

    __test__ = False

    api_version: Literal["coalmine.dev/v1alpha1"] = Field(default="coalmine.dev/v1alpha1", description="The format.")
    kind: Literal["Testnet"] = Field(description="What this object is.")
    metadata: Metadata = Field(description="The network's name and labels.")
    spec: TestnetSpec = Field(description="The network.")

    @property
    def name(self) -> str:
        return self.metadata.name

    @property
    def namespace(self) -> str:
        return f"coalmine-{self.metadata.name}"
