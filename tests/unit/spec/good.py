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

URIS = "0x" + "11" * 32 + "\n"
"""What the maximal specs' file of imported keys holds: a secret URI."""


def brought(folder: Path) -> None:
    """Puts beside a copy all the files that the good ones name: raw specs, keys, and runtimes (of the model)."""
    code = blob.model_blob(ModelRuntime(spec_name="model", spec_version=1))
    for file in GOOD:
        for name in re.findall(r"\bfile: ([\w./-]+\.wasm)", file.read_text()):
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(code)
    storage = {"top": {"0x" + b":code".hex(): "0x" + code.hex()}, "childrenDefault": {}}
    for name in ("relay", "para"):
        spec = {"name": name, "id": name, "genesis": {"raw": storage}}
        (folder / f"{name}.json").write_text(json.dumps(spec))
    for file in GOOD:
        text = file.read_text()
        for name in re.findall(r"specFile: (\S+/\S+)", text):
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(json.dumps({"name": name, "id": "x", "genesis": {"raw": storage}}))
        for name in re.findall(r"file: (\S+/\S+\.txt)", text):
            (folder / name).write_text(URIS)
    (folder / "keys.txt").write_text(URIS)


def copied(folder: Path) -> list[Path]:
    """All good files, copied to where all that they name is there."""
    brought(folder)
    return [Path(shutil.copy(file, folder)) for file in GOOD]
