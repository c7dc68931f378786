"""What the pages show, as data: commands with the output that stands under them, and YAML. No test by itself.

The rule for whoever writes a page:

- A ```console block is a terminal. A line that begins with `$ ` is a command; with a `\\` at its end it goes on in the
  next line. What stands below a command is a part of its output, in order. Numbers, ages, addresses and the width of
  columns may differ. `…` at a line's end stands for its rest, and a line of `…` alone for any others.
- Every command is run, and must end with exit code 0: those that need no cluster by `test_commands`, block by block;
  all others by tests/cluster/test_docs.py, page by page. What is not run is in `NOT_RUN`, with the reason.
- A ```yaml block is a whole object, or a piece of a file in examples/. Better include such a file.
"""

import fnmatch
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("[0-9]-*.md")))
"""In the order in which people read them."""

LANGUAGES = ("console", "yaml", "text", "json", "toml", "{literalinclude}", "{toctree}", "{figure}")
"""What a block may be: none can hold a command that nobody runs."""

NOT_RUN = {
    "make *": "each is a target of the Makefile, which a test asks; CI runs `check` and `test`, and tests/cluster and "
    "tests/real rehearse the files of the demos",
    "docker *": "builder and registry are the reader's own; tests/cluster runs the same image, made by the lab",
    "coalmine lab down": "the tests' lab is still needed; tests/cluster/test_lab.py starts one and ends it",
    "coalmine run examples/quickstart.yaml*": "tests/cluster/test_rehearsal.py",
    "coalmine run examples/bad-upgrade.yaml*": "tests/cluster/test_rehearsal.py",
    "coalmine logs -f*": "it goes on until Ctrl-C; tests/cluster/test_state.py presses it",
}
"""Patterns of commands that no test of the pages runs, each with the reason and with who runs the like of it."""

ALONE = ("validate", "explain", "schema", "render", "gates", "import", "version")
"""Verbs that need no cluster."""


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block; `line` is that of its first line inside."""

    page: Path
    line: int
    language: str
    text: str


@dataclass(frozen=True, slots=True)
class Command:
    """A command with what a page shows of its output."""

    page: Path
    line: int
    text: str
    shown: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line} {self.text}"

    @property
    def skipped(self) -> str | None:
        """Why it is not run."""
        return next((why for pattern, why in NOT_RUN.items() if fnmatch.fnmatch(self.text, pattern)), None)


def alone(block: list[Command]) -> bool:
    """Whether a block's commands need no cluster, nor what another block has left behind, such as a run."""
    if any("runs/" in command.text for command in block):
        return False
    verbs = [verb for command in block for verb in re.findall(r"\bcoalmine ([a-z]+)", command.text)]
    words = {command.text.split()[0] for command in block}
    return bool(verbs) and set(verbs) <= set(ALONE) and words <= {"coalmine", "sed", "cat"}


def blocks(page: Path) -> Iterator[Block]:
    """All fenced blocks of a page."""
    fence = re.compile(r"^```([^\s`]+)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    text = page.read_text(encoding="utf-8")
    for found in fence.finditer(text):
        yield Block(page, text.count("\n", 0, found.start(2)) + 1, found[1], found[2])


def terminals(page: Path) -> list[list[Command]]:
    """The commands of each console block of a page, in order."""
    return [_commands(block) for block in blocks(page) if block.language == "console"]


def _commands(block: Block) -> list[Command]:
    found: list[Command] = []
    continued = False
    for number, line in enumerate(block.text.splitlines(), block.line):
        if line.startswith("$ "):
            found.append(Command(block.page, number, line[2:].removesuffix("\\")))
        elif continued:
            found[-1] = replace(found[-1], text=found[-1].text + line.strip().removesuffix("\\"))
        else:
            found[-1] = replace(found[-1], shown=(*found[-1].shown, line))
        continued = (continued or line.startswith("$ ")) and line.endswith("\\")
    return found


_VARIES = (
    (re.compile(r"^\[ *\d+\.\ds\]"), "[TIME]"),
    (re.compile(r"-\d{8}-\d{6}-[0-9a-f]{4}\b"), "-RUN"),
    (re.compile(r"0x[0-9a-f]+|\b[0-9a-f]{8,}\b|12D3KooW\w+"), "HASH"),
    (re.compile(r"\b(\d+[dhms])+\b"), "AGE"),
    (re.compile(r"(?<![A-Za-z]-)(?<![A-Za-z\d])\d+(\.\d+)?([KMG]i)?"), "N"),  # But not a name's, as in validator-0.
    (re.compile(r"[─━]+"), "─"),
    (re.compile(r"\s+"), " "),
)
"""What differs from one run to the next, and what is put in its place on both sides."""


def alike(line: str) -> str:
    """A line without what differs from run to run."""
    for pattern, word in _VARIES:
        line = pattern.sub(word, line)
    return line.strip()


def missing(shown: tuple[str, ...], output: str) -> str | None:
    """The first shown line that does not come in the output where it should; None when all do."""
    rest = iter([alike(line) for line in output.splitlines()])
    for line in shown:
        wanted = alike(line)
        if wanted in {"", "…"}:
            continue
        cut = wanted.removesuffix("…").strip() if wanted.endswith("…") else None
        if not any(found.startswith(cut) if cut is not None else found == wanted for found in rest):
            return line
    return None


_COALMINE = """#!/bin/sh
lab="{lab}"
case "$lab:$1:$2" in
  :*) ;;
  *:lab:kubeconfig) set -- "$@" "$lab" ;;
  *:up:*|*:run:*|*:down:*|*:diff:*|*:sweep:*) set -- "$@" --lab "$lab" ;;
  *:get:*|*:describe:*|*:logs:*|*:rpc:*|*:wait:*|*:top:*) set -- "$@" --lab "$lab" ;;
esac
export PYTHONPATH="{root}"
exec "{python}" -c "from orchestrator.cli import main; main()" "$@"
"""


def install(folder: Path, *, lab: str = "") -> Path:
    """A folder with the command `coalmine` of this very tree, to stand in front of PATH; its lab is the one named."""
    folder.mkdir()
    program = folder / "coalmine"
    program.write_text(_COALMINE.format(lab=lab, root=ROOT, python=sys.executable), encoding="utf-8")
    program.chmod(0o755)
    return folder
