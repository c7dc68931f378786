"""The journal's file: typed lines in, the same lines out, and nothing broken is taken for whole."""

import math
import threading

import pytest

from orchestrator.errors import InfrastructureError, SpecError, UsageError
from orchestrator.journal import Clock, Event, Journal, JournalWriter, Row, RunFinished, Samples
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

    def test_that_is_not_there_is_the_users_mistake(self, path):
        with pytest.raises(UsageError, match="cannot read the journal"):
            Journal.read(path)

    def test_that_does_not_say_what_was_run_cannot_be_judged(self, path):
        write(path, Event(name="run.start"))
        with pytest.raises(UsageError, match=r"no run\.started"):
            _ = Journal.read(path).started
