"""A containerd store that holds what every lab's images have in common, unpacked once and then shared by all labs.

Called by `native`. Importing the images takes containerd some fifteen seconds; a lab that begins with this store needs
only the layer of our own code. The unpacked layers are never written to (overlayfs copies up), so labs share them by
symbolic link, the packed ones by hard link; what containerd does write, its two databases, each lab gets for itself.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from orchestrator.lab import contained, state, toolchain
from orchestrator.lab.image import Image
from orchestrator.progress import Progress, Work, under_way, written

_IMPORT = """
mount -t tmpfs tmpfs /run
containerd --root "$1" --state /run/containerd --address /run/containerd.sock >/run/log 2>&1 &
tries=0
until ctr -a /run/containerd.sock version >/dev/null 2>&1; do
  tries=$((tries + 1)); test $tries -lt 200 || { cat /run/log >&2; exit 1; }; sleep 0.05
done
shift
for archive; do ctr -a /run/containerd.sock -n k8s.io images import "$archive"; done
"""
"""Makes a store in namespaces of its own: a containerd that nobody else sees, and one import for each archive."""


def prepared(images: tuple[Image, ...], progress: Progress) -> Path:
    """The store that holds these images, made when the cache does not have it.

    Raises:
        LabError: when containerd cannot make it.
    """
    target = state.cache() / "stores" / _key(images)
    with toolchain.locked("stores", progress):
        if not target.exists():
            started = time.monotonic()
            progress("unpacking the images that all labs share (once)")
            target.parent.mkdir(exist_ok=True)
            for abandoned in target.parent.glob(".*"):
                shutil.rmtree(abandoned)
            partial = Path(tempfile.mkdtemp(dir=target.parent, prefix="."))
            archives = [str(item.archive) for item in images]
            command = ("sh", "-ec", _IMPORT, "store", str(partial), *archives)
            with under_way(progress, Work("unpacking the images that all labs share", written(partial))):
                contained.run(*command, hint="is there enough disk space?")
            partial.rename(target)
            progress(f"unpacked them in {time.monotonic() - started:.1f} s")
    return target


def begin(store: Path, root: Path) -> None:
    """Gives a lab's containerd, whose root directory this is, the store to begin with."""
    for folder, folders, files in os.walk(store):
        place = root / Path(folder).relative_to(store)
        place.mkdir(parents=True, exist_ok=True)
        if place.name == "snapshots":
            for name in folders:
                (place / name).symlink_to(Path(folder) / name)
            folders.clear()
        for name in files:
            _share(Path(folder) / name, place / name)


def _share(source: Path, target: Path) -> None:
    if source.parent.parent.name != "blobs":
        shutil.copyfile(source, target)
        return
    try:
        target.hardlink_to(source)
    except OSError:  # Another file system, or one without hard links.
        shutil.copyfile(source, target)


def _key(images: tuple[Image, ...]) -> str:
    version = subprocess.run(["containerd", "--version"], capture_output=True, text=True, check=True).stdout
    return hashlib.sha256(repr((version, [item.archive.name for item in images])).encode()).hexdigest()[:16]
