"""Outside of a lab's namespaces: starts the supervisor, and takes away what namespaces do not when it has ended.

Started by `native.up` in a session of its own, as `python -m orchestrator.lab guardian NAME`, so that a terminal that
goes does not take it along. It ends the lab when its owner (a process) has ended, unless the lab was detached. If it is
killed itself, the kernel kills the supervisor, and the next `up`, `down` or `status` sweeps the rest.
"""

import ctypes
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

_PR_SET_PDEATHSIG = 1


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
        if supervisor is not None:
            supervisor.kill()  # `unshare --kill-child` passes it on to PID 1 of the lab.
            supervisor.wait()
        sweep(lab)


def _supervise(lab: LabState) -> "subprocess.Popen[bytes]":
    command = [
        *("unshare", "--mount", "--net", "--pid", "--uts", "--fork", "--mount-proc", "--kill-child"),
        *(toolchain.python(), "-m", "orchestrator.lab", "supervisor", lab.name),
    ]
    return subprocess.Popen(command, preexec_fn=die_with_parent)  # noqa: PLW1509  One thread only.


def die_with_parent() -> None:
    """For a child before its program starts: the kernel kills it when the thread that started it is gone."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _link(lab: LabState, supervisor: "subprocess.Popen[bytes]") -> None:
    """The cable between host and lab, and the host's routes through it."""
    while lab.noted("namespaces") is None:
        if supervisor.poll() is not None:
            lab.note("failed", "the supervisor ended before its namespaces were ready")
            sys.exit(1)
        time.sleep(0.02)
    inside = children(supervisor.pid)[0]
    for command in (
        ("ip", "link", "add", lab.host_link, "type", "veth", "peer", "name", lab.lab_link),
        ("ip", "address", "add", f"{lab.host_ip}/30", "dev", lab.host_link),
        ("ip", "link", "set", lab.host_link, "up"),
        ("ip", "link", "set", lab.lab_link, "netns", str(inside)),
        ("ip", "route", "add", lab.pod_network, "via", lab.lab_ip, "dev", lab.host_link),
        ("ip", "route", "add", lab.service_network, "via", lab.lab_ip, "dev", lab.host_link),
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            lab.note("failed", f"{' '.join(command)}: {done.stderr.strip()}")
            sys.exit(1)
    lab.note("supervisor", str(inside))


def children(pid: int) -> list[int]:
    """The processes that a process of one thread has started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _wait(lab: LabState, supervisor: "subprocess.Popen[bytes]") -> None:
    """Returns when the supervisor has ended, or the owner has and the lab is not detached."""
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
    """Removes what a dead lab left on the host: cgroups, the cable, its directory. Safe to repeat."""
    cgroups.remove(lab.cgroup)
    subprocess.run(["ip", "link", "delete", lab.host_link], capture_output=True, check=False)  # Mostly gone already.
    shutil.rmtree(lab.directory, ignore_errors=True)
