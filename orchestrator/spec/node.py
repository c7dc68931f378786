"""Groups of nodes, as a user describes them. Used by `testnet`; `render` makes a StatefulSet from each group."""

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
"""Prefix of an argument that removes coalmine's own argument of that name. zombienet uses the same prefix."""

PLACES = (
    *("name", "host", "spec", "relay_spec", "data", "node_key", "keystore"),
    *("p2p", "rpc", "prometheus", "bootnodes"),
)
"""The words that may stand in braces in the `program` of client `command`. coalmine fills in their values."""

_PLACE = re.compile(r"\{(\w*)\}")
_ENVIRONMENT_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")


class Resources(Model):
    """What a node needs of its machine. The defaults depend on the client and the role."""

    cpu: Quantity | None = Field(
        default=None, description="CPU request; by default what such a node used in measurements."
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
    """A tar archive of a node's base path. Each node's init container fetches it."""

    url: Annotated[str, StringConstraints(pattern=r"^https?://")] = Field(
        description="Where the archive (.tar, .tar.gz or .tar.zst) is fetched from."
    )
    sha256: str = Field(
        pattern=r"^[0-9a-f]{64}$", description="The archive's SHA-256. If it differs, the node does not start."
    )


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
    """Keys that do not come from the network's own seed: one secret URI per node, in the order of the nodes.

    A node's URI is used for all its session keys, as with the clients' `--alice`. Its stash is at `<uri>//stash`.
    """

    dev: tuple[Literal["alice", "bob", "charlie", "dave", "eve", "ferdie"], ...] | None = Field(
        default=None, description="Well-known development accounts. Anybody has their keys; needs `devKeys: true`."
    )
    file: str | None = Field(
        default=None,
        description="A local file with one secret URI per line. `up` reads it and stores it in a Secret.",
    )


class NodeGroup(Model):
    """Nodes that differ only in their ordinal: one StatefulSet, one headless Service."""

    name: Name = Field(description="Its nodes are called NAME-0, NAME-1 and so on.")
    count: int = Field(default=1, ge=1, le=10_000, description="How many nodes.")
    client: Client | None = Field(default=None, description="The client of these nodes; by default the chain's.")
    image: Image | None = Field(default=None, description="Their image; by default the chain's, then the client's own.")
    program: tuple[Argument, ...] | None = Field(
        default=None,
        description="The program in the image, if its name is not the client's. For client `command` also all "
        "arguments; {name}, {spec}, {data}, {node_key}, {keystore}, {p2p}, {rpc}, {prometheus}, {bootnodes} are "
        "filled in.",
    )
    args: tuple[Argument, ...] = Field(
        default=(), description="More arguments; `-:--flag` removes one of coalmine's own arguments."
    )
    env: dict[str, str] = Field(default_factory=dict, description="Environment variables.")
    resources: Resources = Field(default=Resources(), description="CPU, memory and disk; by default by role.")
    storage_class: ObjectName | None = Field(
        default=None, description="Storage class of the nodes' volumes; by default the cluster's default class."
    )
    labels: dict[LabelKey, LabelValue] = Field(default_factory=dict, description="More labels for the pods.")
    region: LabelValue | None = Field(
        default=None, description="Where the nodes should run: a label, and a preferred zone."
    )
    database: Literal["auto", "rocksdb", "paritydb"] = Field(default="auto", description="The nodes' database.")
    pruning: Annotated[str, StringConstraints(pattern=r"^(archive|archive-canonical|[1-9]\d*)$")] | None = Field(
        default=None, description="Which states are kept: a number of blocks, or archive; by default by role."
    )
    snapshot: Snapshot | None = Field(
        default=None, description="The database that the nodes start from; by default an empty one."
    )
    keys: Keys | None = Field(
        default=None, description="Where their keys come from; by default from the network's seed."
    )
    balance: Plancks | None = Field(default=None, ge=0, description="Free balance of each node's stash, in plancks.")

    @model_validator(mode="after")
    def _sound(self) -> Self:
        problems = [f"{name} is not a name of a variable" for name in self.env if not _ENVIRONMENT_NAME.match(name)]
        problems += [f"{name} is set by coalmine itself" for name in self.env if name == "POD_NAME"]
        if self.keys is not None and self.keys.dev is not None and len(self.keys.dev) != self.count:
            problems.append(f"keys.dev names {len(self.keys.dev)} accounts for {self.count} nodes")
        if self.client == "command" and self.program is None:
            problems.append("client command needs a program")
        if self.client == "command":
            named = {place for argument in self.program or () for place in _PLACE.findall(argument)}
            problems += [f"program: there is no value for {{{place}}}" for place in sorted(named - set(PLACES))]
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
    invulnerable: bool = Field(default=True, description="With staking: whether validators are never voted out.")
    stake: Plancks | None = Field(
        default=None, ge=0, description="With staking: what each validator bonds, in plancks."
    )


class ParaGroup(NodeGroup):
    """Nodes of a parachain."""

    role: ParaRole = Field(default="collator", description="What the nodes do.")
    invulnerable: bool = Field(default=True, description="Whether the collators author without being candidates.")
