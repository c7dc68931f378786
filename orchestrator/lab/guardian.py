"""The process that holds a lab from outside its namespaces: starts the supervisor, and cleans up when that has ended.

`native.up` starts it as `python -m orchestrator.lab guardian NAME`, in its own session, so that it survives when the
terminal closes. It ends the lab when the lab's owner process ends, unless the lab was detached. If the guardian itself
is killed, the kernel kills the supervisor, and the next `up`, `down` or `status` removes the rest.
"""

import os
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from orchestrator.lab import cgroups, state, toolchain
from orchestrator.lab.state import LabState

_PATIENCE = 10.0
"""Seconds within which the files of killed processes must be removable."""


def main(name: str) -> None:
    lab = state.load(name)
    assert lab is not None
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    lab.note("guardian", str(os.getpid()))
    supervisor: subprocess.Popen[bytes] | None = None
    try:
        cgroups.make(lab.cgroup)
        supervisor = _supervise(lab)
        _link(lab, supervisor)
        _wait(lab, supervisor)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if supervisor is not None:
            end(supervisor)
        sweep(lab)


def _supervise(lab: LabState) -> "subprocess.Popen[bytes]":
    namespaces = ("unshare", "--mount", "--net", "--pid", "--uts", "--fork", "--mount-proc", "--kill-child")
    program = (toolchain.python(), "-m", "orchestrator.lab", "supervisor", lab.name)
    return subprocess.Popen([*DIES_WITH_US, *namespaces, *program])


DIES_WITH_US = ("setpriv", "--pdeathsig", "KILL")
"""A prefix for a command: the kernel kills the command when this process ends, however it ends."""


def end(unshare: "subprocess.Popen[bytes]") -> None:
    """Kills PID 1 of the namespaces that `unshare` made. Returns when the kernel has ended everything inside."""
    inside = [os.pidfd_open(pid) for pid in children(unshare.pid)]
    for handle in inside:
        signal.pidfd_send_signal(handle, signal.SIGKILL)
        select.select([handle], [], [])
        os.close(handle)
    unshare.kill()
    unshare.wait()


def _link(lab: LabState, supervisor: "subprocess.Popen[bytes]") -> None:
    """Makes the veth link between host and lab, and the host's routes through it."""
    while lab.noted("namespaces") is None:
        if supervisor.poll() is not None:
            sys.exit(f"unshare ended with {supervisor.returncode} before there were namespaces")
        time.sleep(0.01)
    inside = children(supervisor.pid)[0]
    for command in (
        f"link add {lab.host_link} type veth peer name {lab.lab_link} netns {inside}",
        f"address add {lab.host_ip}/30 dev {lab.host_link}",
        f"link set {lab.host_link} up",
        f"route add {lab.pod_network} via {lab.lab_ip} dev {lab.host_link}",
        f"route add {lab.service_network} via {lab.lab_ip} dev {lab.host_link}",
    ):
        done = subprocess.run(["ip", *command.split()], capture_output=True, text=True, check=False)
        if done.returncode:
            lab.fail(f"ip {command}: {done.stderr.strip()}")
            sys.exit(1)
    lab.note("supervisor", str(inside))


def children(pid: int) -> list[int]:
    """The PIDs of the children of a single-threaded process; empty when it has ended."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def _wait(lab: LabState, supervisor: "subprocess.Popen[bytes]") -> None:
    """Returns when the supervisor has ended, or when the owner has ended and the lab is not detached."""
    handles = {os.pidfd_open(supervisor.pid): "supervisor"}
    if lab.owner is not None:
        try:
            handles[os.pidfd_open(lab.owner)] = "owner"
        except ProcessLookupError:
            return
    while True:
        for handle in select.select(list(handles), [], [])[0]:
            if handles.pop(handle) == "supervisor" or lab.noted("detached") is None:
                return


def sweep(lab: LabState) -> None:
    """Removes what a dead lab left on the host: cgroups, the veth link, its directory. Safe to repeat."""
    cgroups.remove(lab.cgroup)
    subprocess.run(["ip", "link", "delete", lab.host_link], capture_output=True, check=False)  # Usually gone already.
    remove_files(lab.directory)


def remove_files(folder: Path) -> None:
    """Removes a directory, even while processes that were just killed may still be writing there."""
    deadline = time.monotonic() + _PATIENCE
    while folder.exists() and time.monotonic() < deadline:
        shutil.rmtree(folder, ignore_errors=True)
