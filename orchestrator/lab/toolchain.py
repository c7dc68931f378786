"""Provides the lab's binaries: installs Debian's packages, and builds three Go programs into the cache, once.

Called by `native`, `image` and `docker_engine`.
"""

import contextlib
import fcntl
import hashlib
import importlib.resources
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from orchestrator.errors import LabError
from orchestrator.lab import building, state
from orchestrator.lab.building import Program
from orchestrator.progress import Progress, Work, silent, under_way

KUBERNETES = "v1.34.4"

PACKAGES = {
    "etcd": "etcd-server",
    "containerd": "containerd",
    "runc": "runc",
    "prometheus": "prometheus",
    "ip": "iproute2",
    "iptables": "iptables",
    "mmdebstrap": "mmdebstrap",
    "/usr/lib/cni/bridge": "containernetworking-plugins",
}
"""Program -> the Debian package that contains it."""

COMPONENTS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy")

_STAMP = f"-s -w -X k8s.io/component-base/version.gitVersion={KUBERNETES}"
_PROGRAMS = (
    Program("kubernetes", _STAMP, takes="some ten minutes on two cores"),
    Program("coredns", "-s -w", takes="a minute or more"),
    Program("pause", "-s -w", takes="a moment"),
)


def sources() -> Path:
    return Path(str(importlib.resources.files("orchestrator.lab").joinpath("golang")))


def key() -> str:
    """A hash of the sources, the pinned modules and the compiler flags, 16 hex digits. Equal on every machine."""
    digest = hashlib.sha256(repr({program.name: program.flags for program in _PROGRAMS}).encode())
    for file in sorted(sources().rglob("*")):
        if file.is_file():
            digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()[:16]


def binaries(progress: Progress) -> Path:
    """The directory with Kubernetes, CoreDNS and pause. They are built if the cache does not have them.

    Raises:
        LabError: when Go is missing or a build fails.
    """
    folder = state.cache() / "binaries" / key()
    with locked("binaries", progress):
        if (folder / "done").exists():
            return folder
        go = _go()
        folder.mkdir(parents=True, exist_ok=True)
        for program in _PROGRAMS:
            if not (folder / program.name).exists():
                building.build(go, sources(), program, folder / program.name, progress)
        for component in COMPONENTS:
            (folder / component).unlink(missing_ok=True)
            (folder / component).symlink_to("kubernetes")
        (folder / "done").touch()
    return folder


def packages(progress: Progress) -> None:
    """Installs the Debian packages that a lab needs and this machine lacks; raises as `install` does."""
    install(PACKAGES, progress)


def install(wanted: Mapping[str, str], progress: Progress) -> None:
    """Installs Debian's package for each program that this machine lacks.

    Raises:
        LabError: when there is no apt-get or no root, or apt-get fails.
    """
    lacking = sorted({package for program, package in wanted.items() if shutil.which(program) is None})
    if not lacking:
        return
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise LabError(
            f"missing: {', '.join(lacking)}, and there is no apt-get or no root to install them",
            hint="install these packages by your distribution's means, or name a cluster of yours with --context",
        )
    started = time.monotonic()
    what = f"installing {', '.join(lacking)}"
    progress(what)
    with locked("apt", progress), _no_daemons(), under_way(progress, Work(what)):
        _apt("update", "-q")
        _apt("install", "-qy", "--no-install-recommends", *lacking)
    progress(f"installed them in {time.monotonic() - started:.0f} s")


def _apt(*arguments: str) -> None:
    """Runs apt-get. It is not run by `contained`: a package manager that is killed half-way leaves a broken system."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(["apt-get", *arguments], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        said = " | ".join(done.stderr.strip().splitlines()[-3:])
        raise LabError(f"apt-get {arguments[0]} failed: {said}", hint="does `apt-get update` work?")


_POLICY_FILE = Path("/usr/sbin/policy-rc.d")
_POLICY = """#!/bin/sh
# Written by coalmine for the time of an installation; may be removed.
exit 101
"""


@contextlib.contextmanager
def _no_daemons() -> Iterator[None]:
    """Keeps Debian's packages from starting their services. The lab starts its own, in its own namespaces."""
    policy = _POLICY_FILE
    if policy.exists() and policy.read_text(errors="replace") != _POLICY:
        yield  # The machine has its own policy, as containers do.
        return
    policy.write_text(_POLICY)
    policy.chmod(0o755)
    try:
        yield
    finally:
        policy.unlink(missing_ok=True)


@contextlib.contextmanager
def locked(name: str, progress: Progress = silent) -> Iterator[None]:
    """Lets only one process at a time make a part of the cache. The kernel frees the lock of a process that dies."""
    with (state.cache() / f"{name}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with under_way(progress, Work(f"waiting for another process that is at the {name}")):
                fcntl.flock(file, fcntl.LOCK_EX)
        yield


_GO_HOME = Path("/usr/local/go")
"""The usual folder of Go's own archive. A root shell often does not have it in PATH."""


def _go() -> str:
    found = shutil.which("go") or shutil.which("go", path=str(_GO_HOME / "bin"))
    if found is None:
        raise LabError(
            "Go is needed to build the local Kubernetes, once",
            hint="install Go 1.24 or later, or name a cluster of yours with --context",
        )
    return found


def python() -> str:
    """The interpreter for the lab's own processes: the one that runs now, with the same library."""
    return sys.executable
