"""Upstream Kubernetes in namespaces of its own: up, down, what there is. Called by `cli.lab` and by tests.

The API server, scheduler, kubelet, containerd, kube-proxy, CoreDNS and CNI are the real ones; only their packaging is
ours. One supervisor, PID 1 of the lab, holds all of it (`supervisor`), and a guardian outside tidies up (`guardian`).
"""

import contextlib
import functools
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from orchestrator.cluster import Cluster
from orchestrator.errors import ClusterError, LabError
from orchestrator.lab import certificates, guardian, image, state, storage, toolchain
from orchestrator.lab.image import Image
from orchestrator.lab.state import LabState, Progress

INDEXES = range(60)


@dataclass(frozen=True, slots=True)
class Lab:
    """A running lab."""

    state: LabState

    @property
    def name(self) -> str:
        return self.state.name

    @property
    def kubeconfig(self) -> Path:
        return self.state.kubeconfig

    def cluster(self) -> Cluster:
        return Cluster.connect(kubeconfig=self.kubeconfig)

    def load_image(self, archive: Path) -> None:
        """Imports an OCI archive into the lab's containerd.

        Raises:
            LabError: when containerd refuses it.
        """
        pid = self.state.noted("supervisor")
        if pid is None:
            raise LabError(f"lab {self.name} is not running", hint=f"`coalmine lab up {self.name}`")
        socket = "/run/containerd-lab.sock"
        command = ["nsenter", "-t", pid, "-m", "-n", "-p", "ctr", "-a", socket, "-n", "k8s.io", "images", "import"]
        done = subprocess.run([*command, str(archive.resolve())], capture_output=True, text=True, check=False)
        if done.returncode:
            raise LabError(f"containerd does not take {archive}: {done.stderr.strip()[-300:]}")

    def images(self, progress: Progress) -> tuple[Image, Image]:
        """Today's coalmine image and Prometheus, made and loaded unless the lab has them."""
        made = (image.coalmine(progress), image.prometheus(progress))
        have = (self.state.noted("images") or "").split()
        for item in made:
            if item.reference not in have:
                started = time.monotonic()
                self.load_image(item.archive)
                have.append(item.reference)
                progress(f"loaded {item.reference} in {time.monotonic() - started:.1f} s")
        self.state.note("images", "\n".join(have))
        return made


@dataclass(frozen=True, slots=True)
class LabStatus:
    """A lab as `status` shows it."""

    name: str
    kubeconfig: Path
    supervisor: int
    detached: bool


def up(name: str, *, owner: int | None, progress: Progress) -> Lab:
    """Starts the lab, or returns the one that runs. With an owner it ends when that process does; else it stays.

    Raises:
        LabError: naming what is missing on this machine and what helps.
    """
    _require_root()
    sweep_dead()
    running = find(name)
    if running is not None:
        return running
    toolchain.packages(progress)
    binaries = toolchain.binaries(progress)
    started = time.monotonic()
    lab = _claim(name, binaries, owner=owner if owner is not None else os.getpid())
    try:
        with ThreadPoolExecutor(2) as pool:
            # Images are made while the control plane starts; both take some seconds.
            images = [pool.submit(image.coalmine, progress), pool.submit(image.prometheus, progress)]
            certificates.issue_all(lab)
            _start(lab)
            _serve(lab, progress)
            found = _load(Lab(lab), binaries, images, progress)
        if owner is None:
            lab.note("detached")
    except BaseException:  # Whatever ends the start, Ctrl-C included, nothing may stay behind.
        _end(lab)
        raise
    progress(f"lab {name} is up after {time.monotonic() - started:.1f} s")
    return found


def down(name: str, *, progress: Progress) -> None:
    """Ends a lab; nothing of it stays. Safe where there is none."""
    _require_root()
    lab = state.load(name)
    if lab is None:
        progress(f"there is no lab {name}")
        return
    _end(lab)
    progress(f"lab {name} is gone")


def find(name: str) -> Lab | None:
    """The lab when it runs."""
    lab = state.load(name)
    return Lab(lab) if lab is not None and _serving(lab) else None


def status() -> tuple[LabStatus, ...]:
    """All labs that run on this machine."""
    if os.geteuid() == 0:
        sweep_dead()
    found = []
    for name in state.names():
        lab = state.load(name)
        if lab is not None and _serving(lab):
            pid = int(lab.noted("supervisor") or 0)
            found.append(LabStatus(name, lab.kubeconfig, pid, lab.noted("detached") is not None))
    return tuple(found)


def sweep_dead() -> None:
    """Removes what labs left whose guardian was killed."""
    for name in state.names():
        lab = state.load(name)
        if lab is None:
            continue
        pid = lab.noted("guardian")
        if pid is None or not state.alive(int(pid)):
            guardian.sweep(lab)


def _serving(lab: LabState) -> bool:
    pid = lab.noted("guardian")
    return pid is not None and state.alive(int(pid)) and lab.noted("up") is not None


def _require_root() -> None:
    if os.geteuid() != 0:
        raise LabError(
            "a local Kubernetes needs root: it makes namespaces, links and mounts",
            hint="run as root, or name a cluster of yours with --context",
        )
    if shutil.which("unshare") is None:
        raise LabError("there is no unshare on this machine", hint="install util-linux")


