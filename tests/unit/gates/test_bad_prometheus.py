"""The real Prometheus behind a proxy that delays, cuts, refuses and warns; and one that restarts in a window.

Whatever happens on the way, nothing passes by accident, nothing fails that the samples do not show, and there is
always a cause.
"""

import functools
import http.server
import threading
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_none

from orchestrator.gates.assess import assess
from orchestrator.gates.collect import collect
from orchestrator.gates.ports import Sources
from orchestrator.gates.record import Record
from orchestrator.gates.verdict import merge
from orchestrator.journal import Clock, ClockCheck, Event
from orchestrator.metrics import prometheus as door
from orchestrator.metrics.prometheus import Prometheus
from orchestrator.spec import Stage
from tests.budget import schedules
from tests.fakes.prometheus import RealPrometheus
from tests.fakes.proxy import FAULTS, FaultyProxy
from tests.unit.gates.building import PACE, gate, node_of

pytestmark = pytest.mark.live

THEN = 1_700_000_000
NODES = tuple(node_of(f"validator-{i}") for i in range(2))
UP = "\n".join(f'up{{node="{node.name}",chain="relay"}} 1 {THEN + i}' for node in NODES for i in range(60))
HEIGHTS = "\n".join(
    f'height{{node="validator-{n}",chain="relay"}} {10 + i + n} {THEN + i}' for n in range(2) for i in range(60)
)
HISTORY = f"# TYPE up gauge\n{UP}\n# TYPE height gauge\n{HEIGHTS}\n# EOF\n"

TWICE = Retrying(
    retry=retry_if_exception_type(door._TemporaryError), wait=wait_none(), stop=stop_after_attempt(2), reraise=True
)

GATES = (
    gate(name="passes", promql="height{$selector}", increasesBy=5),
    gate(name="fails", promql="height{$selector}", stalls=1),
    gate(name="absent", promql="absent_metric{$selector}", equals=0),
    gate(name="sum", promql="sum(height)", atLeast=1),
)
CLEAN = {"passes": "PASSED", "fails": "FAILED", "absent": "INCONCLUSIVE", "sum": "PASSED"}


@pytest.fixture(scope="module")
def proxy(tmp_path_factory):
    with RealPrometheus(tmp_path_factory.mktemp("history"), history=HISTORY, lookback="2500ms") as real:
        between = FaultyProxy(real.url, delay=1.6)
        yield between
        between.close()


def clocks(start, end):
    """What the run noted of a chain that builds a block a second."""
    count = int(end - start) + 1
    return [Clock(at=start + i, best=10 + i, finalized=8 + i, session=i // 6, stamp=start + i) for i in range(count)]


def judged(proxy, faults, *, live_at=()):
    """All gates over twenty seconds of the past, with looks in between."""
    proxy.faults = list(faults) or ["none"]
    stage = Stage.model_validate({"name": "a", "hold": "1s", "gates": GATES})
    record = Record(NODES, 1.0, PACE)
    prometheus = Prometheus(proxy.url, retry=TWICE, timeout=1)
    sources = Sources(prometheus, None, None, None, NODES)
    for entry in (*clocks(THEN, THEN + 60), Event(at=THEN + 5, name="stage.start", stage="a")):
        record.add(entry)
    keep = lambda entry: record.add(honest(entry))  # noqa: E731
    try:
        for now in live_at:
            collect(stage, GATES, record, sources, keep, THEN + 5 + now)
        record.add(Event(at=THEN + 25, name="stage.end", stage="a"))
        collect(stage, GATES, record, sources, keep, THEN + 25)
    finally:
        prometheus.close()
    return {one.name: assess(stage, one, record, THEN + 25).verdict for one in GATES}


def honest(entry):
    """The samples are years old, so their clock is compared as if it were then."""
    return entry.model_copy(update={"at": THEN + 10.0}) if isinstance(entry, ClockCheck) else entry


def test_without_faults_the_verdicts_are_what_the_samples_say(proxy):
    assert {name: found.verdict for name, found in judged(proxy, ["none"]).items()} == CLEAN


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault != "none"])
def test_a_fault_that_stays_leaves_nothing_passed_and_a_cause(proxy, fault):
    for name, found in judged(proxy, [fault]).items():
        assert found.verdict != "PASSED"
        assert found.reason
        if fault in {"warn", "partial"}:
            assert found.verdict == ("FAILED" if name == "fails" else "INCONCLUSIVE")
        else:
            assert (name, found.verdict) == (name, "ERROR")
            assert "Prometheus" in found.reason


