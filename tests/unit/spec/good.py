"""The good files that the tests of this folder start from: the examples, and specs that use every field there is."""

import json
import re
import shutil
from pathlib import Path

from orchestrator.runtime import blob
from orchestrator.spec import ModelRuntime

EXAMPLES = Path(__file__).parents[3] / "examples"
MAXIMAL = Path(__file__).parent / "maximal"
GOOD = (*sorted(EXAMPLES.glob("*.yaml")), *sorted(MAXIMAL.glob("*.yaml")))

_NAMED = re.compile(r"\b(?:file|specFile): ([\w./-]+)")

URIS = "0x" + "11" * 32 + "\n"
"""What the maximal specs' file of imported keys holds: a secret URI."""


def brought(folder: Path) -> None:
    """Puts beside a copy all the files that the good ones name: raw specs, keys, and runtimes (of the model)."""
    code = blob.model_blob(ModelRuntime(spec_name="model", spec_version=1))
    storage = {"top": {"0x" + b":code".hex(): "0x" + code.hex()}, "childrenDefault": {}}
    for name in sorted({name for file in GOOD for name in _NAMED.findall(file.read_text())}):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        spec = json.dumps({"name": target.stem, "id": target.stem, "genesis": {"raw": storage}}).encode()
        target.write_bytes({".wasm": code, ".json": spec}.get(target.suffix, URIS.encode()))


def copied(folder: Path) -> list[Path]:
    """All good files, copied to where all that they name is there."""
    brought(folder)
    return [Path(shutil.copy(file, folder)) for file in GOOD]
