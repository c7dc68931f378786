"""Makes images of real clients from their programs, for clusters without a registry. Called by `cli`.

An image holds the programs in /usr/local/bin, as the clients' own images do, on the same Debian root as coalmine's.
"""

import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import zstandard

from orchestrator.errors import UsageError
from orchestrator.lab import image
from orchestrator.lab.image import Image
from orchestrator.progress import Progress

_TARGET = Path("usr/local/bin")
_ELF = b"\x7fELF"
_NAME = re.compile(r"^[a-z0-9][a-z0-9._-]*$")


def made(name: str, sources: tuple[Path, ...], progress: Progress) -> Image:
    """An image `docker.io/coalmine/NAME:…` of the programs in files, folders and tar archives (also compressed).

    Raises:
        UsageError: when the name is invalid, a source does not exist, or there is no Linux program in the sources.
        LabError: when the image cannot be made.
    """
    if not _NAME.match(name):
        raise UsageError(f"{name!r} is no name for an image", hint="write it as polkadot-1.25.1")
    stamps = [
        (file.name, file.stat().st_size, file.stat().st_mtime_ns) for source in sources for file in _files(source)
    ]

    def fill(folder: Path) -> None:
        target = folder / _TARGET
        target.mkdir(parents=True)
        found = [_put(target, program, stream) for source in sources for program, stream in _programs(source)]
        if not found:
            raise UsageError(f"there is no Linux program in {', '.join(map(str, sources))}")
        progress(f"an image of {', '.join(sorted(found))}")

    return image.of_programs(name, f"{name}-{image.digest(repr(stamps))}", fill, progress)


def _files(source: Path) -> Iterator[Path]:
    if not source.exists():
        raise UsageError(f"there is no {source}")
    yield from (file for file in sorted(source.iterdir()) if file.is_file()) if source.is_dir() else (source,)


def _programs(source: Path) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Every Linux program in the source: its name and its bytes. Read the bytes before asking for the next program."""
    for file in _files(source):
        with file.open("rb") as stream:
            if stream.read(4) == _ELF:
                yield file.name, _pieces(_ELF, stream)
                continue
        if re.search(r"\.(tar|tgz|tar\.(gz|xz|zst))$", file.name):
            yield from _archived(file)


def _archived(file: Path) -> Iterator[tuple[str, Iterator[bytes]]]:
    with file.open("rb") as raw:
        packed = file.suffix == ".zst"
        stream = zstandard.ZstdDecompressor(max_window_size=2**31).stream_reader(raw) if packed else raw
        with tarfile.open(fileobj=stream, mode="r|" if packed else "r|*") as archive:
            for entry in archive:
                content = archive.extractfile(entry) if entry.isfile() else None
                if content is not None and content.read(4) == _ELF:
                    yield Path(entry.name).name, _pieces(_ELF, content)


def _pieces(head: bytes, rest: IO[bytes]) -> Iterator[bytes]:
    """All of a stream whose head was already read. An archive that is read as a stream cannot seek back."""
    yield head
    yield from iter(lambda: rest.read(1 << 20), b"")


def _put(folder: Path, name: str, pieces: Iterator[bytes]) -> str:
    target = folder / name
    with target.open("wb") as file:
        file.writelines(pieces)
    target.chmod(0o755)
    return name
