"""Real processes in real cgroups and network namespaces, made for each test and removed after it."""

import contextlib
import hashlib
import os
import re
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from chaos.agent.containers import Machine

NAMESPACE = "coalmine-test"


def eventually(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.01)


def _cgroup_root() -> Path | None:
    """A cgroup directory in which children can be made: the v1 pids hierarchy, or the unified one."""
    for root in (Path("/sys/fs/cgroup/pids"), Path("/sys/fs/cgroup/unified"), Path("/sys/fs/cgroup")):
        if (root / "cgroup.procs").exists() and os.access(root, os.W_OK):
            return root
    return None


@dataclass
class Container:
    """A program in a cgroup where the kubelet would place it. It can have its own network namespace."""

    pod_uid: str
    container_id: str
    process: subprocess.Popen[bytes]
    ip: str = ""

    @property
    def pid(self) -> int:
        return self.process.pid

    def state(self) -> str | None:
        return Machine(NAMESPACE).state(self.pid)


@dataclass
class Bench:
    """A test's own machine. Starts containers in its Kubernetes namespace or in a foreign one."""

    machine: Machine
    cgroups: Path
    files: Path
    started: list[Container] = field(default_factory=list)

    def start(
        self, program: str, *, pod_uid: str | None = None, unshare: bool = False, namespace: str = NAMESPACE
    ) -> Container:
        uid = pod_uid or str(uuid.uuid4())
        container_id = hashlib.sha256(os.urandom(8)).hexdigest()
        cgroup = self.cgroups / f"pod{uid}" / container_id
        cgroup.mkdir(parents=True)
        resolv = self.files / f"resolv-{namespace}"
        resolv.write_text(f"search {namespace}.svc.cluster.local svc.cluster.local\nnameserver 10.96.0.10\n")
        script = f"mount --bind {resolv} /etc/resolv.conf; echo $$ > {cgroup}/cgroup.procs; {program}"
        command = ["unshare", "--mount", *(["--net"] if unshare else []), "bash", "-c", script]
        process = subprocess.Popen(command)
        container = Container(uid, container_id, process)
        self.started.append(container)
        eventually(lambda: bool(self.machine.container_processes(uid, container_id)))
        return container

    def close(self) -> None:
        for container in self.started:
            for pid in self.machine.container_processes(container.pod_uid, container.container_id):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, 9)
            container.process.kill()
            container.process.wait()
        eventually(lambda: all(not (path / "cgroup.procs").read_text() for path in self._directories()))
        for path in self._directories():
            path.rmdir()

    def _directories(self) -> list[Path]:
        return [*sorted((path for path in self.cgroups.rglob("*") if path.is_dir()), reverse=True), self.cgroups]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    root = _cgroup_root()
    if os.geteuid() != 0 or root is None:
        pytest.skip("needs root and a writable cgroup hierarchy")
    cgroups = root / f"coalmine-test-{uuid.uuid4().hex[:8]}"
    cgroups.mkdir()
    bench = Bench(Machine(NAMESPACE, host_network=Path("/proc/self/ns/net")), cgroups, tmp_path)
    try:
        yield bench
    finally:
        bench.close()


@pytest.fixture
def network(bench: Bench) -> Iterator[Callable[[int], list[Container]]]:
    """Makes pods on a bridge inside the test's own network namespace. The machine's own network is not changed."""
    switch = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
    eventually(lambda: _net(switch.pid) != _net(os.getpid()))
    enter = ["nsenter", f"--net=/proc/{switch.pid}/ns/net"]

    def run(*command: str) -> None:
        subprocess.run(command, check=True, capture_output=True)

    run(*enter, "ip", "link", "add", "br0", "type", "bridge")
    run(*enter, "ip", "link", "set", "br0", "up")

    def make(count: int) -> list[Container]:
        pods = []
        for index in range(count):
            pod = bench.start("exec python3 -m http.server 30333 >/dev/null 2>&1", unshare=True)
            pod.ip = f"10.99.0.{index + 1}"
            eventually(lambda pod=pod: _net(pod.pid) != _net(os.getpid()))
            run(*enter, "ip", "link", "add", f"p{index}", "type", "veth", "peer", "name", "eth0", "netns", str(pod.pid))
            run(*enter, "ip", "link", "set", f"p{index}", "master", "br0", "up")
            inside = ["nsenter", f"--net=/proc/{pod.pid}/ns/net"]
            run(*inside, "ip", "addr", "add", f"{pod.ip}/24", "dev", "eth0")
            run(*inside, "ip", "link", "set", "eth0", "up")
            run(*inside, "ip", "link", "set", "lo", "up")
            pods.append(pod)
        for pod in pods:
            eventually(lambda pod=pod: _listens(pod.pid))
        return pods

    yield make
    switch.kill()
    switch.wait()


def _net(pid: int) -> str:
    return str(Path(f"/proc/{pid}/ns/net").readlink())


def _listens(pid: int) -> bool:
    return bool(re.search(r":767D .* 0A ", Path(f"/proc/{pid}/net/tcp").read_text()))
