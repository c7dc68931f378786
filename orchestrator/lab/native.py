"""Upstream Kubernetes in its own namespaces: up, down and status. Called by `cli` and by tests.

The API server, scheduler, kubelet, containerd, kube-proxy, CoreDNS and CNI are the real ones; only their packaging is
ours. One `supervisor` is PID 1 of the lab and starts all of it. A `guardian` outside cleans up.
"""

import contextlib
import os
import re
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.errors import LabError
from orchestrator.lab import certificates, components, guardian, image, network, state, store, toolchain
from orchestrator.lab.image import Image
from orchestrator.lab.state import LabState
from orchestrator.progress import Progress, Work, silent, taken, under_way

if TYPE_CHECKING:
    from orchestrator.cluster import Cluster

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?")
_FREE_SPACE = 3 * 1024**3
_PATIENCE = 30.0
"""Seconds that a guardian gets to start, and again to clean up."""


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

    def cluster(self) -> "Cluster":
        from orchestrator.cluster import Cluster  # noqa: PLC0415  The lab's own processes do not need its client.

        return Cluster.connect(kubeconfig=self.kubeconfig)

    def load_image(self, archive: Path, progress: Progress = silent) -> None:
        """Imports an OCI or Docker archive into the lab's containerd.

        Raises:
            LabError: when containerd refuses it.
        """
        pid = self.state.noted("supervisor")
        if pid is None or self.state.guardian() is None:
            raise LabError(f"lab {self.name} is not running", hint=f"`coalmine lab up {self.name}`")
        importing = ("ctr", "-a", components.CONTAINERD, "-n", "k8s.io", "images", "import", "-")
        with archive.open("rb") as stream, under_way(progress, Work(f"loading {archive.name}", taken(stream))):
            # Through standard input, because the lab may not see the file under the same path.
            done = subprocess.run(
                ["nsenter", "-t", pid, "-m", "-n", "-p", *importing],
                stdin=stream,
                capture_output=True,
                text=True,
                check=False,
            )
        if done.returncode:
            raise LabError(f"containerd does not take {archive}: {done.stderr.strip()[-300:]}")

    def images(self, progress: Progress) -> tuple[Image, Image]:
        """Makes and loads the images of coalmine, from the running code, and of Prometheus, unless the lab has them.

        Returns them in this order. The archive of the first holds only what the foundation lacks; `image.coalmine`
        makes a complete one.

        Raises:
            LabError: when one cannot be made or loaded.
        """
        made = (image.foundation(progress), image.update(progress), image.prometheus(progress))
        for item in made:  # The lab has the foundation already, unless dependencies have changed since.
            self.load(item, progress)
        return made[1:]

    def load(self, item: Image, progress: Progress) -> None:
        """Imports an image unless the lab has it; raises as `load_image` does."""
        have = (self.state.noted("images") or "").split()
        if item.reference in have:
            return
        started = time.monotonic()
        self.load_image(item.archive, progress)
        self.state.note("images", "\n".join([*have, item.reference]))
        progress(f"loaded {item.reference} in {time.monotonic() - started:.1f} s")


@dataclass(frozen=True, slots=True)
class LabStatus:
    """A lab as `status` shows it; `supervisor` is a PID on the host."""

    name: str
    kubeconfig: Path
    supervisor: int
    detached: bool


def up(name: str, *, owner: int | None, progress: Progress) -> Lab:
    """Starts the lab, or returns the one that runs. It ends when `owner` (a PID) ends; without an owner it stays.

    Raises:
        LabError: when something is missing on this machine, with a hint, or the lab does not start.
    """
    _require(name)
    found = find(name)
    if found is not None:
        return found
    toolchain.packages(progress)
    binaries = toolchain.binaries(progress)
    common = (image.pause(binaries, progress), image.foundation(progress), image.prometheus(progress))
    shared = store.prepared(common, progress)
    started = time.monotonic()
    with toolchain.locked("labs"):
        _sweep_dead()
        other = state.load(name)
        lab = other or _claim(name, binaries, owner=owner if owner is not None else os.getpid())
        if other is None:
            _start(lab, shared)
    if other is not None:
        return _follow(other, progress)
    try:
        with ThreadPoolExecutor(1) as pool:
            # Our own layer is made while the control plane starts.
            _finish(Lab(lab), common, pool.submit(image.update, progress), progress)
        if owner is None:
            lab.note("detached")
    except BaseException:  # Whatever interrupts the start, Ctrl-C included, nothing may remain.
        _end(lab)
        raise
    progress(f"lab {name} is up after {time.monotonic() - started:.1f} s")
    return Lab(lab)


def down(name: str, *, progress: Progress) -> None:
    """Ends a lab and removes everything but its logs. Does nothing where there is none.

    Raises:
        LabError: when the name is invalid, or this machine lacks root or util-linux.
    """
    _require(name)
    with toolchain.locked("labs"):
        lab = state.load(name)
    if lab is None:
        progress(f"there is no lab {name}")
        return
    _end(lab)
    progress(f"lab {name} is gone")


def find(name: str) -> Lab | None:
    """The lab if it runs, else None."""
    lab = state.load(name)
    return Lab(lab) if lab is not None and _serving(lab) else None


