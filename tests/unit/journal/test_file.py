"""The journal's file: typed lines in, the same lines out, and nothing broken is taken for whole."""

import json
import math
import os
import resource
import subprocess
import threading
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import InfrastructureError, SpecError, UsageError
from orchestrator.journal import Clock, Event, Journal, JournalWriter, Row, RunFinished, Samples
from orchestrator.journal.entries import FORMAT
from tests.unit.gates import synthetic


@pytest.fixture
def path(tmp_path):
    return tmp_path / "runs" / "journal.jsonl"


def write(path, *entries):
    with JournalWriter(path, clock=lambda: 42.0) as writer:
        return [writer.record(entry) for entry in entries]


def test_a_whole_run_survives(path):
    run = synthetic.run()
    write(path, *run.entries)
    assert Journal.read(path) == run


def test_entries_without_a_time_are_stamped(path):
    (stamped, kept) = write(path, Event(name="run.start"), Event(at=7.0, name="rung"))
    assert (stamped.at, kept.at) == (42.0, 7.0)
    assert [entry.at for entry in Journal.read(path).entries] == [42.0, 7.0]


def test_numbers_that_are_none_survive(path):
    odd = Row(labels={}, values=(1.5, math.nan, math.inf, -math.inf, None))
    write(path, Samples(key="q", query="q", first=1.0, step=1.0, count=5, rows=(odd,)))
    assert '[1.5,"NaN","Infinity","-Infinity",null]' in path.read_text()
    (entry,) = Journal.read(path).entries
    assert repr(entry.rows[0]) == repr(odd)


def test_a_null_in_a_detail_survives(path):
    event = Event(at=1.0, name="rung", detail={"cause": None, "nodes": ["a"], "deep": {"x": [1, None]}})
    write(path, event)
    assert Journal.read(path).entries == (event,)


def test_threads_do_not_mix_their_lines(path):
    with JournalWriter(path, clock=lambda: 1.0) as writer:
        work = [
            threading.Thread(
                target=lambda n=n: [writer.record(Clock(best=n, finalized=i, session=0)) for i in range(20)]
            )
            for n in range(4)
        ]
        for thread in work:
            thread.start()
        for thread in work:
            thread.join()
    assert len(Journal.read(path).entries) == 80


def test_two_writers_are_refused(path):
    with JournalWriter(path, clock=lambda: 1.0), pytest.raises(InfrastructureError, match="another process"):
        JournalWriter(path, clock=lambda: 1.0)