def _claim(name: str, binaries: Path, *, owner: int) -> LabState:
    """Takes the first index whose addresses nobody uses."""
    with toolchain.locked("labs"):
        taken = {lab.index for lab in map(state.load, state.names()) if lab is not None}
        routes = _routes()
        for index in INDEXES:
            lab = LabState(name=name, index=index, binaries=str(binaries), owner=owner)
            networks = (lab.pod_network, lab.service_network, f"10.243.{index}.0/30")
            if index not in taken and not any(network in routes for network in networks):
                shutil.rmtree(lab.directory, ignore_errors=True)
                lab.save()
                return lab
    raise LabError("no free addresses for a lab", hint="end one with `coalmine lab down NAME`")


def _routes() -> set[str]:
    done = subprocess.run(["ip", "-o", "route"], capture_output=True, text=True, check=True)
    return {line.split()[0] for line in done.stdout.splitlines() if line}


def _start(lab: LabState) -> None:
    shutil.rmtree(lab.logs, ignore_errors=True)
    lab.logs.mkdir(parents=True)
    log = (lab.logs / "guardian").open("wb")
    command = [toolchain.python(), "-m", "orchestrator.lab", "guardian", lab.name]
    # A session of its own: a terminal that goes must not take the guardian along before it has tidied up.
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    lab.note("guardian", str(process.pid))


def _serve(lab: LabState, progress: Progress) -> None:
    """Waits for the API server and the node, and gives the cluster its DNS and storage class."""
    started = time.monotonic()
    progress("starting the control plane")
    _until(lab, lambda: _ready_api(lab), "the API server", 90)
    progress(f"API server after {time.monotonic() - started:.1f} s")
    cluster = Lab(lab).cluster()
    for document in (*_dns(lab), storage.CLASS):
        # A young API server does not know its own service addresses yet, and says that ours are wrong.
        _until(lab, functools.partial(_applied, cluster, document), "the DNS service", 30)
    _until(lab, lambda: _ready_node(cluster, lab), "the node", 90)
    progress(f"node ready after {time.monotonic() - started:.1f} s")


def _load(lab: Lab, binaries: Path, images: list[Future[Image]], progress: Progress) -> Lab:
    lab.load_image(image.pause(binaries).archive)
    for item in images:
        item.result()
    lab.images(progress)
    lab.state.note("up")
    return lab


def _until(lab: LabState, condition: Callable[[], bool], what: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        pid = lab.noted("guardian")
        failed = lab.noted("failed")
        if failed is not None:
            raise LabError(f"the lab did not start: {failed}", hint=_hint(failed))
        if pid is None or not state.alive(int(pid)):
            log = (lab.logs / "guardian").read_text(errors="replace").strip()[-500:]
            raise LabError(f"the lab did not start: {log}", hint=_hint(log))
        if time.monotonic() > deadline:
            raise LabError(f"{what} was not ready within {seconds:g} s", hint=f"logs are in {lab.logs}")
        time.sleep(0.1)


def _hint(said: str) -> str:
    """What helps against what a machine most often lacks."""
    for words, remedy in (
        ("veth", "this kernel has no veth links; use a cluster of yours with --context"),
        ("address already in use", "another program listens on a port that the lab needs; end it"),
        ("unshare", "namespaces are refused here (a container without CAP_SYS_ADMIN?); use --context"),
        ("No space left", "free some disk space: a lab needs about 3 GB"),
    ):
        if words in said:
            return remedy
    return "the lab's logs are kept in the cache, below logs/"


def _ready_api(lab: LabState) -> bool:
    try:
        return Lab(lab).cluster().get("Namespace", "kube-system") is not None
    except ClusterError:
        return False


def _ready_node(cluster: Cluster, lab: LabState) -> bool:
    node = cluster.get("Node", lab.node)
    conditions = node.get("status", {}).get("conditions", []) if node else []
    account = cluster.get("ServiceAccount", "default", "default")  # Pods need it, and it comes a little later.
    return account is not None and any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def _applied(cluster: Cluster, document: dict[str, object]) -> bool:
    try:
        cluster.apply(document)
    except ClusterError:
        return False
    return True


def _dns(lab: LabState) -> tuple[dict[str, object], ...]:
    """CoreDNS runs beside the kubelet; a Service without selector leads to it."""
    metadata = {"name": "kube-dns", "namespace": "kube-system"}
    ports = [
        {"name": "dns", "port": 53, "protocol": "UDP"},
        {"name": "dns-tcp", "port": 53, "protocol": "TCP"},
    ]
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": {"clusterIP": lab.dns_ip, "ports": ports},
    }
    slice_ = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {**metadata, "labels": {"kubernetes.io/service-name": "kube-dns"}},
        "addressType": "IPv4",
        "ports": ports,
        "endpoints": [{"addresses": [lab.bridge_ip], "conditions": {"ready": True}}],
    }
    return service, slice_


def _end(lab: LabState) -> None:
    """Ends the guardian, which ends everything, and waits until it has tidied up."""
    pid = lab.noted("guardian")
    if pid is not None and state.alive(int(pid)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGTERM)
        deadline = time.monotonic() + 20
        while state.alive(int(pid)) and time.monotonic() < deadline:
            time.sleep(0.05)
    guardian.sweep(lab)


@contextlib.contextmanager
def running(name: str, *, progress: Progress) -> Iterator[Lab]:
    """A lab for the duration of a block, ended after it if it was started for it."""
    before = find(name)
    lab = up(name, owner=os.getpid(), progress=progress)
    try:
        yield lab
    finally:
        if before is None:
            down(name, progress=progress)
