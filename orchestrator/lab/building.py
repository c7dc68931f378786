"""Builds one of our Go programs, and reports how many of its packages are built. Called by `toolchain`.

Go keeps each compiled package in its own cache, and writes it there atomically. So a build that was interrupted, by
Ctrl-C or by SIGKILL, continues with the remaining packages.
"""

import contextlib
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from orchestrator.lab import contained
from orchestrator.progress import Far, Progress, Work, under_way

_ENVIRONMENT = {"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly"}
_HINT = "are Go modules reachable from here?"
_LISTED = "{{.ImportPath}} {{if .Stale}}lacking{{end}}"


@dataclass(frozen=True, slots=True)
class Program:
    """A program, named like its folder. `flags` are the linker's; `takes` says in words how long a build lasts."""

    name: str
    flags: str
    takes: str

    @property
    def options(self) -> tuple[str, ...]:
        """The options of `go build`. Packages in Go's cache are valid for these options only."""
        return ("-trimpath", "-ldflags", self.flags)


@dataclass(frozen=True, slots=True)
class Packages:
    """The packages of a program, and those that are not in Go's cache."""

    all: frozenset[str]
    lacking: frozenset[str]

    @classmethod
    def of(cls, listed: str) -> "Packages":
        """Parses the output of `go list`: one line for each package, in the format `_LISTED`."""
        words = [line.split() for line in listed.splitlines()]
        return cls(frozenset(word[0] for word in words), frozenset(word[0] for word in words if len(word) > 1))

    def __str__(self) -> str:
        return f"{len(self.all) - len(self.lacking)} of {len(self.all)} packages are in Go's cache"


def build(go: str, sources: Path, program: Program, target: Path, progress: Progress) -> None:
    """Builds the program and writes it to `target` atomically. `sources` is the folder of the Go module.

    Raises:
        LabError: when the build fails.
    """
    started = time.monotonic()
    partial = target.with_name(f".{target.name}")
    built: set[str] = set()
    with under_way(progress, Work(f"fetching the modules of {program.name}")):
        found = packages(go, sources, program)
    progress(f"building {program.name} (once; {program.takes}); {found}")

    def takes(line: str) -> bool:
        """Counts a package when `go build -v` prints its name, which is when its compilation begins."""
        if line not in found.lacking:
            return False
        built.add(line)
        return True

    work = Work(f"building {program.name}", lambda: Far(len(built), len(found.lacking), "packages"))
    with _scratch(target.with_name(".scratch")) as scratch, under_way(progress, work):
        command = (go, "build", "-v", *program.options, "-o", str(partial), f"./{program.name}")
        environment = {**_ENVIRONMENT, "GOTMPDIR": str(scratch)}
        contained.run(*command, folder=sources, environment=environment, takes=takes, hint=_HINT)
    partial.rename(target)
    progress(f"built {program.name} in {time.monotonic() - started:.0f} s")


def packages(go: str, sources: Path, program: Program) -> Packages:
    """Asks Go for the packages of a program. Go fetches their modules for that.

    Raises:
        LabError: when the modules cannot be fetched.
    """
    command = (go, "list", *program.options, "-deps", "-f", _LISTED, f"./{program.name}")
    return Packages.of(contained.run(*command, folder=sources, environment=_ENVIRONMENT, hint=_HINT))


@contextlib.contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """The compiler's scratch folder. It is always the same one, so the next build removes what a killed one left."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
