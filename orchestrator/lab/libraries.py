"""Adds the shared libraries that a user's programs need and the image's root lacks. Called by `image`.

A client that was built on Debian links the libraries of its build machine, such as RocksDB. Without the library its pod
would end a minute after its start, and a worker of `polkadot` would only say that its version is empty.
"""

import re
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile

from orchestrator.errors import LabError
from orchestrator.progress import Progress

Fetch = Callable[[list[str], Path, str], None]
"""Makes an archive (a path) of Debian packages (names) and their dependencies. The text is the hint of its error."""

_SHARED = re.compile(r"^\./(?:usr/)?lib(?:32|64)?/(?:[^/]+/)?([^/]+\.so[^/]*)$")
"""Paths of the libraries that the loader finds by itself."""


def needed(programs: Sequence[Path]) -> dict[str, str]:
    """The shared libraries that programs need: library name -> name of one program that needs it.

    Raises:
        LabError: when one of the files is not an ELF program.
    """
    return {library: program.name for program in programs for library in _named(program)}


def package(library: str) -> str:
    """The Debian package of a library: `librocksdb.so.7.8` is in librocksdb7.8 (Debian Policy, section 8.1)."""
    name, _, version = library.lower().replace("_", "-").partition(".so")
    dash = "-" if name[-1:].isdigit() and version else ""
    return f"{name}{dash}{version.lstrip('.')}"


def present(root: Path) -> set[str]:
    """The file names of the shared libraries in a root's archive."""
    with tarfile.open(root) as archive:
        return {found[1] for name in archive.getnames() if (found := _SHARED.match(name))}


def add(programs: Sequence[Path], root: Path, fetch: Fetch, folder: Path, progress: Progress) -> None:
    """Fetches the libraries that the programs need and the root lacks, and puts them into usr/lib of the folder.

    Raises:
        LabError: naming the library and the program, when Debian has no such package.
    """
    has = present(root)
    lacking = {library: by for library, by in sorted(needed(programs).items()) if library not in has}
    if not lacking:
        return
    progress(f"adding {', '.join(lacking)} from Debian")
    hint = f"{', '.join(f'{by} needs {library}' for library, by in lacking.items())}: link it statically"
    target = folder / "usr" / "lib"
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        archive = Path(scratch) / "packages.tar"
        fetch([package(library) for library in lacking], archive, hint)
        with tarfile.open(archive) as fetched:
            for entry in fetched:
                if (found := _SHARED.match(entry.name)) and found[1] not in has:
                    entry.name = found[1]
                    fetched.extract(entry, target, filter="data")
    if absent := [library for library in lacking if not (target / library).exists()]:
        raise LabError(f"Debian's packages have no {', '.join(absent)}", hint=hint)


def _named(program: Path) -> list[str]:
    try:
        with program.open("rb") as file:
            sections = ELFFile(file).iter_sections()
            dynamic = [section for section in sections if isinstance(section, DynamicSection)]
            # pyelftools sets this attribute by the name of the tag.
            return [tag.needed for section in dynamic for tag in section.iter_tags("DT_NEEDED")]  # type: ignore[attr-defined]
    except ELFError as error:
        raise LabError(f"{program.name} is no program that Linux runs: {error}") from error
