"""Makes the images that a lab runs, without a container engine: coalmine's, Prometheus's and pause.

coalmine's image has three layers. The cache keeps each under a hash of its inputs: Debian's root (made once, a minute),
the Python dependencies (once for each set), and our own code (at each change, a second). The first two are the
foundation, which every lab has from its start (`store`). The Dockerfile makes the same image.
"""

import compileall
import hashlib
import os
import py_compile
import shutil
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from orchestrator.lab import contained, libraries, oci, state, toolchain
from orchestrator.lab.oci import Config, Layer
from orchestrator.progress import Progress, Work, size, under_way, written

SUITE = "bookworm"
ROOT_PACKAGES = ("python3", "iproute2", "iptables", "nftables", "procps", "stress-ng", "faketime", "ca-certificates")
OUR_FOLDERS = ("orchestrator", "simnode", "chaos", "stacks", "manifests", "dashboards")
PAUSE = "docker.io/coalmine/pause:1"
"""A fixed name, because containerd's configuration contains it. Every lab has its own containerd."""

PYTHON_PATH = "/opt/coalmine/app:/opt/coalmine/lib"


@dataclass(frozen=True, slots=True)
class Image:
    """An image: the reference that pods use, and its archive file."""

    reference: str
    archive: Path


def coalmine(progress: Progress) -> Image:
    """The complete image of coalmine, made of the code that is running now."""
    layers = [*_foundation(progress), _code(progress)]
    return _image("docker.io/coalmine/coalmine", layers, _PYTHON, progress=progress)


def update(progress: Progress) -> Image:
    """The same image under the same name. Its archive is for stores that have the foundation: a megabyte or two."""
    layers = [*_foundation(progress), _code(progress)]
    return _image("docker.io/coalmine/coalmine", layers, _PYTHON, carried=layers[-1:], progress=progress)


def foundation(progress: Progress) -> Image:
    """The layers that all versions of coalmine's image share. No pod uses this image."""
    return _image("docker.io/coalmine/foundation", list(_foundation(progress)), _PYTHON, progress=progress)


def prometheus(progress: Progress) -> Image:
    """An image of Debian's Prometheus, as installed on this machine, on the same root."""
    layers = [_root(progress), _prometheus_layer(progress)]
    return _image("docker.io/coalmine/prometheus", layers, _PLAIN, progress=progress)


def of_programs(name: str, key: str, fill: Callable[[Path], object], progress: Progress) -> Image:
    """An image of a user's programs on the same root. `fill` puts them into a folder, once for each key."""
    root = _root(progress)

    def filled(folder: Path) -> None:
        fill(folder)
        programs = [file for file in folder.rglob("*") if file.is_file()]
        libraries.add(programs, root.file, partial(_packages, progress), folder, progress)

    layers = [root, _layer("client", key, filled, progress)]
    return _image(f"docker.io/coalmine/{name}", layers, _PLAIN, progress=progress)


def digest(text: str) -> str:
    """A short hash, 16 hex digits, that names what is made of the text."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def pause(binaries: Path, progress: Progress) -> Image:
    """The image of the pause program, which holds a pod's namespaces."""
    layer = _layer("pause", toolchain.key(), lambda folder: shutil.copy(binaries / "pause", folder / "pause"), progress)
    config: Config = {"Entrypoint": ["/pause"]}
    return _written(PAUSE, f"pause-{layer.digest[:12]}", [layer], config, carried=[layer], progress=progress)


_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_PLAIN: Config = {"Env": [_PATH], "User": "65532:65532", "WorkingDir": "/"}
_PYTHON: Config = {
    **_PLAIN,
    "Env": [f"PYTHONPATH={PYTHON_PATH}", "PYTHONUNBUFFERED=1", "PYTHONDONTWRITEBYTECODE=1", _PATH],
}
_KEPT_WHOLE, _KEPT_SMALL = 2, 16
"""How many archives and layers of our changing code stay: another process may still have to read an older one."""


def _image(
    name: str, layers: list[Layer], config: Config, *, carried: list[Layer] | None = None, progress: Progress
) -> Image:
    identity = hashlib.sha256(repr((oci.FORMAT, [layer.digest for layer in layers], config)).encode()).hexdigest()[:12]
    kind = name.rpartition("/")[2] + ("" if carried is None else "-update")
    carried = layers if carried is None else carried
    return _written(f"{name}:{identity}", f"{kind}-{identity}", layers, config, carried=carried, progress=progress)


