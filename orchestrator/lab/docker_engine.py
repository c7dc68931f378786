"""A Docker engine for tests and K3s: the one that answers here, else a temporary one with Debian's dockerd.

Called by `choose`, `k3s` and tests. Only tests start the temporary engine. Its dockerd is PID 1 of its own namespaces.
A holder process (`python -m orchestrator.lab engine`) keeps it. The holder ends with the process that asked for the
engine, and removes cgroups and files. If the holder is killed, the kernel ends the engine, and the next engine removes
what is left.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.errors import LabError
from orchestrator.lab import cgroups, guardian, network, toolchain
from orchestrator.progress import Progress

ROOT = Path("/var/lib/coalmine/engines")
_READY_WITHIN = 30.0
_LOOK = 0.05
"""Seconds between two polls of an engine that is starting."""

_START = """
mount --make-rprivate /
mount -t tmpfs tmpfs /run
ip link set lo up
until ip link show {link} >/dev/null 2>&1; do sleep 0.02; done
ip address add {inside}/30 dev {link}
ip link set {link} up
ip route add default via {outside}
exec dockerd --data-root {folder}/data --exec-root /run/docker --pidfile /run/docker.pid \\
  -H unix://{folder}/docker.sock --bip={bridge} --cgroup-parent=/{cgroup} \\
  --iptables=false --storage-driver=overlay2
"""
"""The script that PID 1 runs before it becomes dockerd. docker-proxy serves published ports, without iptables."""


@dataclass(frozen=True, slots=True)
class Engine:
    """A Docker engine that answers. The ports that containers publish are reachable at the host `published_at`."""

    url: str
    published_at: str

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables that testcontainers reads. Ryuk is disabled: it needs a registry, and the holder cleans up."""
        return {
            "DOCKER_HOST": self.url,
            "TESTCONTAINERS_HOST_OVERRIDE": self.published_at,
            "TESTCONTAINERS_RYUK_DISABLED": "true",
        }

    def load(self, archive: Path) -> None:
        """Loads an archive that `image` made, like `docker load`.

        Raises:
            LabError: when the engine refuses it.
        """
        with self.client() as client, archive.open("rb") as stream:
            try:
                client.images.load(stream)
            except _docker().errors.DockerException as error:
                raise LabError(f"Docker does not take {archive.name}: {error}") from error

    def address(self, container: str) -> str:
        """The IP address of a container on the engine's bridge. The host has a route to it.

        Raises:
            LabError: when there is no such container or it has no address.
        """
        with self.client() as client:
            try:
                networks = client.containers.get(container).attrs["NetworkSettings"]["Networks"]
            except _docker().errors.DockerException as error:
                raise LabError(f"no container {container}: {error}") from error
        for attached in networks.values():
            if attached["IPAddress"]:
                return str(attached["IPAddress"])
        raise LabError(f"container {container} has no address", hint="is it running?")

    @contextlib.contextmanager
    def client(self) -> Iterator[Any]:
        """Docker's own client, connected to this engine."""
        client = _docker().DockerClient(base_url=self.url)
        try:
            yield client
        finally:
            client.close()


@dataclass(frozen=True, slots=True)
class _Place:
    """The addresses and names of one of our engines."""

    index: int
    folder: Path

    @property
    def fields(self) -> dict[str, str]:
        return {
            "folder": str(self.folder),
            "link": f"coald{self.index}l",
            "host_link": f"coald{self.index}h",
            "inside": f"10.243.{self.index}.2",
            "outside": f"10.243.{self.index}.1",
            "bridge": f"10.244.{self.index}.1/24",
            "containers": f"10.244.{self.index}.0/24",
            "cgroup": f"coalmine-engine-{self.index}",
        }


@contextlib.contextmanager
def engine(progress: Progress) -> Iterator[Engine]:
    """The Docker engine that answers here, or one of our own that ends with the block.

    Raises:
        LabError: when none answers and none can be started.
    """
    found = answering()
    if found is not None:
        progress(f"using the Docker engine at {found.url}")
        yield found
        return
    _require(progress)
    started = time.monotonic()
    with toolchain.locked("engines"):
        _sweep()
        place = _claim()
        holder = _hold(place)
    try:
        ours = Engine(f"unix://{place.folder}/docker.sock", place.fields["inside"])
        _until_ready(ours, holder, place)
        progress(f"started a Docker engine in {time.monotonic() - started:.1f} s")
        yield ours
    finally:
        assert holder.stdin is not None
        holder.stdin.close()
        holder.wait()


def answering(environment: Mapping[str, str] = os.environ) -> Engine | None:
    """The engine that DOCKER_HOST names, else the machine's, if it answers."""
    url = environment.get("DOCKER_HOST") or "unix:///var/run/docker.sock"
    if url.startswith("unix://") and not Path(url.removeprefix("unix://")).exists():
        return None
    candidate = Engine(url, published_at(url, environment))
    return candidate if _pings(candidate) else None


