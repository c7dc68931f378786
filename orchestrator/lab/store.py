"""A containerd store with the layers that all labs' images share. It is unpacked once and then used by all labs.

Called by `native`. containerd needs some fifteen seconds to import the images. A lab that begins with this store only
has to import the layer of our own code. Unpacked layers are never written to (overlayfs copies up), so labs share them
by symbolic link, and the packed ones by hard link. containerd writes to its two databases, so each lab has a copy.
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
"""The script that makes a store in its own namespaces: it starts a private containerd and imports each archive."""


def prepared(images: tuple[Image, ...], progress: Progress) -> Path:
    """The folder of the store that holds these images. It is made if the cache does not have it.

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
    """Fills `root`, the root directory of a lab's containerd, with the store."""
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
