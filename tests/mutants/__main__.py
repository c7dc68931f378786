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


def kept(states: dict[str, str], explained: set[str]) -> None:
    """Keeps for `make bench`, for each module, how many of its changes were noticed or are explained, of how many.

    A run of some modules leaves the counts of all others as they were.
    """
    path = WORK / "score.json"
    score = json.loads(path.read_text()) if path.is_file() else {}
    fresh: dict[str, list[int]] = {}
    for name, state in states.items():
        counts = fresh.setdefault(name.rpartition(".")[0], [0, 0])
        counts[0] += state not in UNNOTICED or name in explained
        counts[1] += 1
    path.write_text(json.dumps(score | fresh, indent=2, sort_keys=True))
    noticed, all_ = (sum(counts[index] for counts in fresh.values()) for index in (0, 1))
    sys.stdout.write(f"{noticed} of {all_} changes were noticed or are explained\n")


def main(modules: list[str]) -> int:
    tree = copied(modules)
    mutmut(tree, "run", "--max-children", "2", shown=True)
    lines = (line.strip().partition(": ") for line in mutmut(tree, "results", "--all", "true").splitlines())
    states = {name: state for name, _, state in lines if state}
    unnoticed = [name for name, state in states.items() if state in UNNOTICED]
    found = {name: (where(name), *changed(mutmut(tree, "show", name))) for name in unnoticed}
    explained = {(one["where"], one["old"], one["new"]) for one in yaml.safe_load(SURVIVORS.read_text()) or ()}
    kept(states, {name for name, one in found.items() if one in explained})
    for place, old, new in sorted(set(found.values()) - explained):
        sys.stdout.write(f"{place}: no test notices\n  - {old}\n  + {new}\n")
    mine = {one for one in explained if not modules or any(one[0].startswith(f"{m}.") for m in modules)}
    gone = mine - set(found.values())
    for place, old, new in sorted(gone):
        sys.stdout.write(f"{place}: explained, and noticed or gone\n  - {old}\n  + {new}\n")
    return 1 if set(found.values()) - explained or gone else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
