"""The controller's side of each fault: which actions it needs, and when it counts as measured. Pure. Used by `plan`."""

from chaos.faults.base import Method, Progress
from chaos.faults.held import HeldFaultMethod
from chaos.faults.kill import KillMethod
from chaos.faults.partition import PartitionFault
from chaos.faults.pause import PauseFault

METHODS: dict[str, Method] = {
    "pause": HeldFaultMethod(PauseFault()),
    "partition": HeldFaultMethod(PartitionFault()),
    "kill": KillMethod(),
}

__all__ = ["METHODS", "Method", "Progress"]
