"""The controller's side of each fault: what to ask for, and when it counts as measured. All pure, called by `plan`."""

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
