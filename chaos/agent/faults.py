"""What all faults of the agent have in common. Implemented by `pause` and `partition`, called by `keeper`."""

from typing import Any, Protocol


class FaultError(Exception):
    """The fault cannot be injected, recovered or measured, and why."""


class Gone(FaultError):  # noqa: N818  The word says it.
    """What the fault should hit is not on this machine (any more)."""


class FaultInjector(Protocol):
    """A pair: inject and recover, both idempotent; recover does no harm where nothing was injected."""

    def inject(self, fault_id: str, order: Any) -> str:
        """Brings the pod into the ordered state and tells what was read back. Raises FaultError."""
        ...

    def recover(self, fault_id: str, order: Any) -> str:
        """Takes back exactly what `inject` did and tells what was read back. Raises FaultError."""
        ...
