"""A build tells how many of the packages that it must compile it has begun, and goes on where one was cut off."""

import contextlib
import fcntl

import pytest

from orchestrator.errors import LabError
from orchestrator.lab import building, state, toolchain
from orchestrator.lab.building import Packages, Program
from orchestrator.progress import Far

GO = """#!/bin/sh
case $1 in
  list) printf 'fmt \\nk8s.io/a lacking\\nk8s.io/b lacking\\nexample/x lacking\\n';;
  build)
    echo "$GOTMPDIR" > scratch; test -z "$(ls "$GOTMPDIR")" || echo 'scratch is not empty' >&2
    echo 'go: downloading k8s.io/a v1' >&2; echo k8s.io/a >&2; echo example/x >&2; %s
    while test "$1" != -o; do shift; done; echo built > "$2";;
esac
"""


class Listener:
    """Hears sentences, and keeps the work that it is shown and what came of it."""

    def __init__(self, shown=lambda: None):
        self.lines, self.works, self.last, self.shown = [], [], {}, shown

    def __call__(self, line):
        self.lines.append(line)

    @contextlib.contextmanager
    def watch(self, work):
        self.works.append(work.what)
        self.shown()
        yield
        self.last[work.what] = work.far()


@pytest.fixture
def build(tmp_path):
    def build(listener, ending=""):
        (tmp_path / "go").write_text(GO % ending)
        (tmp_path / "go").chmod(0o755)
        program = Program("x", "-s", takes="a moment")
        building.build(str(tmp_path / "go"), tmp_path, program, tmp_path / "out" / "x", listener)

    return build


def test_it_counts_the_packages_that_go_lacks(build, tmp_path):
    listener = Listener()
    build(listener)
    assert listener.lines[0] == "building x (once; a moment); 1 of 4 packages are in Go's cache"
    assert listener.last["building x"] == Far(2, 3, "packages")
    assert (tmp_path / "out" / "x").read_text() == "built\n"


def test_what_a_killed_build_left_is_gone_before_the_next_and_nothing_stays_after_it(build, tmp_path):
    left = tmp_path / "out" / ".scratch" / "go-build1"
    left.mkdir(parents=True)
    with pytest.raises(LabError, match=r"^go failed: go: downloading k8s.io/a v1 \| main.go:1: wrong$"):
        build(Listener(), "echo main.go:1: wrong >&2; exit 1")
    assert (tmp_path / "scratch").read_text().strip() == str(left.parent)
    assert list((tmp_path / "out").iterdir()) == []


def test_packages_are_read_from_what_go_lists():
    assert Packages.of("a \nb lacking\n") == Packages(frozenset("ab"), frozenset("b"))


def test_whoever_waits_for_another_process_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr(state, "cache", lambda: tmp_path)
    with (tmp_path / "binaries.lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        listener = Listener(shown=lambda: fcntl.flock(other, fcntl.LOCK_UN))
        with toolchain.locked("binaries", listener):
            assert listener.works == ["waiting for another process that is at the binaries"]
    with toolchain.locked("binaries", listener):
        assert len(listener.works) == 1