@pytest.mark.parametrize("fault", ["unavailable", "delay", "cut", "reset"])
def test_a_fault_that_passes_changes_nothing(proxy, fault):
    assert {name: found.verdict for name, found in judged(proxy, [fault, "none"]).items()} == CLEAN


@settings(max_examples=schedules(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    faults=st.lists(st.sampled_from([fault for fault in FAULTS if fault != "delay"]), max_size=14),
    live_at=st.lists(st.integers(1, 19), max_size=3).map(sorted),
)
def test_no_mixture_of_faults_improves_a_verdict(proxy, faults, live_at):
    for name, found in judged(proxy, faults, live_at=live_at).items():
        assert merge([found.verdict, CLEAN[name]]) is found.verdict or CLEAN[name] == "FAILED"
        assert found.verdict in {CLEAN[name], "INCONCLUSIVE", "ERROR"}
        assert found.reason


class Node(http.server.BaseHTTPRequestHandler):
    """A node whose block height rises by five a second."""

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f'substrate_block_height{{status="best"}} {int(time.time() * 5)}\n'.encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def node():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Node)
    server.handle_error = lambda *_: None  # A Prometheus that is killed gives up in mid-scrape.
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


class TestAPrometheusThatRestarts:
    """In the middle of a window: the verdict is the same as without, or INCONCLUSIVE with the reason."""

    STEP = 0.2
    GATE = gate(name="rises", signal="best-height", increasesBy=5)

    def verdict(self, folder, node, between):
        one = NODES[:1]
        labels = {"node": "validator-0", "chain": "relay"}
        with RealPrometheus(folder, targets={node: labels}) as real:
            wait_for(functools.partial(has_samples, real))
            client = Prometheus(real.url)
            stage = Stage.model_validate({"name": "a", "hold": "1s", "gates": [self.GATE]})
            record = Record(one, self.STEP, PACE)
            sources = Sources(client, None, None, None, one, self.STEP)
            record.add(Event(at=time.time(), name="stage.start", stage="a"))
            time.sleep(1.5)
            between(real)
            time.sleep(1.5)
            end = time.time()
            for entry in clocks(end - 10, end):
                record.add(entry)
            record.add(Event(at=end, name="stage.end", stage="a"))
            time.sleep(2 * self.STEP)
            collect(stage, stage.gates, record, sources, record.add, end)
            client.close()
        return assess(stage, self.GATE, record, end).verdict

    def test_not_at_all_passes(self, tmp_path, node):
        assert self.verdict(tmp_path, node, lambda _: None).verdict == "PASSED"

    def test_for_longer_than_values_are_held_is_inconclusive(self, tmp_path, node):
        def restart(real):
            real.stop()
            time.sleep(1.0)
            real.start()

        found = self.verdict(tmp_path, node, restart)
        assert found.verdict == "INCONCLUSIVE"
        assert "samples are missing" in found.reason


def has_samples(real):
    client = Prometheus(real.url)
    try:
        now = time.time()
        return bool(client.query_range("substrate_block_height", now - 0.4, now, 0.2, lookback=0.5).series)
    finally:
        client.close()


def wait_for(holds):
    for _ in range(100):
        if holds():
            return
        time.sleep(0.1)
    pytest.fail("it never came to hold")
