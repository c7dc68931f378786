"""The archive: a tar of a node's base path, plain, gzip or zstd, without keys. Called by `restore` and `__main__`.

A snapshot belongs to a chain, not to a node. Keystores and network keys are left out when it is packed and when it is
unpacked, otherwise two nodes would run with the same key. It contains only files and folders, so nothing in it can
point outside.
"""

import gzip
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, cast

import zstandard

from orchestrator.errors import SnapshotError

OWN = ".coalmine"
"""The folder of a volume in which `restore` works. It does not belong to the database."""

_SKIPPED = frozenset({OWN, "lost+found"})
_ZSTD, _GZIP = b"\x28\xb5\x2f\xfd", b"\x1f\x8b"
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Contents:
    """What was packed or unpacked. `left_out` are the paths of keys."""

    files: int
    bytes: int
    left_out: tuple[str, ...]


def pack(base: Path, out: IO[bytes]) -> Contents:
    """Writes the base path as a tar in zstd. The caller must have stopped the node."""
    files, size = 0, 0
    left_out: list[str] = []
    compressor = zstandard.ZstdCompressor(level=3)
    with (
        compressor.stream_writer(out, closefd=False) as packed,
        tarfile.open(fileobj=cast("IO[bytes]", packed), mode="w|", format=tarfile.PAX_FORMAT) as tar,
    ):
        for file in _walk(base):
            place = PurePosixPath(file.relative_to(base))
            if is_secret(place):
                left_out.append(str(place))
                continue
            info = tar.gettarinfo(str(file), str(place))
            if not (info.isreg() or info.isdir()):  # Sockets and the like do not belong to a database.
                continue
            info.uid, info.gid, info.uname, info.gname = 0, 0, "", ""
            if info.isdir():
                tar.addfile(info)
                continue
            with file.open("rb") as content:
                tar.addfile(info, content)
            files, size = files + 1, size + info.size
    return Contents(files, size, tuple(left_out))


def unpack(archive: Path, target: Path) -> Contents:
    """Unpacks into an empty folder, always in coalmine's layout. The archive may have zombienet's.

    Raises:
        SnapshotError: it is not an archive, is damaged, contains something other than files and folders, points outside
            its folder, or contains no file. What was unpacked before stays.
    """
    files, size = 0, 0
    left_out: list[str] = []
    try:
        with _opened(archive) as tar:
            for member in tar:
                place = _place(member)
                if place is None:
                    continue
                if is_secret(place):
                    left_out.append(str(place))
                elif member.isdir():
                    (target / place).mkdir(parents=True, exist_ok=True)
                else:
                    size += _write(tar, member, target / place)
                    files += 1
    except (tarfile.TarError, EOFError, gzip.BadGzipFile, zstandard.ZstdError) as error:
        raise SnapshotError(f"the snapshot is not a readable tar archive: {error}") from error
    if not files:
        raise SnapshotError(
            "the snapshot contains no file", hint="it must be a tar of a base path: chains/ID/db and so on"
        )
    return Contents(files, size, tuple(left_out))


def is_secret(place: PurePosixPath) -> bool:
    """Whether a path below a base path has a node's keys: its session keys, or the key of its peer id."""
    return "keystore" in place.parts or place.name.startswith("secret_")


def _walk(base: Path) -> Iterator[Path]:
    """Everything below the base path, folders before their content. A folder with keys is one item."""
    for folder, folders, files in os.walk(base):
        here = Path(folder)
        if here == base:
            folders[:] = [name for name in folders if name not in _SKIPPED]
        folders.sort()
        yield from (here / name for name in folders)
        folders[:] = [name for name in folders if not is_secret(PurePosixPath(name))]
        yield from (here / name for name in sorted(files))


def _place(member: tarfile.TarInfo) -> PurePosixPath | None:
    """The path of a member below the base path. None for the root of the archive.

    Zombienet's archives call the base path `data` and that of an embedded relay node `relay-data`. The clients keep the
    latter in `polkadot` (`cumulus/client/cli/src/lib.rs`).
    """
    path = PurePosixPath(member.name)
    parts = path.parts
    if path.is_absolute() or ".." in parts or not (member.isreg() or member.isdir()):
        raise SnapshotError(f"the snapshot contains {member.name!r}, which is not a file or folder inside it")
    if parts[:1] == ("data",):
        parts = parts[1:]
    elif parts[:1] == ("relay-data",):
        parts = ("polkadot", *parts[1:])
    if not parts or parts[0] in _SKIPPED:
        return None
    return PurePosixPath(*parts)


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, file: Path) -> int:
    file.parent.mkdir(parents=True, exist_ok=True)
    content = tar.extractfile(member)
    assert content is not None  # It is a regular file.
    with file.open("wb") as out:
        while piece := content.read(_PIECE):
            out.write(piece)
        out.flush()
        os.fsync(out.fileno())  # It must be on disk before it is recorded as done.
    return member.size


@contextmanager
def _opened(archive: Path) -> Iterator[tarfile.TarFile]:
    """The archive as an uncompressed stream. Its first bytes, not its name, tell the compression."""
    with archive.open("rb") as file:
        magic = file.read(4)
        file.seek(0)
        if magic == _ZSTD:
            with (
                zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True) as plain,
                tarfile.open(fileobj=cast("IO[bytes]", plain), mode="r|") as tar,
            ):
                yield tar
        elif magic[:2] == _GZIP:
            with gzip.open(file) as unzipped, tarfile.open(fileobj=cast("IO[bytes]", unzipped), mode="r|") as tar:
                yield tar
        else:
            with tarfile.open(fileobj=file, mode="r|") as tar:
                yield tar