def _written(
    reference: str, file: str, layers: list[Layer], config: Config, *, carried: list[Layer], progress: Progress
) -> Image:
    target = state.cache() / "images" / f"{file}.tar"
    with toolchain.locked("images", progress):
        if not target.exists():
            target.parent.mkdir(exist_ok=True)
            size = sum(layer.file.stat().st_size for layer in carried)
            with under_way(progress, Work(f"writing image {reference}", written(oci.partial(target), size))):
                oci.write(target, reference, layers, config, carried=carried)
            kept = _KEPT_WHOLE if len(carried) == len(layers) else _KEPT_SMALL
            _forget(target.parent.glob(f"{file.rpartition('-')[0]}-{'[0-9a-f]' * 12}.tar"), kept)
    return Image(reference, target)


def _forget(files: Iterable[Path], kept: int) -> None:
    """Removes all but the newest files; `kept` is how many stay."""
    for old in sorted(files, key=lambda file: file.stat().st_mtime)[:-kept]:
        _note(old).unlink(missing_ok=True)
        old.unlink()


def _foundation(progress: Progress) -> tuple[Layer, Layer]:
    return _root(progress), _dependencies(progress)


_ROOT = (
    *("mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(ROOT_PACKAGES)}"),
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    "--dpkgopt=path-exclude=/usr/share/man/*",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
    "--customize-hook=echo 'coalmine:x:65532:65532:coalmine:/nonexistent:/usr/sbin/nologin' >> \"$1/etc/passwd\"",
    "--customize-hook=echo 'coalmine:x:65532:' >> \"$1/etc/group\"",
    # The image must not show where this machine gets its packages from.
    '--customize-hook=rm -rf "$1"/etc/apt/sources.list "$1"/etc/apt/sources.list.d/*',
    SUITE,
)


def _root(progress: Progress) -> Layer:
    key = hashlib.sha256(repr(_ROOT).encode()).hexdigest()[:16]
    target = _path("root", key)
    with toolchain.locked("layers", progress):
        if not target.exists():
            started = time.monotonic()
            progress("making the image's Debian root (once; a minute or two)")
            toolchain.install({"mmdebstrap": "mmdebstrap"}, progress)
            unfinished = target.with_suffix(".partial.tar")
            unfinished.unlink(missing_ok=True)  # The progress would count what an interrupted attempt wrote.
            hint = "can this machine's apt reach Debian's packages?"
            with under_way(progress, Work("making the image's Debian root", written(unfinished))):
                contained.run(*_ROOT, str(unfinished), *_apt_sources(), hint=hint)
            _note(target).unlink(missing_ok=True)
            unfinished.rename(target)
            progress(f"made the image's Debian root in {time.monotonic() - started:.0f} s")
        return _known(target)


def _packages(progress: Progress, names: list[str], target: Path, hint: str) -> None:
    """Makes an archive of Debian packages and their dependencies, without the rest of a root."""
    toolchain.install({"mmdebstrap": "mmdebstrap"}, progress)
    command = ("mmdebstrap", "--quiet", "--variant=extract", f"--include={','.join(names)}", SUITE, str(target))
    with under_way(progress, Work(f"fetching {', '.join(names)}", written(target))):
        contained.run(*command, *_apt_sources(), hint=hint)


def _apt_sources() -> list[str]:
    """This machine's own package sources, when it runs the same Debian; else none, for mmdebstrap's default."""
    release = Path("/etc/os-release").read_text() if Path("/etc/os-release").exists() else ""
    if f"VERSION_CODENAME={SUITE}" not in release:
        return []
    files = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]
    return [str(file) for file in files if file.exists() and file.suffix in {".list", ".sources"}]


_LOCK = Path(__file__).with_name("image.lock")
"""The file with the image's Python packages, each at one version with its hashes. `make lock` writes it."""

_PIP = (
    *("-m", "pip", "install", "--quiet", "--no-compile", "--no-deps", "--require-hashes"),
    *("--only-binary=:all:", "--python-version=3.11"),
)


