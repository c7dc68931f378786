"""Decides what happens to an upgrade next: (upgrade, status, world, now) -> UpgradePlan. Pure.

The phases:
- Preflight checks the code, then authorises it.
- Authorized applies it.
- Applied waits until a block by the new code is finalised, and every node that answers has finalised it.
- Enacted and Settling count the relay chain's sessions.

A phase follows from what the chain shows, so a restarted controller repeats no call. An upgrade that fails silently is
found because the chain does not reach the next phase in time.
"""

from datetime import datetime, timedelta

from chaos.faults.base import listed
from chaos.upgrades import preflight
from chaos.upgrades.draft import Draft
from chaos.upgrades.view import Action, ChainView, Code, Failure, Overdue, RelayView, Upgrade, UpgradePlan, UpgradeWorld
from orchestrator.spec.status import UpgradeStatus
from orchestrator.spec.testnet import RELAY

ENDS = frozenset({"Completed", "Failed"})

_PATIENCE = timedelta(seconds=60)
"""For things that need a block or two: nodes that answer, a sent call that shows."""
_RESEND = timedelta(seconds=20)
"""After this a call that does not show is sent again: a node that restarts loses its transaction pool."""
_STANDING = timedelta(seconds=15)
"""A chain that stands for this long while all its authors panic is broken."""


def step(upgrade: Upgrade, status: UpgradeStatus, world: UpgradeWorld, now: datetime) -> UpgradePlan:
    """The next status, and the call to send after it is written."""
    draft = Draft(upgrade, status, now)
    if world.chain is not None and status.block != world.chain.finalized.number:
        draft.set(block=world.chain.finalized.number, block_at=now)
    decision = _Decision(draft, world)
    handlers = {
        "Preflight": decision.preflight,
        "Authorized": decision.authorized,
        "Applied": decision.applied,
        "Enacted": decision.enacted,
        "Settling": decision.settling,
    }
    handler = handlers.get(status.phase)
    if handler is None:
        return UpgradePlan(status)
    try:
        action = handler()
    except Failure as failure:
        draft.condition("Completed", value=False, reason="Failed", message=str(failure))
        overdue = isinstance(failure, Overdue)
        draft.set(phase="Failed", failed_phase=status.phase, cause=str(failure), overdue=overdue)
        if world.chain is not None:
            draft.set(block=world.chain.best.number)
        action = None
    return UpgradePlan(draft.status, action)


