"""`Testnet`: the network that a user wants. Read by `spec.load`, turned into objects by `render`."""

from typing import Literal, Self

from pydantic import Field, model_validator

from orchestrator.spec.base import Metadata, Model, Name
from orchestrator.spec.runtime import RuntimeCode
from orchestrator.units import Duration

Client = Literal["simnode"]
RelayRole = Literal["validator", "full", "bootnode"]
ParaRole = Literal["collator", "full"]


class Resources(Model):
    """What a node asks of its machine, as Kubernetes quantities."""

    cpu: str = Field(default="50m", description="CPU request.")
    memory: str = Field(default="128Mi", description="Memory request.")
    memory_limit: str = Field(default="512Mi", description="Memory above which the node is killed.")
    storage: str = Field(default="1Gi", description="Size of the node's volume.")


class NodeGroup(Model):
    """Nodes that differ in nothing but their ordinal: one StatefulSet, one headless Service."""

    name: Name
    count: int = Field(ge=1, le=10_000, description="How many nodes.")
    resources: Resources = Resources()
    args: tuple[str, ...] = Field(default=(), description="More arguments for the node.")

    def node(self, ordinal: int) -> str:
        return f"{self.name}-{ordinal}"

    def nodes(self) -> tuple[str, ...]:
        return tuple(self.node(ordinal) for ordinal in range(self.count))


class RelayGroup(NodeGroup):
    role: RelayRole = "validator"


class ParaGroup(NodeGroup):
    role: ParaRole = "collator"


class Relaychain(Model):
    """The relay chain and its nodes."""

    client: Client = "simnode"
    runtime: RuntimeCode
    slot: Duration = Field(default=6.0, ge=1.0, le=6.0, description="Length of a slot, 1s to 6s.")
    session_blocks: int = Field(default=10, ge=4, le=600, description="Slots in a session.")
    groups: tuple[RelayGroup, ...] = Field(min_length=1)

    def validators(self) -> int:
        return sum(group.count for group in self.groups if group.role == "validator")


class Parachain(Model):
    """A parachain, registered in genesis, and its nodes."""

    id: int = Field(ge=1, le=4_294_967_295)
    name: Name | None = Field(default=None, description="Defaults to para-ID.")
    client: Client = "simnode"
    runtime: RuntimeCode
    groups: tuple[ParaGroup, ...] = Field(min_length=1)

    @property
    def chain(self) -> str:
        return self.name or f"para-{self.id}"


class TestnetSpec(Model):
    """A relay chain, its parachains, and who watches them."""

    __test__ = False

    relaychain: Relaychain
    parachains: tuple[Parachain, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        problems = []
        names = [group.name for group in self.relaychain.groups]
        names += [group.name for parachain in self.parachains for group in parachain.groups]
        problems += [f"two groups are called {name}" for name in sorted({n for n in names if names.count(n) > 1})]
        ids = [parachain.id for parachain in self.parachains]
        problems += [f"two parachains have the id {id_}" for id_ in sorted({i for i in ids if ids.count(i) > 1})]
        if self.relaychain.validators() == 0:
            problems.append("relaychain.groups has no group of role validator, so nobody would author")
        if len(ids) > self.relaychain.validators() > 0:
            problems.append(
                f"{len(ids)} parachains need at least as many validators, there are {self.relaychain.validators()}"
            )
        problems += [
            f"parachain {parachain.id} has no group of role collator"
            for parachain in self.parachains
            if all(group.role != "collator" for group in parachain.groups)
        ]
        if problems:
            raise ValueError("; ".join(problems))
        return self


class Testnet(Model):
    """A network to provision: `kind: Testnet`."""

    __test__ = False

    api_version: Literal["coalmine.dev/v1alpha1"] = "coalmine.dev/v1alpha1"
    kind: Literal["Testnet"]
    metadata: Metadata
    spec: TestnetSpec

    @property
    def name(self) -> str:
        return self.metadata.name

    @property
    def namespace(self) -> str:
        return f"coalmine-{self.metadata.name}"
