"""Groups of nodes: what a user says of the nodes themselves. Used by `testnet`; `render` makes StatefulSets of them."""

import re
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from orchestrator.spec.base import ExactlyOne, Image, LabelKey, LabelValue, Model, Name, ObjectName
from orchestrator.units import Plancks, quantity

Client = Literal["simnode", "polkadot", "polkadot-omni-node", "polkadot-parachain", "command"]
RelayRole = Literal["validator", "full", "bootnode", "archive", "rpc"]
ParaRole = Literal["collator", "full", "bootnode", "archive", "rpc"]
ROLES = ("validator", "collator", "full", "bootnode", "archive", "rpc")
AUTHORITIES = frozenset({"validator", "collator"})

Quantity = Annotated[str, StringConstraints(pattern=r"^\d+(\.\d+)?(m|k|Ki|M|Mi|G|Gi|T|Ti)?$")]
"""A Kubernetes quantity, such as `250m` (a quarter of a core), `512Mi` or `2`."""

Argument = Annotated[str, StringConstraints(min_length=1)]
EXCLUDED = "-:"
"""Before an argument: coalmine's own argument of that name is left out, as zombienet writes it."""

PLACES = (
    *("name", "host", "spec", "relay_spec", "data", "node_key", "keystore"),
    *("p2p", "rpc", "prometheus", "bootnodes"),
)
"""What may stand in braces in the `program` of client `command`; only coalmine knows these."""

_PLACE = re.compile(r"\{(\w*)\}")
_ENVIRONMENT_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")


class Resources(Model):
    """What a node asks of its machine. What is not given follows from the client and the role."""

    cpu: Quantity | None = Field(
        default=None, description="CPU request; by default what such a node was measured to use."
    )
    memory: Quantity | None = Field(default=None, description="Memory request; by default as measured.")
    memory_limit: Quantity | None = Field(default=None, description="Memory above which the node is killed.")
    storage: Quantity | None = Field(default=None, description="Size of the node's volume.")

    @model_validator(mode="after")
    def _limit_covers_request(self) -> Self:
        if self.memory and self.memory_limit and quantity(self.memory) > quantity(self.memory_limit):
            raise ValueError("memory is more than memoryLimit")
        return self


class ArchiveSnapshot(Model):
    """A tar archive of a node's base path, fetched by each node's init container."""

    url: Annotated[str, StringConstraints(pattern=r"^https?://")] = Field(
        description="Where the archive (.tar, .tar.gz or .tar.zst) is fetched from."
    )
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="Of the archive; another sum stops the node's start.")


class Snapshot(ExactlyOne):
    """The database that the nodes of a group start from."""

    volume_claim: ObjectName | None = Field(
        default=None, description="A PersistentVolumeClaim in the network's namespace, cloned for each node."
    )
    volume_snapshot: ObjectName | None = Field(
        default=None, description="A VolumeSnapshot in the network's namespace, restored for each node."
    )
    archive: ArchiveSnapshot | None = Field(default=None, description="An archive, fetched by its address.")


class Keys(ExactlyOne):
    """Keys that are not derived from the network's own seed, one secret URI a node, in the order of the nodes.

    All session keys of a node stand at its URI, as with the `--alice` of the clients; its stash at `<uri>//stash`.
    """

    dev: tuple[Literal["alice", "bob", "charlie", "dave", "eve", "ferdie"], ...] | None = Field(
        default=None, description="Well-known development accounts. Anybody can act as they; needs `devKeys: true`."
    )
    file: str | None = Field(
        default=None,
        description="A local file with one secret URI a line. It is read by `up`, which puts it into a Secret.",
    )


class NodeGroup(Model):
    """Nodes that differ in nothing but their ordinal: one StatefulSet, one headless Service."""

    name: Name = Field(description="Its nodes are called NAME-0, NAME-1 and so on.")
    count: int = Field(default=1, ge=1, le=10_000, description="How many nodes.")
    client: Client | None = Field(default=None, description="The client of these nodes; by default the chain's.")
    image: Image | None = Field(default=None, description="Their image; by default the chain's, then the client's own.")
    program: tuple[Argument, ...] | None = Field(
        default=None,
        description="The program in the image, where it is not called as the client is. For client `command` all of "
        "its arguments too, with {name}, {spec}, {data}, {node_key}, {keystore}, {p2p}, {rpc}, {prometheus}, "
        "{bootnodes} filled in.",
    )
    args: tuple[Argument, ...] = Field(
        default=(), description="More arguments; `-:--flag` takes an argument of coalmine's own away."
    )
    env: dict[str, str] = Field(default_factory=dict, description="Environment variables.")
    resources: Resources = Field(default=Resources(), description="CPU, memory and disk; by default by role.")
    storage_class: ObjectName | None = Field(
        default=None, description="Class of the nodes' volumes; the cluster's default."
    )
    labels: dict[LabelKey, LabelValue] = Field(default_factory=dict, description="More labels for the pods.")
    region: LabelValue | None = Field(
        default=None, description="Where the nodes should run: a label, and a preferred zone."
    )
    database: Literal["auto", "rocksdb", "paritydb"] = Field(default="auto", description="The nodes' database.")
    pruning: Annotated[str, StringConstraints(pattern=r"^(archive|archive-canonical|[1-9]\d*)$")] | None = Field(
        default=None, description="States that are kept: a number of blocks, or archive; by default by role."
    )
    snapshot: Snapshot | None = Field(default=None, description="The database that they start from; empty by default.")
    keys: Keys | None = Field(
        default=None, description="Where their keys come from; by default from the network's seed."
    )
    balance: Plancks | None = Field(default=None, ge=0, description="Free balance of each node's stash, in plancks.")

    @model_validator(mode="after")
    def _sound(self) -> Self:
        problems = [f"{name} is no name of a variable" for name in self.env if not _ENVIRONMENT_NAME.match(name)]
        problems += [f"{name} is set by coalmine itself" for name in self.env if name == "POD_NAME"]
        if self.keys is not None and self.keys.dev is not None and len(self.keys.dev) != self.count:
            problems.append(f"keys.dev names {len(self.keys.dev)} accounts for {self.count} nodes")
        if self.client == "command" and self.program is None:
            problems.append("client command needs a program")
        if self.client == "command":
            named = {place for argument in self.program or () for place in _PLACE.findall(argument)}
            problems += [f"program: nobody knows {{{place}}}" for place in sorted(named - set(PLACES))]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def node(self, ordinal: int) -> str:
        return f"{self.name}-{ordinal}"

    def nodes(self) -> tuple[str, ...]:
        return tuple(self.node(ordinal) for ordinal in range(self.count))


class RelayGroup(NodeGroup):
    """Nodes of the relay chain."""

    role: RelayRole = Field(default="validator", description="What the nodes do.")
    invulnerable: bool = Field(default=True, description="Whether validators are never voted out, with staking.")
    stake: Plancks | None = Field(default=None, ge=0, description="Bonded by each validator, in plancks, with staking.")


class ParaGroup(NodeGroup):
    """Nodes of a parachain."""

    role: ParaRole = Field(default="collator", description="What the nodes do.")
    invulnerable: bool = Field(default=True, description="Whether the collators are chosen without candidacy.")
