"""A terminal shows what is under way in lines that go when it is over; all else is told in lines that stay."""

import io

import pytest
import rich.console

from orchestrator.cli import console
from orchestrator.progress import Far, Watcher, Work, under_way


@pytest.fixture
def terminal(monkeypatch):
    found = rich.console.Console(
        file=io.StringIO(), force_terminal=True, force_interactive=True, soft_wrap=True, width=40, highlight=False
    )
    monkeypatch.setattr(console, "_stderr", found)
    return found


def drawn(terminal):
    """What a look draws, from the place to which the cursor was put back."""
    before = terminal.file.tell()
    console._living._live.refresh()
    return terminal.file.getvalue()[before:]


def test_a_terminal_has_one_line_for_each_work_and_sentences_above(terminal):
    step = console.stepper()
    one = Work("building kubernetes", lambda: Far(3, 9, "packages"))
    other = Work("all pods are ready", lambda: Far(1, 2, "nodes", "waiting for a node whose name is long"))
    with under_way(step, one):
        with under_way(step, other):
            lines = drawn(terminal).splitlines()
            assert "building kubernetes: 3 of 9 packages, 0" in lines[-2]
            assert lines[-1] == "all pods are ready: 1 of 2 nodes, 0 s s…"
        step("half is done")
        assert "half is done\nbuilding kubernetes" in terminal.file.getvalue()
        assert "pods" not in drawn(terminal)
    end = terminal.file.tell()
    step("all is done")
    assert terminal.file.getvalue()[end:].endswith("s] all is done\n")
    assert "building" not in terminal.file.getvalue()[end:]


def test_lines_go_also_when_work_fails(terminal):
    with pytest.raises(KeyboardInterrupt), under_way(console.stepper(), Work("work")):
        raise KeyboardInterrupt
    assert console._living._live is None


def test_no_terminal_watches(monkeypatch):
    monkeypatch.setattr(console, "_stderr", rich.console.Console(file=io.StringIO()))
    assert not isinstance(console.stepper(), Watcher)
