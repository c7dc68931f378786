"""What has no history is read at every point of the grid; what is read of nodes and pods becomes numbers."""

from datetime import UTC, datetime
from math import isnan
from types import SimpleNamespace

import pytest

from orchestrator.chain.rounds import RoundState
from orchestrator.errors import ChainError, ClusterError
from orchestrator.gates.assess import assess
from orchestrator.gates.ports import Lines, Pod, Sources
from orchestrator.gates.record import Record
from orchestrator.journal import Clock, Event, Occurrences, Target
from orchestrator.run import polling
from orchestrator.run.node_reads import NodeReads
from orchestrator.run.pods import PodLogs, matching
from orchestrator.run.polling import Poller
from orchestrator.scale import compact
from orchestrator.spec import Stage
from orchestrator.spec.source import Storage
from tests.unit.gates.building import PACE, gate, node_of

NODES = tuple(node_of(f"validator-{i}") for i in range(2))
HEIGHT = gate(name="height", chainRead="best-height", atLeast=0)
READY = gate(name="ready", pods="ready", equals=1)


class Time:
    """Passes when the poller waits; then whoever was asked has answered, unless he hangs."""

    def __init__(self):
        self.now, self.rounds, self.pool = 999.5, 8, []

    def time(self):
        return self.now

    def wait(self, seconds):
        for work in [work for work in self.pool if not work.done()]:
            work.go()
        self.rounds -= 1
        self.now += seconds
        return self.rounds < 0


class Work:
    """What was submitted to the pool: it runs when time passes."""

    def __init__(self, function, *args):
        self.call, self.ended = lambda: function(*args), False

    def done(self):
        return self.ended

    def go(self):
        try:
            self.call()
        except HangsError:
            return
        self.ended = True


class HangsError(Exception):
    pass


class Pool:
    def __init__(self, time):
        self.time = time

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def submit(self, function, *args):
        self.time.pool.append(Work(function, *args))
        return self.time.pool[-1]


@pytest.fixture
def time(monkeypatch):
    found = Time()
    monkeypatch.setattr(polling, "time", found)
    monkeypatch.setattr(polling, "ThreadPoolExecutor", lambda _: Pool(found))
    return found


class Network:
    """Heights of nodes; the second refuses in the seconds of `silent`, hangs in those of `hangs`."""

    def __init__(self, time, silent=(), hangs=(), away=()):
        self.time, self.silent, self.hangs, self.away, self.asked = time, silent, hangs, away, 0

    def number(self, node, chain, what):
        assert (chain, what) == ("relay", "best-height")
        self.asked += 1
        if node == "validator-1" and self.time.now in self.hangs:
            raise HangsError
        if node == "validator-1" and self.time.now in self.silent:
            raise ChainError("no answer")
        return self.time.now

    def facts(self):
        self.asked += 1
        if self.time.now in self.away:
            raise ClusterError("no answer")
        return {node.name: Pod(0, 0, ready=True) for node in NODES}


def polled(time, network, one):
    """What a poller wrote in eight seconds."""
    kept = []
    poller = Poller([one], Sources(None, network, network, None, NODES), kept.append)
    poller._stop = SimpleNamespace(wait=time.wait)
    poller._follow()
    poller.flush()
    record = Record.fed(NODES, 1.0, PACE, kept)
    tracks = record.answers(kept[0].key).tracks.values()
    points = {track.labels["node"]: track.between((1000, 1007)) for track in tracks}
    return kept, {node: [None if isnan(v) else v for v in values] for node, values in points.items()}


