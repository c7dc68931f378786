"""Changes the code in small ways, runs the tests near each change, and names the changes that no test noticed.

`make mutants` runs it. `[tool.mutmut]` in pyproject.toml says what is changed and which tests are near; names of
modules as arguments change only these. A change that rightly stays unnoticed stands in `survivors.yaml`, with the
reason.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

HOME = Path(__file__).parents[2]
WORK = HOME / "build" / "mutants"
SURVIVORS = Path(__file__).with_name("survivors.yaml")
UNNOTICED = ("survived", "no tests")


def copied(modules: list[str]) -> Path:
    """A copy of the working tree, in which only these modules are changed, if there are any.

    mutmut writes beside what it changes, and edits meanwhile must not matter.
    """
    tree = WORK / "tree"
    shutil.rmtree(tree, ignore_errors=True)
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=HOME, capture_output=True, check=True,
    )  # fmt: skip
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (HOME / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(HOME / name, tree / name)
    if modules:
        only = json.dumps([module.replace(".", "/") + ".py" for module in modules])
        settings = (tree / "pyproject.toml").read_text()
        (tree / "pyproject.toml").write_text(re.sub(r"(?m)^only_mutate = .*$", f"only_mutate = {only}", settings))
    return tree


def mutmut(tree: Path, *arguments: str, shown: bool = False) -> str:
    environment = os.environ | {"PYTHONPATH": str(WORK / "site"), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "mutmut", *arguments],
        cwd=tree, env=environment, check=False, text=True, stdout=None if shown else subprocess.PIPE,
        stderr=None if shown else subprocess.DEVNULL,
    )  # fmt: skip
    if done.returncode:
        sys.exit(f"mutmut {' '.join(arguments)} failed with {done.returncode}")
    return done.stdout or ""


def where(name: str) -> str:
    """`a.module.C.method` of mutmut's `a.module.xǁCǁmethod__mutmut_1`, and `a.module.f` of `a.module.x_f__mutmut_1`."""
    module, _, mangled = re.sub(r"__mutmut_\d+$", "", name).rpartition(".")
    parts = mangled.removeprefix("x").removeprefix("_" if "ǁ" not in mangled else "ǁ").split("ǁ")
    return ".".join([module, *parts])


def changed(diff: str) -> tuple[str, str]:
    """The lines that went and that came, in one text each."""
    lines = [line for line in diff.splitlines() if not line.startswith(("---", "+++"))]
    return tuple("\n".join(line[1:].strip() for line in lines if line[:1] == sign) for sign in "-+")


def main(modules: list[str]) -> int:
    tree = copied(modules)
    mutmut(tree, "run", "--max-children", "2", shown=True)
    found = set()
    for line in mutmut(tree, "results").splitlines():
        name, _, state = line.strip().partition(": ")
        if state in UNNOTICED:
            found.add((where(name), *changed(mutmut(tree, "show", name))))
    explained = {(one["where"], one["old"], one["new"]) for one in yaml.safe_load(SURVIVORS.read_text()) or ()}
    for place, old, new in sorted(found - explained):
        sys.stdout.write(f"{place}: no test notices\n  - {old}\n  + {new}\n")
    gone = {one for one in explained - found if not modules or any(one[0].startswith(f"{m}.") for m in modules)}
    for place, old, new in sorted(gone):
        sys.stdout.write(f"{place}: explained, and noticed or gone\n  - {old}\n  + {new}\n")
    return 1 if found - explained or gone else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
