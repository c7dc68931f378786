"""The user's cache of things that take long to make: binaries, image layers, compiled runtimes. Safe to delete."""

import os
from pathlib import Path


def root() -> Path:
    """The folder of the user's cache; it may not exist yet. The variable `COALMINE_CACHE` sets another."""
    return Path(os.environ.get("COALMINE_CACHE") or Path.home() / ".cache" / "coalmine")


def folder(*parts: str) -> Path:
    """A folder of the cache. It is created if it does not exist."""
    found = root().joinpath(*parts)
    found.mkdir(parents=True, exist_ok=True)
    return found