def _dependencies(progress: Progress) -> Layer:
    key = hashlib.sha256(repr((_LOCK.read_text(), sys.version_info[:2])).encode()).hexdigest()[:16]

    def install(folder: Path) -> None:
        started = time.monotonic()
        progress("installing the image's Python packages (once)")
        target = folder / "opt" / "coalmine" / "lib"
        hint = "is the Python package index reachable, and is pip installed beside coalmine?"
        unpacked = folder.with_name("pip")  # pip works here, and moves the packages to the target at the end.
        unpacked.mkdir()
        command = (sys.executable, *_PIP, f"--target={target}", f"--requirement={_LOCK}")
        with under_way(progress, Work("installing the image's Python packages", written(unpacked))):
            contained.run(*command, environment={"TMPDIR": str(unpacked)}, hint=hint)
        with under_way(progress, Work("compiling the image's Python packages")):
            _compile(target, folder)
        progress(f"installed the image's Python packages in {time.monotonic() - started:.0f} s")

    return _layer("dependencies", key, install, progress)


def _code(progress: Progress) -> Layer:
    home = Path(__file__).parents[2]
    # Each file is read only once. Somebody may be editing it, and the layer must match the hash in its name.
    content = {
        file.relative_to(home): file.read_bytes()
        for folder in OUR_FOLDERS
        for file in sorted((home / folder).rglob("*"))
        if file.is_file() and not {"__pycache__", "golang"} & set(file.parts)
    }

    def copy(folder: Path) -> None:
        target = folder / "opt" / "coalmine" / "app"
        for file, data in content.items():
            place = target / file
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
        _compile(target, folder)
        _forget(_path("code", "").parent.glob("code-*.tar"), _KEPT_SMALL)

    key = hashlib.sha256(repr(sorted(content.items())).encode()).hexdigest()[:16]
    return _layer("code", key, copy, progress)


def _compile(target: Path, root: Path) -> None:
    """Compiles to byte code that is not checked against the source's time, which a layer does not keep.

    With it, pods start faster.
    """
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    compileall.compile_dir(target, quiet=2, stripdir=str(root), workers=os.cpu_count() or 1, invalidation_mode=mode)


def _prometheus_layer(progress: Progress) -> Layer:
    """A layer with the installed programs. They need only the root's libc."""
    toolchain.install({"prometheus": "prometheus"}, progress)
    programs = [Path(found) for found in map(shutil.which, ("prometheus", "promtool")) if found]
    stamps = [(str(program), program.stat().st_size, int(program.stat().st_mtime)) for program in programs]
    key = hashlib.sha256(repr(stamps).encode()).hexdigest()[:16]

    def copy(folder: Path) -> None:
        (folder / "usr" / "bin").mkdir(parents=True)
        for program in programs:
            shutil.copy(program, folder / "usr" / "bin" / program.name)

    return _layer("prometheus", key, copy, progress)


def _layer(name: str, key: str, fill: Callable[[Path], object], progress: Progress) -> Layer:
    """A layer from the cache. If it is not there, `fill` makes its content in a folder."""
    target = _path(name, key)
    with toolchain.locked("layers", progress):
        if not target.exists():
            with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
                root = Path(scratch) / "root"
                root.mkdir()
                fill(root)
                packed = Path(scratch) / "layer.tar"
                work = Work(f"packing the image's layer {name}", written(packed, size(root)))
                with under_way(progress, work), tarfile.open(packed, "w") as archive:
                    archive.add(root, ".", filter=_anonymous)
                _note(target).unlink(missing_ok=True)
                packed.rename(target)
        return _known(target)


def _path(name: str, key: str) -> Path:
    folder = state.cache() / "layers"
    folder.mkdir(exist_ok=True)
    return folder / f"{name}-{key}.tar"


def _known(target: Path) -> Layer:
    """The layer with its digest. The digest is kept beside it: reading 300 MB at each start would take a second."""
    note = _note(target)
    if not note.exists():
        note.write_text(Layer.of(target).digest)
    return Layer(target, note.read_text())


def _note(target: Path) -> Path:
    return target.with_suffix(".sha256")


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """Sets root as the owner and a fixed time, so that equal content gives an equal layer."""
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mtime = 0
    return entry
