"""Carries out the pure plan of an upgrade: observe the chain, plan, write the status, send at most one call.

It is the only writer of the object's status, and reads it once, at the start. A call is sent only after the status that
announces it is written. The next step reads from the chain whether it had an effect. Called through `upgrades.tasks`.
"""

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from chaos.clock import wall_clock
from chaos.nodes import Node
from chaos.status import StatusWriter
from chaos.upgrades import code as codes
from chaos.upgrades import evidence, observe, plan
from chaos.upgrades.code import CodeError
from chaos.upgrades.observe import Observer, Reference
from chaos.upgrades.view import Action, Spread, Upgrade, UpgradeWorld
from orchestrator import chain
from orchestrator.chain import Refusal, Upgrader
from orchestrator.cluster import Cluster
from orchestrator.errors import ChainError, Refused
from orchestrator.genesis.keys import KeyPair
from orchestrator.spec import RuntimeUpgradeSpec
from orchestrator.spec.status import UpgradeStatus
from orchestrator.spec.testnet import RELAY

_LOG = logging.getLogger(__name__)
_PAUSE = 1.0
_STANDS = 6.0
"""Seconds without a new finalised block after which logs are worth reading."""


@dataclass
class UpgradeTools:
    """The means to act, shared by all upgrades. `sudo` derives the key only when it is needed."""

    cluster: Cluster
    observer: Observer
    sudo: Callable[[], KeyPair]
    threads: ThreadPoolExecutor


@dataclass
class UpgradeReconciler:
    """Steps one upgrade."""

    upgrade: Upgrade
    status: UpgradeStatus
    tools: UpgradeTools
    writer: StatusWriter = field(init=False)
    clock: Callable[[], datetime] = wall_clock
    _deleted: bool = False
    _code: bytes | None = None
    _events: evidence.Events = field(default_factory=evidence.Events)
    _refusals: dict[Action, str] = field(default_factory=dict)
    _refused_for_good: str | None = None

    @property
    def name(self) -> str:
        return self.upgrade.name

    @property
    def phase(self) -> str:
        return self.status.phase

    @property
    def ended(self) -> bool:
        """Whether no more steps are needed. An upgrade cannot be undone, so a deleted object has ended."""
        return self._deleted or (self.phase in plan.ENDS and self.writer.holds(self.status))

    def mark_deleted(self) -> None:
        self._deleted = True

    def tell(self) -> str:
        reached = [c.message for c in self.status.conditions if c.type == self.phase]
        return self.status.cause or (reached[0] if reached else "")

    def step(self, nodes: Mapping[str, Node]) -> float:
        """Does one round. Returns the seconds until the next."""
        before = self.phase
        world, at = self._observe(nodes)
        decided = plan.step(self.upgrade, self.status, world, self.clock())
        self.status = decided.status
        written = self.writer.write(self.status)
        if decided.action is not None and written and at is not None:
            self._send(decided.action, at)
        return 0.0 if self.phase != before and written else _PAUSE

    # Observation

    def _observe(self, nodes: Mapping[str, Node]) -> tuple[UpgradeWorld, Reference | None]:
        """The observation, and the node that represents the chain."""
        own = observe.of_chain(nodes.values(), self.upgrade.spec.chain)
        if not own:
            return UpgradeWorld(trouble=f"there is no chain {self.upgrade.spec.chain} here"), None
        para_id = own[0].para_id
        authors = observe.authors(own)
        world = UpgradeWorld(para_id=para_id, authors=len(authors), refusals=dict(self._refusals))
        world = replace(world, refused_for_good=self._refused_for_good)
        try:
            self._code = self._code or codes.load(self.upgrade.spec.code, self.tools.cluster)
            world = replace(world, code=codes.describe(self._code))
        except CodeError as error:
            return replace(world, code_error=str(error)), None
        at = self.tools.observer.reference(own)
        if at is None:
            return replace(world, trouble=f"no node of {self.upgrade.spec.chain} answers"), None
        relay_nodes = observe.of_chain(nodes.values(), RELAY)
        relay_at = at if para_id is None else self.tools.observer.reference(relay_nodes)
        try:
            world = self._read(world, at, relay_at, own)
        except ChainError as error:
            world = replace(world, trouble=error.message)
        except Refused as error:
            world = replace(world, refused_for_good=error.message)
        return replace(world, panics=self._panics(authors)), at

    def _read(
        self, world: UpgradeWorld, at: Reference, relay_at: Reference | None, own: tuple[Node, ...]
    ) -> UpgradeWorld:
        assert world.code is not None
        observer, code = self.tools.observer, world.code
        world = replace(world, chain=observer.chain(at, code, self.status, parachain=world.is_parachain))
        if relay_at is not None:
            world = replace(world, relay=observer.relay(relay_at, world.para_id, code))
        assert world.chain is not None
        if self.phase == "Applied" and world.chain.first_built is not None:
            return replace(world, spread=observer.spread(own, code, world.chain.first_built))
        sent = [step for step in self.status.steps if step.name == "Authorizing"]
        if self.phase in {"Preflight", "Authorized"} and sent:
            runtime = chain.runtime(at.reader.rpc)
            failure = self._events.failure(at, runtime, since=sent[0].block, code=code.hash)
            world = replace(world, silent_failure=failure)
        return replace(world, spread=Spread())

    def _panics(self, authors: tuple[Node, ...]) -> Mapping[str, str]:
        since, applied = self.status.block_at, self.status.applied_at
        if self.phase not in {"Applied", "Settling"} or since is None or applied is None:
            return {}
        now = self.clock()
        if (now - since).total_seconds() < _STANDS:
            return {}
        seconds = int((now - applied).total_seconds())
        return evidence.panics(self.tools.cluster, authors, self.tools.threads, seconds=seconds)

    # Calls

    def _upgrader(self, at: Reference) -> Upgrader:
        return chain.upgrader(at.reader.rpc, self.tools.sudo())

    def _send(self, action: Action, at: Reference) -> None:
        """Sends a call. Its effect is read from the chain later; a refusal is kept for the message if there is none."""
        assert self._code is not None
        try:
            upgrader = self._upgrader(at)
            if action == "authorize":
                sent = upgrader.authorize(codes.describe(self._code).hash)
            else:
                sent = upgrader.apply(self._code)
        except Refused as error:
            self._refused_for_good = error.message
        except ChainError as error:
            if not (isinstance(error, Refusal) and error.already_waits):
                self._refusals[action] = error.message
            _LOG.warning("upgrade %s: %s: %s", self.name, action, error.message)
        else:
            self._refusals.pop(action, None)
            _LOG.info("upgrade %s: %s sent to %s: %s", self.name, action, at.node.name, sent)


def reconciler(body: Mapping[str, Any], tools: UpgradeTools) -> UpgradeReconciler:
    """A reconciler for the custom resource. It continues from the resource's status.

    Raises:
        ValidationError: pydantic's, if the API server accepted an invalid resource.
    """
    metadata = body["metadata"]
    spec = RuntimeUpgradeSpec.model_validate(dict(body["spec"]))
    status = UpgradeStatus.model_validate(dict(body.get("status", {})))
    one = UpgradeReconciler(Upgrade(metadata["name"], metadata["generation"], spec), status, tools)
    one.writer = StatusWriter(tools.cluster, "RuntimeUpgrade", body, gone=one.mark_deleted)
    return one
