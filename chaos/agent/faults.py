"""The protocol of the agent's faults. Implemented by `pause` and `partition`, called by `keeper`."""

from typing import Any, Protocol


class FaultError(Exception):
    """The fault cannot be injected, recovered or measured, and why."""


class Gone(FaultError):  # noqa: N818  The word says it.
    """The fault's target is not on this machine, or not any more."""


class FaultInjector(Protocol):
    """Injects one kind of fault and undoes it. Both are idempotent. Undoing does no harm where nothing was injected."""

    def inject(self, fault_id: str, order: Any) -> str:
        """Brings the pod into the ordered state. Returns one sentence about what was read back. Raises FaultError."""
        ...

    def recover(self, fault_id: str, order: Any) -> str:
        """Undoes exactly what `inject` did. Returns one sentence about what was read back. Raises FaultError."""
        ...
