"""The images that a lab runs, made without a container engine: coalmine's, Prometheus's and pause.

coalmine's has three layers, each in the cache by what it is made of: Debian's root (a minute, once), the Python
dependencies (once for each set), and our own code (a second, at each change). The Dockerfile makes the same image.
"""

import compileall
import hashlib
import importlib.metadata
import os
import py_compile
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement

from orchestrator.errors import LabError
from orchestrator.lab import oci, state, toolchain
from orchestrator.lab.oci import Layer
from orchestrator.lab.state import Progress

SUITE = "bookworm"
ROOT_PACKAGES = ("python3", "iproute2", "iptables", "nftables", "procps", "stress-ng", "faketime", "ca-certificates")
OUR_FOLDERS = ("orchestrator", "simnode", "chaos", "stacks", "manifests", "dashboards")
PYTHON_PATH = "/opt/coalmine/app:/opt/coalmine/lib"


@dataclass(frozen=True, slots=True)
class Image:
    """An image in a file, under the name by which pods ask for it."""

    reference: str
    archive: Path


def coalmine(progress: Progress) -> Image:
    """The one image of coalmine, from the code that is running now."""
    layers = [_root(progress), _dependencies(progress), _code()]
    reference = f"docker.io/coalmine/coalmine:{_combined(layers)}"
    config = {
        "Env": [f"PYTHONPATH={PYTHON_PATH}", "PYTHONUNBUFFERED=1", "PYTHONDONTWRITEBYTECODE=1", _PATH],
        "User": "65532:65532",
        "WorkingDir": "/",
    }
    return _image(reference, layers, config)


def prometheus(progress: Progress) -> Image:
    """Debian's Prometheus, as installed on this machine, on the same root."""
    layers = [_root(progress), _prometheus_layer()]
    reference = f"docker.io/coalmine/prometheus:{_combined(layers)}"
    return _image(reference, layers, {"Env": [_PATH], "User": "65532:65532", "WorkingDir": "/"})


def pause(binaries: Path) -> Image:
    """What holds a pod's namespaces."""
    layer = _layer("pause", toolchain.key(), lambda folder: shutil.copy(binaries / "pause", folder / "pause"))
    return _image("docker.io/local/pause:1", [layer], {"Entrypoint": ["/pause"]})


_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def _image(reference: str, layers: list[Layer], config: dict[str, object]) -> Image:
    name = reference.rpartition("/")[2].rpartition(":")[0]
    target = state.cache() / "images" / f"{name}-{_combined(layers)}.tar"
    with toolchain.locked("images"):
        if not target.exists():
            target.parent.mkdir(exist_ok=True)
            for old in target.parent.glob(f"{name}-*.tar"):
                old.unlink()  # Archives are large and made in a second; one of each is enough.
            oci.write(target, reference, layers, config)
    return Image(reference, target)


def _combined(layers: list[Layer]) -> str:
    return hashlib.sha256("".join(layer.digest for layer in layers).encode()).hexdigest()[:12]


def _root(progress: Progress) -> Layer:
    key = hashlib.sha256(repr((SUITE, ROOT_PACKAGES)).encode()).hexdigest()[:16]
    target = _path("root", key)
    with toolchain.locked("layers"):
        if not target.exists():
            progress("making the image's Debian root (once; a minute or two)")
            _mmdebstrap(target)
        return _known(target)


def _mmdebstrap(target: Path) -> None:
    partial = target.with_suffix(".partial.tar")
    command = [
        *("mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(ROOT_PACKAGES)}"),
        "--dpkgopt=path-exclude=/usr/share/doc/*",
        "--dpkgopt=path-exclude=/usr/share/man/*",
        "--dpkgopt=path-exclude=/usr/share/locale/*",
        "--customize-hook=echo 'coalmine:x:65532:65532:coalmine:/nonexistent:/usr/sbin/nologin' >> \"$1/etc/passwd\"",
        "--customize-hook=echo 'coalmine:x:65532:' >> \"$1/etc/group\"",
        *(SUITE, str(partial)),
    ]
    sources = _apt_sources()
    done = subprocess.run([*command, *sources], capture_output=True, text=True, check=False)
    if done.returncode:
        said = " | ".join(done.stderr.strip().splitlines()[-3:])
        raise LabError(f"mmdebstrap failed: {said}", hint="can this machine's apt reach Debian's packages?")
    partial.rename(target)


