"""Puts chain specs together from their chunks in ConfigMaps (`render.network`). Called by `__main__`."""

import gzip
import hashlib
import sys
from pathlib import Path


def assemble(chunks: Path, target: Path) -> None:
    """Puts a chain spec together from its chunks, and checks it.

    Raises:
        SystemExit: the checksum is wrong. The pod then fails with the reason in its log.
    """
    packed = b"".join(file.read_bytes() for file in sorted(chunks.glob("[0-9][0-9][0-9][0-9]")))
    spec = gzip.decompress(packed)
    expected = (chunks / "sha256").read_text().strip()
    found = hashlib.sha256(spec).hexdigest()
    if found != expected:
        sys.exit(f"error: chain spec {target.name}: sha256 is {found}, should be {expected}")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(spec)