@contextmanager
def room_for(size):
    """The system refuses to let a file grow beyond `size` bytes, and writes what still fits, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def note(text):
    return Event(at=1.0, name="rung", detail={"text": text})


class TestADiskThatRefuses:
    @given(texts=st.lists(st.text(max_size=80), min_size=1, max_size=8), room=st.integers(0, 600))
    def test_keeps_what_was_accepted_and_nothing_else(self, tmp_path_factory, texts, room):
        path = tmp_path_factory.mktemp("full") / "journal.jsonl"
        accepted, refused = [], []
        with JournalWriter(path, clock=lambda: 1.0) as writer:
            with room_for(room):
                for text in texts:
                    try:
                        accepted.append(writer.record(note(text)))
                    except InfrastructureError as error:
                        refused.append((error.message, error.hint))
            if refused:  # There is room again, and the journal has a gap: it must not go on.
                with pytest.raises(InfrastructureError) as raised:
                    writer.record(note("later"))
                assert {(raised.value.message, raised.value.hint)} == set(refused)
        journal = Journal.read(path)
        assert (list(journal.entries), journal.torn) == (accepted, False)
        assert len(accepted) + len(refused) == len(texts)

    def test_is_named_with_the_cause_and_a_hint(self, path):
        with JournalWriter(path, clock=lambda: 1.0) as writer, room_for(10):
            with pytest.raises(InfrastructureError, match=r"l cannot be written: File too large") as raised:
                writer.record(note("a"))
            assert "whether the disk has room" in raised.value.hint

    def test_is_really_full(self, tmp_path):
        mount = ["mount", "-t", "tmpfs", "-o", "size=16k", "t", tmp_path]
        if os.geteuid() != 0 or subprocess.run(mount, check=False).returncode:
            pytest.skip("a full disk of our own needs the right to mount one")
        try:
            filler, path = tmp_path / "filler", tmp_path / "journal.jsonl"
            filler.write_bytes(bytes(8192))
            with JournalWriter(path, clock=lambda: 1.0) as writer:
                writer.record(note("first"))
                with pytest.raises(InfrastructureError, match="No space left on device"):
                    writer.record(note("x" * 20_000))
                filler.unlink()
                with pytest.raises(InfrastructureError, match="No space left on device"):
                    writer.record(note("later"))
            assert Journal.read(path) == Journal((note("first"),))
        finally:
            subprocess.run(["umount", tmp_path], check=True)

    def test_is_told_when_the_journal_cannot_be_opened(self, tmp_path):
        (tmp_path / "runs").write_text("a file")
        with pytest.raises(InfrastructureError, match="cannot be written"):
            JournalWriter(tmp_path / "runs" / "journal.jsonl", clock=lambda: 1.0)


def test_an_entry_that_was_interrupted_is_not_there_and_the_next_is(path, monkeypatch):
    def interrupted(_):
        raise KeyboardInterrupt

    with JournalWriter(path, clock=lambda: 1.0) as writer:
        with monkeypatch.context() as patch:
            patch.setattr("orchestrator.journal.file.os.fsync", interrupted)
            with pytest.raises(KeyboardInterrupt):
                writer.record(note("interrupted"))
        writer.record(note("next"))
    assert Journal.read(path) == Journal((note("next"),))


class TestATornLastLine:
    @pytest.fixture
    def torn(self, path):
        write(path, Event(name="run.start"), Event(name="rung"))
        path.write_bytes(path.read_bytes()[:-9])
        return path

    def test_is_left_out_and_told(self, torn):
        journal = Journal.read(torn)
        assert [entry.name for entry in journal.entries] == ["run.start"]
        assert journal.torn

    def test_is_cut_off_by_the_next_writer(self, torn):
        write(torn, RunFinished(outcome="completed"))
        journal = Journal.read(torn)
        assert [entry.kind for entry in journal.entries] == ["event", "run.finished"]
        assert not journal.torn


class TestAJournalOfAnotherFormat:
    """It is refused by its first line, whatever the others hold."""

    @pytest.mark.parametrize("written", [None, 1, 3, "two"])
    def test_is_refused_with_the_version_that_can_judge_it(self, path, written):
        write(path, *synthetic.run().entries)
        first, *others = path.read_bytes().splitlines(keepends=True)
        old = json.loads(first) | {"version": "0.0.7", "scraping": "a field that we do not have"}
        old = {key: value for key, value in (old | {"format": written}).items() if value is not None}
        path.write_bytes(json.dumps(old).encode() + b"\n" + b'{"kind":"dance"}\n' + b"".join(others))
        with pytest.raises(UsageError) as raised:
            Journal.read(path)
        assert f"was written by coalmine 0.0.7 in format {written or 1}; this is format 2" in raised.value.message
        assert raised.value.hint == "judge it with coalmine 0.0.7"

    def test_is_not_what_we_write(self, path):
        write(path, *synthetic.run().entries)
        assert json.loads(path.read_bytes().splitlines()[0])["format"] == FORMAT == 2


class TestABrokenJournal:
    @pytest.mark.parametrize(
        "line",
        [b"{", b"[]", b'{"kind":"dance"}', b'{"kind":"event","name":"x","more":1}', b"", b"\xff"],
        ids=["no-json", "no-object", "unknown-kind", "unknown-field", "empty-line", "no-text"],
    )
    def test_is_refused_with_file_and_line(self, path, line):
        write(path, Event(name="run.start"))
        path.write_bytes(path.read_bytes() + line + b"\n" + line + b"\n")
        with pytest.raises(SpecError) as raised:
            Journal.read(path)
        assert [(m.file, m.line) for m in raised.value.mistakes] == [(str(path), 2), (str(path), 3)]

    def test_of_two_runs_is_refused(self, path):
        write(path, *synthetic.run().entries, *synthetic.run().entries)
        with pytest.raises(UsageError, match="holds two runs") as raised:
            Journal.read(path)
        assert "directory of its own" in raised.value.hint

    def test_that_is_not_there_is_the_users_mistake(self, path):
        with pytest.raises(UsageError, match="cannot read the journal"):
            Journal.read(path)

    def test_that_does_not_say_what_was_run_cannot_be_judged(self, path):
        write(path, Event(name="run.start"))
        with pytest.raises(UsageError, match=r"no run\.started"):
            _ = Journal.read(path).started