class TestPolling:
    def test_reads_every_second(self, time):
        kept, values = polled(time, Network(time), HEIGHT)
        assert values == {node.name: [999.5, *(1000.0 + i for i in range(7))] for node in NODES}
        assert [entry.count for entry in kept] == [5, 3]

    def test_holds_a_value_for_two_points_and_then_has_a_hole(self, time):
        _, values = polled(time, Network(time, silent=range(1002, 1005)), HEIGHT)
        assert values["validator-1"] == [999.5, 1000.0, 1001.0, 1001.0, None, None, 1005.0, 1006.0]

    def test_is_not_held_up_by_a_node_that_hangs(self, time):
        _, values = polled(time, Network(time, hangs=range(1002, 1005)), HEIGHT)
        assert None not in values["validator-0"]
        assert values["validator-1"].count(None) == 2

    def test_does_not_ask_again_before_there_is_an_answer(self, time):
        network = Network(time, hangs=range(1002, 1005))
        polled(time, network, HEIGHT)
        assert len([work for work in time.pool if not work.done()]) <= len(NODES)

    def test_of_pods_asks_once_for_all(self, time):
        network = Network(time)
        _, values = polled(time, network, READY)
        assert values == {node.name: [1.0] * 8 for node in NODES}
        assert network.asked <= 9

    def test_without_an_api_server_has_holes(self, time):
        _, values = polled(time, Network(time, away=range(1001, 1006)), READY)
        assert values["validator-0"] == [1.0, 1.0, 1.0, None, None, None, None, 1.0]

    def test_does_nothing_for_gates_that_ask_elsewhere(self):
        kept = []
        with Poller([gate(atMost=1)], Sources(None, None, None, None, NODES), kept.append):
            pass
        assert kept == []

    def test_of_a_silent_node_is_inconclusive_with_the_reason(self, time):
        kept, _ = polled(time, Network(time, silent=range(1002, 1005)), HEIGHT)
        stage = Stage.model_validate({"name": "a", "hold": "1s", "gates": [HEIGHT]})
        events = [Event(at=1000.0, name="stage.start", stage="a"), Event(at=1007.0, name="stage.end", stage="a")]
        clocks = [Clock(at=1000.0 + i, best=9, finalized=8, session=0) for i in range(8)]
        record = Record.fed(NODES, 1.0, PACE, [*events, *clocks, *kept])
        found = assess(stage, HEIGHT, record, 1007.0).verdict
        assert (found.verdict, found.reason) == ("INCONCLUSIVE", "validator-1: 2 of 8 samples are missing")


class Reader:
    def __init__(self, stored=None, rounds=()):
        self.stored, self.rounds = stored, list(rounds)

    def storage(self, key, at=None):
        self.asked = key, at
        return self.stored

    def hash_at(self, number):
        return f"0x{number:02x}" if number < 100 else None

    def round_state(self):
        return self.rounds.pop(0)

    def session(self):
        return 7

    def authors(self):
        return (b"a", b"b")


def reads(reader):
    node = SimpleNamespace(name="n", chain="relay")
    return NodeReads(SimpleNamespace(nodes=[node], reader=lambda *_, **__: reader))


def storage(**words):
    return Storage.model_validate({"pallet": "System", "item": "Number", **words})


class TestNumbersOfNodes:
    @pytest.mark.parametrize(
        ("kind", "raw", "number"),
        [
            ("u32", b"\x01\x02\0\0", 513),
            ("u8", b"\x05\xff", 5),
            ("compact", compact(70_000), 70_000),
            ("u64", bytes(8), 0),
        ],
    )
    def test_are_decoded_from_storage(self, kind, raw, number):
        assert reads(Reader(raw)).number("n", "relay", storage(**{"as": kind})) == number

    @pytest.mark.parametrize("raw", [None, b"\x01"])
    def test_that_are_not_there_are_no_zero(self, raw):
        with pytest.raises(ChainError, match=r"System\.Number"):
            reads(Reader(raw)).number("n", "relay", storage())

    def test_of_a_block_that_a_node_lacks_are_unknown(self):
        assert reads(Reader(b"\x01")).stored("n", "relay", storage(), 5) == "0x01"
        assert reads(Reader(None)).stored("n", "relay", storage(), 5) == "0x"
        assert reads(Reader(b"\x01")).stored("n", "relay", storage(), 500) is None

    def test_are_read_by_name(self):
        one = reads(Reader())
        assert (one.number("n", "relay", "session"), one.number("n", "relay", "authorities")) == (7.0, 2.0)

    def test_of_absent_voters_take_several_looks(self):
        def look(number, *missing):
            votes = {"missing": list(missing), "currentWeight": 0}
            one = {"round": number, "totalWeight": 3, "thresholdWeight": 3, "prevotes": votes, "precommits": votes}
            return RoundState.of({"setId": 0, "best": one, "background": []})

        one = reads(Reader(rounds=[look(1, "a", "b", "c"), look(1, "a"), look(2, "a", "b", "c"), look(2)]))
        assert [one.number("n", "relay", "grandpa-absent") for _ in range(4)] == [3.0, 1.0, 1.0, 0.0]