def _apt_sources() -> list[str]:
    """This machine's own package sources, when it is the same Debian; else mmdebstrap's default."""
    release = Path("/etc/os-release").read_text() if Path("/etc/os-release").exists() else ""
    if f"VERSION_CODENAME={SUITE}" not in release:
        return []
    files = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]
    return [str(file) for file in files if file.exists() and file.suffix in {".list", ".sources"}]


def _dependencies(progress: Progress) -> Layer:
    wanted = _requirements()
    key = hashlib.sha256(repr((wanted, sys.version_info[:2])).encode()).hexdigest()[:16]

    def install(folder: Path) -> None:
        progress("installing the image's Python packages")
        target = folder / "opt" / "coalmine" / "lib"
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", "--only-binary=:all:"]
        command += ["--python-version=3.11", f"--target={target}", *wanted]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise LabError(f"pip failed: {done.stderr.strip()[-300:]}", hint="is the Python package index reachable?")
        _compile(target, folder)

    return _layer("dependencies", key, install)


def _requirements() -> list[str]:
    """What the `image` extra of the installed distribution asks for, at the versions that are installed here."""
    wanted = []
    for text in importlib.metadata.requires("coalmine") or []:
        requirement = Requirement(text)
        if requirement.marker and requirement.marker.evaluate({"extra": "image"}) and "image" in text:
            version = importlib.metadata.version(requirement.name)
            wanted.append(f"{requirement.name}=={version}")
    return sorted(wanted)


def _code() -> Layer:
    home = Path(__file__).parents[2]
    files = sorted(
        file
        for folder in OUR_FOLDERS
        for file in (home / folder).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts and "golang" not in file.parts
    )
    digest = hashlib.sha256()
    for file in files:
        digest.update(str(file.relative_to(home)).encode() + b"\0" + file.read_bytes() + b"\0")

    def copy(folder: Path) -> None:
        target = folder / "opt" / "coalmine" / "app"
        for file in files:
            place = target / file.relative_to(home)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, place)
        _compile(target, folder)

    return _layer("code", digest.hexdigest()[:16], copy)


def _compile(target: Path, root: Path) -> None:
    """Byte code that is not checked against the source's time, which a layer does not keep. Pods start faster by it."""
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    compileall.compile_dir(target, quiet=2, stripdir=str(root), workers=os.cpu_count() or 1, invalidation_mode=mode)


def _prometheus_layer() -> Layer:
    """The installed program and what it is linked with beyond the root's libc."""
    program = shutil.which("prometheus")
    if program is None:
        raise LabError("there is no prometheus to make an image of", hint="apt-get install prometheus")
    status = Path(program).stat()
    key = hashlib.sha256(repr((program, status.st_size, int(status.st_mtime))).encode()).hexdigest()[:16]

    def copy(folder: Path) -> None:
        (folder / "usr" / "bin").mkdir(parents=True)
        shutil.copy(program, folder / "usr" / "bin" / "prometheus")

    return _layer("prometheus", key, copy)


def _layer(name: str, key: str, fill: Callable[[Path], object]) -> Layer:
    """A layer of the cache, filled when it is not there."""
    target = _path(name, key)
    with toolchain.locked("layers"):
        if not target.exists():
            with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
                root = Path(scratch) / "root"
                root.mkdir()
                fill(root)
                partial = Path(scratch) / "layer.tar"
                with tarfile.open(partial, "w") as archive:
                    archive.add(root, ".", filter=_anonymous)
                partial.rename(target)
        return _known(target)


def _path(name: str, key: str) -> Path:
    folder = state.cache() / "layers"
    folder.mkdir(exist_ok=True)
    return folder / f"{name}-{key}.tar"


def _known(target: Path) -> Layer:
    """The layer with its digest, which is kept beside it: reading 300 MB again at each start would cost a second."""
    note = target.with_suffix(".sha256")
    if not note.exists():
        note.write_text(Layer.of(target).digest)
    return Layer(target, note.read_text())


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """Root's files whatever user made them, and always of the same time, so that equal content is an equal layer."""
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mtime = 0
    return entry