def status() -> tuple[LabStatus, ...]:
    """All labs that run on this machine."""
    if os.geteuid() == 0:
        with toolchain.locked("labs"):
            _sweep_dead()
    found = []
    for name in state.names():
        lab = state.load(name)
        if lab is not None and _serving(lab):
            pid = int(lab.noted("supervisor") or 0)
            found.append(LabStatus(name, lab.kubeconfig, pid, lab.noted("detached") is not None))
    return tuple(found)


@contextlib.contextmanager
def running(name: str, *, progress: Progress) -> Iterator[Lab]:
    """A lab for the duration of the block. It ends with the block, unless it ran before.

    Raises:
        LabError: as `up` does.
    """
    before = find(name)
    lab = up(name, owner=os.getpid(), progress=progress)
    try:
        yield lab
    finally:
        if before is None:
            down(name, progress=progress)


def _sweep_dead() -> None:
    """Removes what is left of labs whose guardian was killed. Needs the lock: a starting lab has no guardian yet."""
    for lab in filter(None, map(state.load, state.names())):
        if lab.guardian() is None:
            guardian.sweep(lab)


def _serving(lab: LabState) -> bool:
    return lab.guardian() is not None and lab.noted("up") is not None


def _require(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise LabError(f"{name!r} cannot name a lab", hint="lower-case letters, digits and dashes, at most 32")
    if os.geteuid() != 0:
        raise LabError(
            "a local Kubernetes needs root: it makes namespaces, links and mounts",
            hint="run as root, or name a cluster of yours with --context",
        )
    for program in ("unshare", "nsenter", "setpriv", "setsid"):
        if shutil.which(program) is None:
            raise LabError(f"there is no {program} on this machine", hint="install util-linux")


def _claim(name: str, binaries: Path, *, owner: int) -> LabState:
    """Takes the first index whose addresses are free, and makes the lab's directory."""
    state.ROOT.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(state.ROOT).free
    if free < _FREE_SPACE:
        raise LabError(f"only {free / 1e9:.1f} GB are free below {state.ROOT}", hint="a lab needs about 3 GB")
    taken = {lab.index for lab in map(state.load, state.names()) if lab is not None}
    used = network.used()
    for index in state.INDEXES:
        lab = LabState(name=name, index=index, binaries=str(binaries), owner=owner)
        if index not in taken and network.free(lab.networks, used):
            shutil.rmtree(lab.directory, ignore_errors=True)
            lab.save()
            return lab
    raise LabError(
        "no addresses are free for a lab: this machine has routes to all that labs use",
        hint="end a lab with `coalmine lab down NAME`, or name a cluster of yours with --context",
    )


def _start(lab: LabState, shared: Path) -> None:
    certificates.issue_all(lab)
    store.begin(shared, lab.directory / "containerd")
    shutil.rmtree(lab.logs, ignore_errors=True)
    lab.logs.mkdir(parents=True)
    command = [toolchain.python(), "-m", "orchestrator.lab", "guardian", lab.name]
    with (lab.logs / "guardian").open("wb") as log:
        # In its own session, and not as our child: a closing terminal must not end the guardian before it has cleaned
        # up, and nothing here would reap it.
        subprocess.run(["setsid", "--fork", *command], stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=True)
    deadline = time.monotonic() + _PATIENCE
    while lab.guardian() is None:
        if not lab.directory.exists() or time.monotonic() > deadline:  # It may have failed and cleaned up already.
            from orchestrator.lab import bringup  # noqa: PLC0415  Its Kubernetes client takes long to import.

            raise bringup.ended(lab)
        time.sleep(0.01)


def _finish(lab: Lab, common: tuple[Image, ...], ours: "Future[Image]", progress: Progress) -> None:
    from orchestrator.lab import bringup  # noqa: PLC0415  The lab's processes start during this import.

    bringup.serve(lab.state, progress)
    try:
        lab.state.note("images", "\n".join(item.reference for item in common))
        ours.result()
        lab.images(progress)
        lab.state.note("up")
    except FileNotFoundError as error:  # The lab's directory is gone, so the lab has ended.
        raise bringup.ended(lab.state) from error


def _follow(lab: LabState, progress: Progress) -> Lab:
    """Waits for a lab that another process is starting."""
    from orchestrator.lab import bringup  # noqa: PLC0415  Its Kubernetes client takes long to import.

    with under_way(progress, Work(f"waiting for lab {lab.name}, which another process starts")):
        bringup.until(lab, lambda: lab.noted("up") is not None, f"lab {lab.name}, which another process starts,", 180)
    return Lab(lab)


def _end(lab: LabState) -> None:
    """Ends the guardian, which ends everything else, and waits until it has cleaned up."""
    pid = lab.guardian()
    if pid is not None:
        with contextlib.suppress(ProcessLookupError):
            handle = os.pidfd_open(pid)
            if lab.guardian() == pid:  # The PID was not reused, so the handle is the guardian's.
                signal.pidfd_send_signal(handle, signal.SIGTERM)
                select.select([handle], [], [], _PATIENCE)
            os.close(handle)
    guardian.sweep(lab)
