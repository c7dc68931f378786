"""Fault `pause`: SIGSTOP to every process of a container, SIGCONT to end it; the state is read back from the kernel.

A stopped node keeps memory, sockets and its place in its peers' tables, and answers nothing.
"""

import os
import signal
import time

from chaos.agent.containers import Machine
from chaos.agent.faults import FaultError, Gone
from chaos.wire import PauseOrder

_PATIENCE = 3.0
"""Seconds for the states to change. A process in an uninterruptible wait stops only when the wait ends."""


class ProcessStopper:
    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def inject(self, fault_id: str, order: PauseOrder) -> str:
        del fault_id  # Signals leave nothing behind that needs a name.
        count = self._until(order, signal.SIGSTOP)
        if count == 0:
            raise Gone(f"container {order.container_id[:12]} has no process on this machine")
        return f"{count} of {_processes(count)} stopped, read from the kernel"

    def recover(self, fault_id: str, order: PauseOrder) -> str:
        del fault_id
        count = self._until(order, signal.SIGCONT)
        if count == 0:
            return f"container {order.container_id[:12]} is gone, nothing was left to continue"
        return f"{count} of {_processes(count)} running again, read from the kernel"

    def _until(self, order: PauseOrder, number: signal.Signals) -> int:
        """Signals until no process is in the wrong state. Returns how many processes the container has then.

        One round is not enough, because a process may fork between the scan and the signal.
        """
        stopped = number is signal.SIGSTOP
        deadline = time.monotonic() + _PATIENCE
        while True:
            pids = self._machine.container_processes(order.pod_uid, order.container_id)
            states = {pid: state for pid in pids if (state := self._machine.state(pid)) is not None}
            wrong = [pid for pid, state in states.items() if (state == "T") is not stopped]
            if not wrong:
                return len(states)
            if time.monotonic() > deadline:
                raise FaultError(f"{len(wrong)} of {len(states)} processes ignore {number.name} for {_PATIENCE:g} s")
            for pid in wrong:
                _send(pid, number)
            time.sleep(0.01)


def _processes(count: int) -> str:
    return f"{count} process" if count == 1 else f"{count} processes"


def _send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return  # It has ended, which is fine for both signals.
