"""The status of an upgrade while a decision changes it: its steps, conditions and phase. Used by `plan`."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from chaos.conditions import changed_at, with_condition
from chaos.upgrades.view import Upgrade
from orchestrator.spec.status import Step, UpgradePhase, UpgradeStatus


class Draft:
    """Builds the new status piece by piece. The old status object is not changed."""

    def __init__(self, upgrade: Upgrade, status: UpgradeStatus, now: datetime) -> None:
        self.upgrade = upgrade
        self.status = status
        self.now = now

    def set(self, **update: object) -> None:
        self.status = self.status.model_copy(update=update)

    def reach(self, phase: UpgradePhase, message: str, update: Mapping[str, object]) -> None:
        """Enters a phase and sets the condition of the same name."""
        self.condition(phase, value=True, reason=phase, message=message)
        self.set(phase=phase, **update)

    def see(self, name: str, block: int, chain: str, detail: str = "") -> None:
        """Records a step, but only the first time that it is seen."""
        if not self.seen(name):
            self.note(name, block, chain, detail)

    def note(self, name: str, block: int, chain: str, detail: str = "") -> None:
        step = Step(name=name, at=self.now, block=block, chain=chain, detail=detail)
        self.set(steps=(*self.status.steps, step))

    def seen(self, name: str) -> tuple[Step, ...]:
        return tuple(step for step in self.status.steps if step.name == name)

    def condition(self, name: str, *, value: bool, reason: str, message: str) -> None:
        conditions = with_condition(
            self.status.conditions,
            name,
            "True" if value else "False",
            reason=reason,
            message=message,
            now=self.now,
            generation=self.upgrade.generation,
        )
        self.set(conditions=conditions)

    def since(self, condition: str) -> timedelta:
        """How long the condition has had its value."""
        return self.now - (changed_at(self.status.conditions, condition) or self.now)
