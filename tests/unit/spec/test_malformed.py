"""Files that are wrong, each in a known place: every mistake is told, and nothing else happens.

The changes are drawn from all that `mutations` knows about the good files, and each goes through the command line as a
user's would. The seed is fixed, so that a failure stays; the corpus beside this has what was found by thinking.
"""

import os
import re

import pytest
import typer

from orchestrator import cli
from orchestrator.cli import console as consoles
from tests.budget import schedules
from tests.unit.spec import good, mutations

BATCH, BATCHES = schedules(20), 10
"""Files in a piece, and the pieces, which several processes can share."""

VERBS = (
    ("validate",),
    ("render",),
    ("diff", "--context", "nowhere"),
    ("up", "--context", "nowhere"),
    ("run", "--context", "nowhere", "--runs", "runs"),
)
_TOLD = re.compile(r"^(?P<file>[^:]+):(?P<line>\d+): (?:(?P<path>\S+): )?(?P<words>.+)$")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where the good files and all that they name are, with nothing else around: no cluster, no home."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "no-kubeconfig"))
    good.copied(tmp_path)
    return tmp_path


def told(capsys, *arguments):
    """The mistakes that the command line names, as (line, path, words), after it was left with exit code 2."""
    code = cli._guarded(list(arguments))
    shown = capsys.readouterr()
    assert code == 2, (arguments, shown)
    assert "Traceback" not in shown.err + shown.out
    lines = shown.err.splitlines()
    assert re.fullmatch(r"error: \d+ mistakes?, nothing was changed", lines[-1]), lines
    found = [_TOLD.match(line) for line in lines[:-1]]
    assert all(found), lines
    assert lines[-1].startswith(f"error: {len(found)} mistake")
    return [(int(one["line"]), one["path"] or "", one["words"]) for one in found]


def there(folder):
    return sorted(os.walk(folder))


@pytest.fixture(scope="module")
def command():
    """The whole command line; Typer builds it anew at each call, which takes longer than reading a file."""
    return typer.main.get_command(cli.app)


@pytest.fixture(autouse=True)
def plain(monkeypatch, command):
    """Messages as they are where nobody sees colours, each in one line, and to where this test can read them."""
    monkeypatch.setattr(cli, "app", command)
    plainly = consoles.rich.console.Console(
        stderr=True, highlight=False, soft_wrap=True, emoji=False, color_system=None
    )
    monkeypatch.setattr(consoles, "_stderr", plainly)


@pytest.mark.parametrize("batch", range(BATCHES))
def test_every_mistake_of_a_malformed_file_is_told_where_it_stands(folder, capsys, batch):
    chance = mutations.seeded(batch)
    texts = [file.read_text() for file in good.GOOD]
    known = {text: mutations.mutations(text) for text in texts}
    file = folder / "bad.yaml"
    file.touch()
    before = there(folder)
    for number in range(BATCH):
        text = chance.choice(texts)
        bad, picked = mutations.chosen(text, known[text], chance, 1 + number % 5)
        file.write_text(bad)
        verb, *options = VERBS[number % len(VERBS)]
        found = told(capsys, verb, file.name, *options)
        for one in picked:
            assert any(
                line == one.line and path.startswith(one.path) and one.words in words for line, path, words in found
            ), (one, [other for other in picked if other is not one], found)
        assert there(folder) == before


def test_the_good_files_are_good_so_that_what_is_told_comes_from_the_change(folder):
    for file in good.GOOD:
        assert cli._guarded(["validate", file.name]) == 0


def test_the_changes_are_of_every_sort_and_reach_everywhere():
    every = [one for file in good.GOOD for one in mutations.mutations(file.read_text())]
    assert len(every) > 3000
    assert {one.words for one in every} == {"", "no such field", "twice"}
    reached = {re.sub(r"\[\d+\]", "", one.path).rpartition(".")[2] for one in every}
    names = {name.rpartition(".")[2] for name in mutations.VALUES}
    assert names - reached == set()