class _Decision:
    """One step of one upgrade. Each phase has a method that changes the draft and may return a call to send."""

    def __init__(self, draft: Draft, world: UpgradeWorld) -> None:
        self.draft = draft
        self.world = world
        self.spec = draft.upgrade.spec

    # Phases

    def preflight(self) -> Action | None:
        preflight.check_code(self.world)
        code, chain, relay = self.world.code, self.world.chain, self.world.relay
        if code is None or chain is None or relay is None:
            self._wait("Authorized", self.world.trouble or "no node of the chain has answered yet")
            return None
        if self.draft.status.spec_version_from is None:
            preflight.note_versions(self.draft, code, chain)
        ours = bool(self.draft.seen("Authorizing"))
        if chain.authorized == code.hash or (ours and self._applied(code, chain)):
            block = chain.best.number
            update = {"authorized_at": self.draft.now, "authorized_block": block}
            self.draft.reach("Authorized", f"seen in block {block}", update)
            return None
        if self.world.silent_failure:
            raise Failure(self.world.silent_failure)
        preflight.judge(self.world, code, chain, relay)
        if chain.pending or relay.restricted or relay.future_code is not None:
            # An upgrade of a parachain takes minutes, and validators may still be voting on the earlier code.
            patience = timedelta(seconds=self.spec.enact_timeout)
            self._wait("Authorized", "an earlier upgrade of this parachain is not over yet", patience)
            return None
        return self._send("authorize", "Authorizing", "Authorized", chain)

    def authorized(self) -> Action | None:
        code, chain = self.world.code, self.world.chain
        if code is None or chain is None:
            # All nodes compile the new code at the same time and do not answer until it is done: 30 s and more on
            # machines with few cores.
            patience = timedelta(seconds=self.spec.enact_timeout) if self.draft.seen("Applying") else _PATIENCE
            self._wait("Applied", self.world.trouble or "no node of the chain answers", patience)
            return None
        if self._applied(code, chain):
            block = chain.changed_at or chain.best.number
            self.draft.reach("Applied", f"in block {block}", {"applied_at": self.draft.now, "applied_block": block})
            return None
        if chain.undone or self.world.silent_failure:
            # If the runtime rejects the code, applying it still succeeds: it only deletes the authorisation.
            said = self.world.silent_failure or "the authorisation is gone and nothing has changed"
            raise Failure(f"the chain rejected the code when it was applied: {said}")
        if chain.authorized is None:
            self._wait("Applied", f"{chain.node} does not see the authorisation")
            return None
        if chain.authorized != code.hash:
            raise Failure(f"another code has been authorised instead: 0x{chain.authorized.hex()}")
        return self._send("apply", "Applying", "Applied", chain)

    def applied(self) -> Action | None:
        code, chain, relay, spread = self.world.code, self.world.chain, self.world.relay, self.world.spread
        if code is None or chain is None:
            self._not_enacted(self.world.trouble or "no node of the chain answers")
            return None
        if self.world.is_parachain:
            self._follow_parachain(code, chain, relay)
        built = chain.built_by == code.spec_version and chain.first_built is not None and not chain.migrating
        held = relay is not None and (not self.world.is_parachain or relay.current_code == code.hash)
        if built and held and spread.new and not spread.old and not spread.forked:
            assert relay is not None
            silent = f"; {listed(spread.silent)} did not answer" if spread.silent else ""
            sessions = {"session_at_enactment": relay.session, "session": relay.session}
            update = {"enacted_at": self.draft.now, "enacted_block": chain.first_built, **sessions}
            message = f"block {chain.first_built}, finalised on {len(spread.new)} nodes{silent}"
            self.draft.reach("Enacted", message, update)
            return None
        self._check_panics()
        self._not_enacted(self._missing(code, chain, built=built))
        return None

    def enacted(self) -> None:
        self.draft.set(phase="Settling")

    def settling(self) -> None:
        relay, chain, draft = self.world.relay, self.world.chain, self.draft
        if relay is None or chain is None:
            self._not_settled(self.world.trouble or "no node of the chain answers")
            return
        assert draft.status.session_at_enactment is not None
        passed = relay.session - draft.status.session_at_enactment
        if draft.status.session != relay.session:
            draft.set(session=relay.session)
            draft.see(f"Session+{passed}", relay.best, RELAY, f"session {relay.session}")
        if passed >= self.spec.settle_sessions:
            draft.reach("Completed", f"{passed} sessions after enactment", {"completed_at": draft.now})
            return
        self._check_panics()
        self._not_settled(f"session {relay.session}, {passed} of {self.spec.settle_sessions} passed")

    # What the chain shows

    def _applied(self, code: Code, chain: ChainView) -> bool:
        """Whether the new version is in the state or, for a parachain, the code waits for the relay chain."""
        changed = chain.version.spec_version == code.spec_version != self.draft.status.spec_version_from
        return changed or (self.world.is_parachain and chain.pending)

    def _follow_parachain(self, code: Code, chain: ChainView, relay: RelayView | None) -> None:
        """Records each step of a parachain's upgrade when it is first seen. Raises Failure at an abort."""
        name, draft, best = self.spec.chain, self.draft, chain.best.number
        changed = chain.version.spec_version == code.spec_version
        if chain.pending:
            draft.see("PendingValidationCode", best, name)
        if changed:
            draft.see("VersionChanged", chain.changed_at or best, name, f"spec_version {code.spec_version}")
        if relay is None:
            return
        if relay.future_code == code.hash:
            draft.see("FutureCodeHash", relay.best, RELAY)
        if relay.checking:
            draft.see("PvfCheck", relay.best, RELAY)
        if relay.go_ahead == "GoAhead":
            draft.see("GoAhead", relay.best, RELAY)
        if relay.current_code == code.hash:
            draft.see("CurrentCodeHash", relay.best, RELAY)
        if relay.go_ahead == "Abort":
            draft.see("Abort", relay.best, RELAY)
            raise Overdue(
                "the relay chain aborts the upgrade: its validators rejected the code, which they also do when "
                "preparing it takes them more than a minute, or the vote timed out"
            )
        if chain.undone:
            raise Failure(
                "the relay chain dropped the upgrade: the pending code is gone and the version is the old one"
            )

    def _missing(self, code: Code, chain: ChainView, *, built: bool) -> str:
        spread = self.world.spread
        if spread.forked:
            return f"nodes disagree on the block that the new code built: {listed(spread.forked)}"
        if built and spread.old:
            return f"{listed(spread.old)} has not finalised a block built by the new code"
        if chain.migrating:
            return f"a migration over several blocks has not finished, finality is at {chain.finalized.number}"
        changed = chain.version.spec_version == code.spec_version
        version = f"the version changed in block {chain.changed_at}" if changed else "the version has not changed"
        stands = f"best stands at {chain.best.number}, finality at {chain.finalized.number}"
        return f"{version}, no block built by the new code is finalised; {stands}"

    def _check_panics(self) -> None:
        """Raises Failure if the chain stands while all its authors panic: it is broken for good.

        The chain must answer during that time. Nodes that compile new code do not answer, and work again afterwards.
        """
        panics, status, draft = self.world.panics, self.draft.status, self.draft
        if not panics or len(panics) < self.world.authors or status.block_at is None:
            if any(condition.type == "Panicking" for condition in status.conditions):
                draft.condition("Panicking", value=False, reason="Moving", message="not all authors panic")
            return
        draft.condition("Panicking", value=True, reason="Standing", message=self._panicking())
        if min(draft.now - status.block_at, draft.since("Panicking")) >= _STANDING:
            raise Failure(f"{self._panicking()}; finality stands at block {status.block}")

    def _panicking(self) -> str:
        author, line = min(self.world.panics.items())
        return f"{len(self.world.panics)} of {self.world.authors} authors panic; {author}: {line}"

    # Waiting

    def _wait(self, stage: str, reason: str, patience: timedelta = _PATIENCE) -> None:
        """Waits until the state allows or shows the next call. Raises Failure after `patience`."""
        self.draft.condition(stage, value=False, reason="Waiting", message=reason)
        if self.draft.since(stage) > patience:
            raise Overdue(f"{reason}, for {patience.total_seconds():.0f}s")

    def _send(self, action: Action, name: str, stage: str, chain: ChainView) -> Action | None:
        """Returns the action if the call must be sent, now or again. Raises Failure when patience ends."""
        sent = self.draft.seen(name)
        if not sent or _RESEND <= self.draft.now - sent[-1].at <= self.draft.now - sent[0].at <= _PATIENCE:
            self.draft.note(name, chain.best.number, self.spec.chain, f"sent to {chain.node}")
            return action
        said = self.world.refusals.get(action)
        reason = f"{action} was refused: {said}" if said else f"{action} was sent and is in no block yet"
        if self.draft.now - sent[0].at > _PATIENCE:
            raise (Failure if said else Overdue)(f"{reason}, for {_PATIENCE.total_seconds():.0f}s")
        self.draft.condition(stage, value=False, reason="Waiting", message=reason)
        return None

    def _not_enacted(self, reason: str) -> None:
        since, limit = self.draft.status.applied_at, self.spec.enact_timeout
        if since is not None and self.draft.now - since > timedelta(seconds=limit):
            raise self._late(f"not enacted within {limit:g}s: {reason}")
        self.draft.condition("Enacted", value=False, reason="Waiting", message=reason)

    def _late(self, told: str) -> Failure:
        """The end of an upgrade that took too long. Beside a panic, time is not what it lacked."""
        return Failure(f"{told}; {self._panicking()}") if self.world.panics else Overdue(told)

    def _not_settled(self, reason: str) -> None:
        """Raises Failure if finality stands while the upgrade settles."""
        since, limit = self.draft.status.block_at, self.spec.enact_timeout
        if since is not None and self.draft.now - since > timedelta(seconds=limit):
            raise self._late(f"finality has stood at {self.draft.status.block} for {limit:g}s: {reason}")
        self.draft.condition("Completed", value=False, reason="Settling", message=reason)
