"""Where coalmine keeps what can be made again and takes long: binaries, image layers, compiled runtimes."""

import os
from pathlib import Path


def root() -> Path:
    """The user's cache; it need not be there yet. `COALMINE_CACHE` names another."""
    return Path(os.environ.get("COALMINE_CACHE") or Path.home() / ".cache" / "coalmine")


def folder(*parts: str) -> Path:
    """A folder of the cache, made when it is not there."""
    found = root().joinpath(*parts)
    found.mkdir(parents=True, exist_ok=True)
    return found
