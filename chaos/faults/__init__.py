"""The controller's side of each fault: what to ask for, and when it counts as measured. All pure, called by `plan`."""

from chaos.faults.base import Method, Progress
from chaos.faults.held import Held
from chaos.faults.kill import Kill
from chaos.faults.partition import Partition
from chaos.faults.pause import Pause

METHODS: dict[str, Method] = {"pause": Held(Pause()), "partition": Held(Partition()), "kill": Kill()}

__all__ = ["METHODS", "Method", "Progress"]