class TestLogLines:
    LINES = (
        "1970-01-01T00:16:30.123456789Z INFO old",
        "1970-01-01T00:16:41.5Z thread panicked at a",
        "no time at all",
        "1970-01-01T00:16:50Z thread panicked at b",
    )

    def test_are_counted_between_two_times(self):
        assert matching(self.LINES, "panicked", 1000.0, 1005.0).hits == (1001.5,)
        assert matching(self.LINES, "panicked|old", 980.0, 1010.0).hits == pytest.approx((990.123456, 1001.5, 1010.0))

    def test_tell_from_when_on_the_log_is_whole(self):
        assert matching(self.LINES, "x", 1000.0, 1005.0).since == 1000.0
        assert matching(self.LINES[1:], "x", 1000.0, 1005.0).since == 1001.5
        assert matching((), "x", 1000.0, 1005.0).since == 1005.0

    def test_keep_the_texts_of_the_first_hits_as_a_journal_holds_them(self):
        coloured = f"\x1b[31mpanicked at {'x' * 400}\x1b[0m"
        logged = [f"1970-01-01T00:16:{n:02d}Z {text}" for n in range(40, 60) for text in ("panicked", coloured)]
        found = matching(logged, "panicked", 960.0, 1100.0)
        assert len(found.hits) == 40
        assert found.lines == ("panicked", f"panicked at {'x' * 287}…") * 10
        assert (
            Occurrences(key="q", query="q", target=Target(node="a"), first=0, last=1, lines=found.lines).lines
            == found.lines
        )


class Container:
    """The log of the container that runs, and of the one before; the API server gives what it still has."""

    def __init__(self, now, before=None):
        self.logs = {False: now, True: before}

    def log_stream(self, *_, previous, since=None, tail=None, **__):
        if self.logs[previous] is None:
            raise ClusterError("previous terminated container not found")
        start = datetime.fromisoformat(since).timestamp() if since else 0.0
        lines = [
            f"{datetime.fromtimestamp(t, tz=UTC).isoformat()} {text}" for t, text in self.logs[previous] if t >= start
        ]
        yield from lines[-tail:] if tail else lines


class TestAPodsLog:
    """A window from 5000 to 5100."""

    def read(self, now, before=None):
        return PodLogs(Container(now, before), "n").matching("validator-0", "panicked", 5000.0, 5100.0)

    def test_is_whole_when_a_line_from_before_is_there(self):
        assert self.read([(4990, "idle"), (5050, "panicked")]) == Lines(5000.0, (5050.0,), ("panicked",))

    def test_is_whole_when_the_node_was_quiet_for_long(self):
        assert self.read([(100, "started")]) == Lines(5000.0, ())

    def test_is_not_whole_when_its_beginning_was_cut_away(self):
        assert self.read([(5040, "idle"), (5050, "idle")]).since == 5040.0
        assert self.read([]).since == 5100.0

    def test_goes_on_from_the_container_before(self):
        found = self.read([(5060, "started")], before=[(4000, "idle"), (5055, "panicked")])
        assert found == Lines(5000.0, (5055.0,), ("panicked",))

    def test_does_not_when_there_is_a_gap_between_them(self):
        found = self.read([(5090, "started")], before=[(4000, "idle"), (5001, "idle")])
        assert found.since == 5090.0
