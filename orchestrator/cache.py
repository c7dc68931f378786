"""Where coalmine keeps what can be made again and takes long: binaries, image layers, compiled runtimes."""

import os
from pathlib import Path


def folder(*parts: str) -> Path:
    """A folder of the user's cache, made when it is not there. `COALMINE_CACHE` names another root."""
    root = Path(os.environ.get("COALMINE_CACHE") or Path.home() / ".cache" / "coalmine")
    found = root.joinpath(*parts)
    found.mkdir(parents=True, exist_ok=True)
    return found
