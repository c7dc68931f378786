"""K3s in a Docker container, through testcontainers: a cluster for machines with an engine that can pull images.

Called by `choose` and `cli`. The container ends with the block. If this process is killed, testcontainers' own reaper
ends it. It has not been run where coalmine is developed, because no registry is reachable there. Only the decision for
or against it, and what it shares with the native lab, are tested.
"""

import contextlib
import io
import tarfile
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from orchestrator.cluster import Cluster
from orchestrator.errors import LabError
from orchestrator.lab import image
from orchestrator.lab.docker_engine import Engine
from orchestrator.lab.image import Image
from orchestrator.progress import Progress, Work, silent, under_way

IMAGE = "rancher/k3s:v1.34.1-k3s1"


@dataclass(frozen=True, slots=True)
class K3s:
    """A running K3s. It has the same methods as a native `Lab`."""

    name: str
    kubeconfig: Path
    container: Any

    def cluster(self) -> Cluster:
        return Cluster.connect(kubeconfig=self.kubeconfig)

    def load_image(self, archive: Path, progress: Progress = silent) -> None:
        """Copies an archive into the container and imports it into K3s's containerd.

        Raises:
            LabError: when containerd refuses it.
        """
        inside = f"/{archive.name}"
        wrapped = self.container.get_wrapped_container()
        with under_way(progress, Work(f"loading {archive.name}")):
            with tempfile.TemporaryFile() as file:
                _wrap(archive, file)
                wrapped.put_archive("/", file)
            code, said = wrapped.exec_run(["ctr", "-n", "k8s.io", "images", "import", inside])
            wrapped.exec_run(["rm", "-f", inside])
        if code:
            raise LabError(f"K3s does not take {archive.name}: {said.decode(errors='replace').strip()[-300:]}")

    def images(self, progress: Progress) -> tuple[Image, Image]:
        """Makes and loads the images of coalmine, from the running code, and of Prometheus; returns them in this order.

        Raises:
            LabError: when one cannot be made or loaded.
        """
        made = (image.coalmine(progress), image.prometheus(progress))
        for item in made:
            self.load(item, progress)
        return made

    def load(self, item: Image, progress: Progress) -> None:
        """Imports an image; raises as `load_image` does."""
        started = time.monotonic()
        self.load_image(item.archive, progress)
        progress(f"loaded {item.reference} in {time.monotonic() - started:.1f} s")


@contextlib.contextmanager
def running(name: str, progress: Progress) -> Iterator[K3s]:
    """K3s for the duration of the block, in the engine that the environment names: the one that `answering` found.

    Raises:
        LabError: when testcontainers is missing or K3s does not start.
    """
    started = time.monotonic()
    progress(f"starting {IMAGE} in Docker")
    with _container(progress) as container, tempfile.TemporaryDirectory() as folder:
        kubeconfig = Path(folder) / f"{name}.kubeconfig"
        kubeconfig.touch(mode=0o600)
        kubeconfig.write_text(container.config_yaml())
        progress(f"K3s is up after {time.monotonic() - started:.1f} s")
        yield K3s(name, kubeconfig, container)


def obtainable(engine: Engine) -> bool:
    """Whether the engine has K3s's image, or the image's registry answers. Pulls nothing."""
    import docker  # noqa: PLC0415  An engine was found, so its client is installed.

    with engine.client() as client:
        try:
            client.images.get(IMAGE)
        except docker.errors.ImageNotFound:
            try:
                client.images.get_registry_data(IMAGE)
            except docker.errors.DockerException:
                return False
        except docker.errors.DockerException:
            return False
        return True


@contextlib.contextmanager
def _container(progress: Progress) -> Iterator[Any]:
    try:
        from testcontainers.community.k3s import K3SContainer  # noqa: PLC0415  An extra that most users lack.
    except ImportError as error:
        raise LabError("K3s in Docker needs testcontainers", hint="pip install testcontainers") from error
    from docker.errors import DockerException  # noqa: PLC0415  It comes with testcontainers.

    try:
        with under_way(progress, Work(f"starting {IMAGE} in Docker")):
            container = K3SContainer(IMAGE).start()
    except (DockerException, TimeoutError) as error:
        raise LabError(f"K3s did not start: {error}", hint="does this engine run privileged containers?") from error
    try:
        yield container
    finally:
        container.stop()


def _wrap(archive: Path, file: IO[bytes]) -> None:
    """Packs the archive into a tar, because Docker copies only tars into containers."""
    with tarfile.open(fileobj=file, mode="w") as tar:
        tar.add(archive, archive.name)
    file.seek(0, io.SEEK_SET)
