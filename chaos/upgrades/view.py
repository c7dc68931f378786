"""What a decision about an upgrade may look at, and what it may ask for. Read by `plan`, made by `observe`; values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from orchestrator.chain import Head, RuntimeVersion
from orchestrator.spec import RuntimeUpgradeSpec
from orchestrator.spec.status import UpgradeStatus

Action = Literal["authorize", "apply"]


@dataclass(frozen=True, slots=True)
class Upgrade:
    """The custom resource, without its status."""

    name: str
    generation: int
    spec: RuntimeUpgradeSpec


@dataclass(frozen=True, slots=True)
class Code:
    """What the new code says of itself."""

    spec_name: str
    spec_version: int
    transaction_version: int
    hash: bytes
    size: int


@dataclass(frozen=True, slots=True)
class ChainView:
    """The upgraded chain as one node sees it: the state at its best block, and who built its finalised one."""

    node: str
    best: Head
    finalized: Head
    version: RuntimeVersion
    authorized: bytes | None
    pending: bool
    """A parachain's code waits for the relay chain."""
    built_by: int | None
    """The spec version of the code that has built blocks up to the finalised one (`LastRuntimeUpgrade`)."""
    migrating: bool = False
    """Migrations that take several blocks are under way at the finalised block; or they are stuck."""
    undone: bool = False
    """Finality has passed the block in which the upgrade got this far, and its state holds nothing of it."""
    changed_at: int | None = None
    """The first block with the new version or with pending code, once there is one."""
    first_built: int | None = None
    """The first block that the new code built, once it is finalised."""


@dataclass(frozen=True, slots=True)
class RelayView:
    """The relay chain's state: the session at its finalised block, and for a parachain what it holds of its code."""

    node: str
    best: int
    session: int
    current_code: bytes | None = None
    future_code: bytes | None = None
    checking: bool = False
    """Validators vote on whether they can prepare the code."""
    go_ahead: str | None = None
    restricted: bool = False
    max_code_size: int | None = None


@dataclass(frozen=True, slots=True)
class Spread:
    """All nodes of the chain, asked whether the new code built their finalised block."""

    new: tuple[str, ...] = ()
    old: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    forked: tuple[str, ...] = ()
    """Nodes whose hash of the first block built by the new code is another than most nodes'."""


@dataclass(frozen=True, slots=True)
class UpgradeWorld:
    """One observation. What could not be read is None, with the reason in `trouble`."""

    code: Code | None = None
    code_error: str | None = None
    chain: ChainView | None = None
    relay: RelayView | None = None
    para_id: int | None = None
    spread: Spread = Spread()
    authors: int = 0
    panics: Mapping[str, str] = field(default_factory=dict)
    """By author, its log's last line that tells of a panic."""
    refusals: Mapping[Action, str] = field(default_factory=dict)
    """What a node said no to, by what was asked of it."""
    refused_for_good: str | None = None
    silent_failure: str | None = None
    """An event of the chain that tells of a failure under an extrinsic that succeeded."""
    trouble: str | None = None

    @property
    def is_parachain(self) -> bool:
        return self.para_id is not None


@dataclass(frozen=True, slots=True)
class UpgradePlan:
    """The status to be written, then the action to be done."""

    status: UpgradeStatus
    action: Action | None = None


class Failure(Exception):  # noqa: N818  It says what the upgrade is.
    """The upgrade has failed, and why."""
