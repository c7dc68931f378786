"""The runner dies in the middle of a window, and another goes on with its journal."""

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.gates.kinds import question as ask
from orchestrator.gates.record import Record
from orchestrator.journal import Journal, JournalWriter
from tests.budget import schedules
from tests.unit.gates.asking import Logs, Prometheus, Stage1, said
from tests.unit.gates.building import PACE, START, Values, gate, node_of, samples

ONE = (node_of("validator-0"),)
ROW = said("validator-0", 1, 1, 2, 4, 4, 5, 6, 7, 7, 8, 9)
SESSION = gate(chainRead="session", atLeast=0)
GATES = (
    gate(name="rises", signal="best-height", increasesBy=7),
    gate(name="stalls", signal="best-height", stalls=2),
    gate(name="own", promql="sum(x)", atMost=9),
    gate(name="logs", logs={"pattern": "x"}, atMost=1),
)


def stage():
    presence = said("validator-0", *[1] * 11)
    logs = Logs(validator_0=(START + 2, START + 7))
    return Stage1(*GATES, prometheus=Prometheus(ROW, by={"max_over_time(up": (presence,)}), logs=logs, nodes=ONE)


def restarted(one, path, *, torn):
    """The stage in the hands of a new process, which knows the journal only."""
    path.unlink(missing_ok=True)
    with JournalWriter(path, lambda: START) as writer:
        for entry in one.entries:
            writer.record(entry)
    if torn:
        path.write_bytes(path.read_bytes()[:-7])
        with JournalWriter(path, lambda: START):
            pass
    after = stage()
    after.entries = list(Journal.read(path).entries)
    after.record = Record.fed(ONE, 1.0, PACE, after.entries)
    return after


@settings(max_examples=schedules(25), deadline=None)
@given(st.lists(st.integers(1, 9), max_size=4).map(sorted), st.booleans())
def test_the_verdict_is_the_same_as_without(tmp_path_factory, dies_at, torn):
    path = tmp_path_factory.mktemp("run") / "journal.jsonl"
    expected = stage().finish()
    one = stage()
    for seconds in dies_at:
        one.ask(now=START + seconds)
        one = restarted(one, path, torn=torn)
    assert repr(one.finish()) == repr(expected)
    assert [found.verdict for found in expected] == ["PASSED", "FAILED", "PASSED", "FAILED"]


def test_what_nobody_polled_meanwhile_is_missing_and_said_so():
    """What has no history is polled by the runner, and is lost while there is none."""
    one = Stage1(SESSION, nodes=ONE)
    for part in (Values((5.0,) * 4), Values((5.0,) * 4, first=7)):
        one.keep(samples(ask(SESSION, ONE, 1.0), part, first=START + part.first))
    (found,) = one.finish()
    assert found.verdict == "INCONCLUSIVE"
    assert found.reason == "the recorded samples do not reach: 3 of 11 s were not recorded"
