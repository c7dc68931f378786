"""What the pages say is so: commands that need no cluster are run, files are good, links lead somewhere.

The rule is in `pages`; what needs a cluster is run by tests/cluster/test_docs.py.
"""

import contextlib
import fnmatch
import io
import os
import re
import shlex
import subprocess

import pytest
import typer
import yaml

from orchestrator.cli import _guarded, app
from orchestrator.gates.library import expand
from orchestrator.metrics.check import check
from orchestrator.spec.load import load
from tests.docs import pages
from tests.docs.pages import PAGES, ROOT

TERMINALS = [block for page in PAGES for block in pages.terminals(page)]
COMMANDS = [command for block in TERMINALS for command in block]
ALONE = [block for block in TERMINALS if pages.alone(block)]
BLOCKS = [block for page in PAGES for block in pages.blocks(page)]
YAML = [block for block in BLOCKS if block.language == "yaml"]
TEXTS = [*PAGES, ROOT / "CONTRIBUTING.md"]
EXAMPLES = [
    document for file in (ROOT / "examples").glob("*.yaml") for document in yaml.safe_load_all(file.read_text())
]


def place(block):
    return f"{block.page.name}:{block.line}"


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A folder with the examples, in which `coalmine` is a command."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{pages.install(tmp_path / 'bin')}:{os.environ['PATH']}")
    return tmp_path


def run(text):
    """Output and exit code: without a shell where none is needed, which saves the start of a process."""
    if set(text) & set("|&;<>()$*'\"\\"):
        done = subprocess.run(
            ["bash", "-c", text], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        return done.stdout, done.returncode
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = _guarded(shlex.split(text)[1:])
    return said.getvalue(), code


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize("block", ALONE, ids=lambda block: str(block[0]))
def test_commands_that_need_no_cluster_show_what_their_page_shows(block):
    for command in block:
        output, code = run(command.text)
        assert code == 0, output
        assert pages.missing(command.shown, output) is None, output


def test_the_pages_are_there_with_commands_of_both_kinds():
    assert len(PAGES) == 8
    assert 0 < sum(map(len, ALONE)) < sum(command.skipped is None for command in COMMANDS)


@pytest.mark.parametrize("block", BLOCKS, ids=place)
def test_a_block_is_of_a_kind_that_somebody_checks(block):
    assert block.language in pages.LANGUAGES


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_command_hides_outside_of_a_console_block(page):
    assert not re.findall(r"^    (?:\$ |coalmine |make |kubectl ).*$", prose(page.read_text()), re.MULTILINE)


@pytest.mark.parametrize("pattern", pages.NOT_RUN)
def test_what_is_not_run_is_still_on_a_page(pattern):
    assert any(fnmatch.fnmatch(command.text, pattern) for command in COMMANDS)


def test_every_target_that_is_named_is_in_the_makefile():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        target
        for text in TEXTS
        for target in re.findall(r"\bmake ([a-z]+(?:-[a-z]+)*)\b(?![ ,]*of)", commands_of(text))
    }
    assert named
    assert named <= targets


@pytest.mark.parametrize("text", TEXTS, ids=lambda page: page.name)
def test_every_verb_that_is_named_is_one(text):
    verbs = typer.main.get_command(app).commands
    assert set(re.findall(r"\bcoalmine ([a-z]+)", commands_of(text))) <= set(verbs)


def commands_of(text):
    """All that is written as a command: on terminals, in blocks of text, and in prose between backquotes."""
    found = text.read_text()
    lines = [line for block in _FENCED.findall(found) for line in block.splitlines() if re.match(r"\$ |make ", line)]
    return "\n".join([*re.findall(r"`([^`\n]+)`", prose(found)), *lines])


_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def prose(text):
    return _FENCED.sub("", text)


@pytest.mark.parametrize("block", YAML, ids=place)
def test_yaml_is_a_good_file_or_a_piece_of_an_example(block, tmp_path):
    if "kind:" in block.text:
        file = tmp_path / "page.yaml"
        file.write_text(block.text)
        load([file], checks=[check], expand=expand)
    else:
        piece = yaml.safe_load(block.text)
        assert any(within(piece, node) for example in EXAMPLES for node in nodes(example))


def nodes(value):
    yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from nodes(inner)


def within(piece, whole):
    """Whether a piece is what the whole says, with parts of it left out."""
    if isinstance(piece, dict) and isinstance(whole, dict):
        return all(key in whole and within(value, whole[key]) for key, value in piece.items())
    if isinstance(piece, list) and isinstance(whole, list):
        return all(any(within(one, other) for other in whole) for one in piece)
    return piece == whole


@pytest.mark.parametrize("text", TEXTS, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_to_one(text):
    links = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", text.read_text())
    assert [link for link in links if not (text.parent / link).exists()] == []


def test_every_place_that_contributors_are_sent_to_is_there():
    """In full, or by the name alone of a file in a folder that is named too. Capitals stand for a new name."""
    words = re.findall(r"`([\w./-]+\.(?:py|yaml|md)|[\w-]+(?:/[\w-]+)*/)`", (ROOT / "CONTRIBUTING.md").read_text())
    places = [word for word in words if not re.search(r"[A-Z]{4}|N-", word)]
    folders = {ROOT, *((ROOT / word).parent for word in words if "/" in word)}
    assert len(places) > 30
    assert [place for place in places if not any((folder / place).exists() for folder in folders)] == []


class TestWhatIsShown:
    """The comparison itself must fail where it should."""

    OUTPUT = (
        "NAME   BEST   AGE\nvalidator-0   12   3m20s\nvalidator-1   7   59s\n"
        "[ 12.3s] up after 2.5 s\nreport: runs/first-20261129-013246-994e/report.html\n"
    )

    @pytest.mark.parametrize(
        "shown",
        [
            ("validator-0   9   4s",),
            ("NAME BEST AGE", "…", "validator-1 3 1h"),
            ("validator-…",),
            ("[123.4s] up after 7 s", "report: runs/first-20270101-000000-1a2b/report.html"),
        ],
    )
    def test_holds_whatever_the_numbers(self, shown):
        assert pages.missing(shown, self.OUTPUT) is None

    @pytest.mark.parametrize(
        "shown", [("collator-0 1 1s",), ("validator-1 1 1s", "validator-0 1 1s"), ("validator-1",), ("NAME",)]
    )
    def test_does_not_hold_when_a_line_is_not_there_or_not_in_order(self, shown):
        assert pages.missing(shown, self.OUTPUT) is not None
