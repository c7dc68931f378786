"""The input and output of a decision about an upgrade, as values. Read by `plan`, made by `observe`."""

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
    """The versions, hash and size in bytes of the new code."""

    spec_name: str
    spec_version: int
    transaction_version: int
    hash: bytes
    size: int


@dataclass(frozen=True, slots=True)
class ChainView:
    """The upgraded chain as one node sees it: the state at its best block, and which code built its finalised block."""

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
    """A migration over several blocks is running, or stuck, at the finalised block."""
    undone: bool = False
    """Finality has passed the block of the last step, and the finalised state shows nothing of the upgrade."""
    changed_at: int | None = None
    """The first block with the new version or with pending code. None if there is none yet."""
    first_built: int | None = None
    """The first block that the new code built. None until it is finalised."""


@dataclass(frozen=True, slots=True)
class RelayView:
    """The relay chain's state: the session at its finalised block, and its records of a parachain's code."""

    node: str
    best: int
    session: int
    current_code: bytes | None = None
    future_code: bytes | None = None
    checking: bool = False
    """Validators are voting whether they can prepare the code."""
    go_ahead: str | None = None
    restricted: bool = False
    max_code_size: int | None = None


@dataclass(frozen=True, slots=True)
class Spread:
    """All nodes of the chain by which code, old or new, built their finalised block."""

    new: tuple[str, ...] = ()
    old: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    forked: tuple[str, ...] = ()
    """Nodes whose hash of the first block by the new code differs from most nodes' hash."""


@dataclass(frozen=True, slots=True)
class UpgradeWorld:
    """One observation. A value that could not be read is None; `trouble` says why."""

    code: Code | None = None
    code_error: str | None = None
    chain: ChainView | None = None
    relay: RelayView | None = None
    para_id: int | None = None
    spread: Spread = Spread()
    authors: int = 0
    panics: Mapping[str, str] = field(default_factory=dict)
    """The last panic in each author's log, by author."""
    refusals: Mapping[Action, str] = field(default_factory=dict)
    """The message with which a node refused a call, by call."""
    refused_for_good: str | None = None
    silent_failure: str | None = None
    """An event that shows a failure although its extrinsic succeeded."""
    trouble: str | None = None

    @property
    def is_parachain(self) -> bool:
        return self.para_id is not None


@dataclass(frozen=True, slots=True)
class UpgradePlan:
    """The status to write, then the action to do."""

    status: UpgradeStatus
    action: Action | None = None


class Failure(Exception):  # noqa: N818  It says what the upgrade is.
    """The upgrade has failed. The text says why."""


class Overdue(Failure):
    """It took longer than it may. On a machine that is too slow, nothing need be wrong with the code."""