def published_at(url: str, environment: Mapping[str, str]) -> str:
    """The host of an engine's published ports: this machine for a Unix socket, else the host in the URL."""
    override = environment.get("TESTCONTAINERS_HOST_OVERRIDE")
    if override:
        return override
    scheme, _, rest = url.partition("://")
    return rest.rpartition(":")[0] or rest if scheme in {"tcp", "http", "https"} else "127.0.0.1"


def _docker() -> Any:
    try:
        import docker  # noqa: PLC0415  Only tests and K3s need the client.
    except ImportError as error:
        raise LabError("Docker's Python client is missing", hint="pip install testcontainers") from error
    return docker


def _pings(candidate: Engine) -> bool:
    module = _docker()
    try:
        with candidate.client() as client:
            return bool(client.ping())
    except (module.errors.DockerException, OSError):
        return False


def _require(progress: Progress) -> None:
    if os.geteuid() != 0:
        raise LabError("no Docker engine answers, and starting one needs root", hint="start Docker, or set DOCKER_HOST")
    toolchain.install({"dockerd": "docker.io", "ip": "iproute2", "iptables": "iptables"}, progress)


def _sweep() -> None:
    """Removes what is left of engines whose holder was killed."""
    for folder in ROOT.glob("*"):
        if not _held(folder):
            _tidy(_Place(int(folder.name), folder))


def _claim() -> _Place:
    """Takes the first index whose folder and addresses are free. Labs use indexes below 60."""
    used = network.used()
    for index in range(100, 200):
        place = _Place(index, ROOT / str(index))
        wanted = (f"{place.fields['inside']}/32", f"{place.fields['outside']}/32", place.fields["containers"])
        if not place.folder.exists() and network.free(wanted, used):
            place.folder.mkdir(parents=True)
            return place
    raise LabError("no free addresses for a Docker engine", hint="end some of the engines that run")


def _hold(place: _Place) -> "subprocess.Popen[bytes]":
    """Starts the holder in its own session, so that Ctrl-C ends us but not the process that cleans up after us."""
    with (place.folder / "holder.log").open("wb") as log:
        holder = subprocess.Popen(
            [toolchain.python(), "-m", "orchestrator.lab", "engine", str(place.index)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=log,
            start_new_session=True,
        )
    (place.folder / "holder").write_text(str(holder.pid))
    return holder


def _until_ready(ours: Engine, holder: "subprocess.Popen[bytes]", place: _Place) -> None:
    deadline = time.monotonic() + _READY_WITHIN
    while not _pings(ours):
        if holder.poll() is not None or time.monotonic() > deadline:
            said = (place.folder / "holder.log").read_text(errors="replace") if place.folder.exists() else "no log"
            hint = "start a Docker engine, or set DOCKER_HOST to one"
            raise LabError(f"dockerd did not start: {said.strip()[-400:]}", hint=hint)
        time.sleep(_LOOK)


def _held(folder: Path) -> bool:
    """Whether the process that the folder names is still its holder. Another program may have its PID now."""
    try:
        pid = int((folder / "holder").read_text())
        return b"orchestrator.lab\0engine" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return False


def main(index: str) -> None:
    """The holder: runs dockerd until standard input closes, which happens however the asking process ends."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    place = _Place(int(index), ROOT / index)
    fields, process = place.fields, None
    try:
        cgroups.make(fields["cgroup"])
        namespaces = ("--mount", "--net", "--pid", "--fork", "--mount-proc", "--kill-child")
        process = subprocess.Popen(
            [*guardian.DIES_WITH_US, "unshare", *namespaces, "/bin/sh", "-ec", _START.format(**fields)],
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
        )
        _cable(fields, process)
        while sys.stdin.buffer.read(1):
            pass
    finally:
        if process is not None:
            guardian.end(process)
        _tidy(place)


def _cable(fields: Mapping[str, str], process: "subprocess.Popen[bytes]") -> None:
    while not (children := guardian.children(process.pid)):
        if process.poll() is not None:
            sys.exit(1)
        time.sleep(_LOOK)
    for command in (
        f"link add {fields['host_link']} type veth peer name {fields['link']} netns {children[0]}",
        f"address add {fields['outside']}/30 dev {fields['host_link']}",
        f"link set {fields['host_link']} up",
        f"route add {fields['containers']} via {fields['inside']}",
    ):
        subprocess.run(["ip", *command.split()], check=True)


def _tidy(place: _Place) -> None:
    cgroups.remove(place.fields["cgroup"])
    subprocess.run(["ip", "link", "delete", place.fields["host_link"]], capture_output=True, check=False)
    guardian.remove_files(place.folder)
