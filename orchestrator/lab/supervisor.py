"""PID 1 of a lab's PID namespace. When it ends, for any reason, the kernel ends all processes of the lab.

`guardian` starts it in new mount, network, PID and UTS namespaces, as `python -m orchestrator.lab supervisor NAME`. It
starts each component when the ones that it needs are ready. Once the lab is up, it restarts components that end. It
exits when one cannot be kept alive.
"""

import collections
import contextlib
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

from orchestrator.lab import components, state
from orchestrator.lab.components import Component
from orchestrator.lab.state import LabState

RESTARTS = 10
"""Restarts of one component before the lab gives up."""

LOOK = 0.05
"""Seconds between two polls of a component that is starting. None of them can be watched before it serves."""


def main(name: str) -> None:
    lab = state.load(name)
    assert lab is not None
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # PID 1 ignores signals that it does not handle.
    _namespaces(lab)
    components.write_files(lab)
    _Run(lab).forever()


def _namespaces(lab: LabState) -> None:
    """Sets up the new namespaces like a machine: mounts, host name, links and addresses."""
    socket.sethostname(lab.node)
    run("mount", "--make-rprivate", "/")
    run("mount", "-t", "tmpfs", "tmpfs", "/run")
    for folder in ("kubelet", "pod-logs", "volumes", "containerd"):
        (lab.directory / folder).mkdir(parents=True, exist_ok=True)
    (lab.directory / "resolv.conf").write_text(f"nameserver {lab.dns_ip}\n")  # For pods on the host's network.
    run("ip", "link", "set", "lo", "up")
    lab.note("namespaces", str(os.getpid()))
    while run("ip", "link", "show", lab.lab_link, check=False):  # The guardian makes the link.
        time.sleep(0.02)
    run("ip", "address", "add", f"{lab.lab_ip}/30", "dev", lab.lab_link)
    run("ip", "link", "set", lab.lab_link, "up")
    run("ip", "route", "add", "default", "via", lab.host_ip)
    run("ip", "link", "add", "br0", "type", "bridge")
    run("ip", "address", "add", f"{lab.bridge_ip}/16", "dev", "br0")
    run("ip", "link", "set", "br0", "up")
    for setting in ("net/ipv4/ip_forward", "net/bridge/bridge-nf-call-iptables"):
        with contextlib.suppress(OSError):  # The second exists only where bridges can call iptables.
            Path("/proc/sys", setting).write_text("1")


class _Run:
    """Starts each component when the ones that it needs are ready."""

    def __init__(self, lab: LabState) -> None:
        self._lab = lab
        self._wanted = {component.name: component for component in components.components(lab)}
        self._ready = {name: threading.Event() for name in self._wanted}
        self._processes: dict[int, str] = {}
        self._restarts: collections.Counter[str] = collections.Counter()
        self._lock = threading.Lock()

    def forever(self) -> None:
        """Starts all components and restarts those that end. Returns when one cannot be kept alive."""
        for component in self._wanted.values():
            threading.Thread(target=self._start, args=(component,), daemon=True).start()
        while True:
            try:
                pid, status = os.wait()
            except ChildProcessError:
                time.sleep(LOOK)
                continue
            with self._lock:  # wait() also reaps orphans of containers, which are ignored.
                name = self._processes.pop(pid, None)
            if name is not None and not self._revive(name, os.waitstatus_to_exitcode(status)):
                return

    def _revive(self, name: str, code: int) -> bool:
        """Restarts a component, or returns False. A component that ends while the lab starts is not restarted."""
        self._restarts[name] += 1
        if self._lab.noted("up") is None or self._restarts[name] > RESTARTS:
            self._lab.fail(f"{name} ended with {code}; {self._tail(name)}")
            return False
        sys.stderr.write(f"{name} ended with {code}, starting it again\n")
        threading.Thread(target=self._start, args=(self._wanted[name],), daemon=True).start()
        return True

    def _start(self, component: Component) -> None:
        for need in component.needs:
            self._ready[need].wait()
        with (self._lab.logs / component.name).open("ab") as log, self._lock:
            process = subprocess.Popen(component.command, stdout=log, stderr=subprocess.STDOUT, env=_environment())
            self._processes[process.pid] = component.name
        while component.ready is not None and not _answers(component.ready):
            time.sleep(LOOK)
        self._ready[component.name].set()

    def _tail(self, name: str) -> str:
        return (self._lab.logs / name).read_text(errors="replace").strip()[-500:]


def _answers(where: str) -> bool:
    if where.startswith("file:"):
        return Path(where.removeprefix("file:")).exists()
    # This only checks whether it serves. The clients check certificates.
    trusting = ssl._create_unverified_context()  # noqa: SLF001, S323  See the line above.
    try:
        with urllib.request.urlopen(where, timeout=2, context=trusting):  # noqa: S310  Our own constants.
            return True
    except urllib.error.HTTPError as error:
        return error.code == 401  # An API server that rejects anonymous requests does serve.
    except OSError:
        return False


def _environment() -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
    return {**kept, "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}


def run(*command: str, check: bool = True) -> int:
    """Runs a short command and returns its exit code. Its output goes to the supervisor's log.

    Raises:
        subprocess.CalledProcessError: when it fails and `check` is true.
    """
    return subprocess.run(command, check=check).returncode
