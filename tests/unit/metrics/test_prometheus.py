"""The adapter, against the real Prometheus where it can be had, and against a server of bad manners."""

import http.server
import json
import math
import threading
import time

import pytest
import requests
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_none

from orchestrator.errors import MetricsError
from orchestrator.gates.assess import assess
from orchestrator.gates.collect import collect
from orchestrator.gates.ports import Sources
from orchestrator.gates.record import Record
from orchestrator.journal import Event
from orchestrator.metrics import prometheus as module
from orchestrator.metrics.prometheus import Prometheus
from orchestrator.metrics.signals import CATALOGUE
from orchestrator.spec import Selector, Stage
from tests.unit.gates.building import PACE, gate
from tests.unit.metrics.conftest import THEN

QUICK = Retrying(
    retry=retry_if_exception_type(module._TemporaryError), wait=wait_none(), stop=stop_after_attempt(3), reraise=True
)


@pytest.mark.live
class TestTheRealPrometheus:
    @pytest.fixture
    def prometheus(self, prometheus_url):
        client = Prometheus(prometheus_url, retry=QUICK)
        yield client
        client.close()

    def test_answers_at_every_step_of_the_exact_window(self, prometheus):
        result = prometheus.query_range('height{node="validator-0"}', THEN + 0.6, THEN + 4.6, 1.0)
        (series,) = result.series
        assert series.labels == {"__name__": "height", "node": "validator-0"}
        assert series.samples == tuple((THEN + i + 0.6, 10.0 + i) for i in range(5))
        assert result.warnings == ()

    def test_keeps_numbers_that_are_none(self, prometheus):
        ((odd,),) = [prometheus.query_range("odd", THEN, THEN + 3, 1.0).series]
        values = [value for _, value in odd.samples]
        assert math.isnan(values[0])
        assert values[1:] == [math.inf, -math.inf, 4.5]

    def test_shows_a_gap_as_a_gap(self, prometheus):
        for query in ('height{node="validator-1"}', 'last_over_time(height{node="validator-1"}[2500ms])'):
            shown = prometheus.query_range(query, THEN + 18, THEN + 32, 1.0, lookback=2.5).series[0].samples
            assert [when - THEN for when, _ in shown] == [18, 19, 20, 21, 30, 31, 32]

    def test_of_nothing_is_nothing(self, prometheus):
        assert prometheus.query_range("no_such_metric", THEN, THEN + 3, 1.0).series == ()

    def test_says_what_is_wrong_with_a_query_in_its_own_words(self, prometheus):
        with pytest.raises(MetricsError, match=r"answered 400 to rate\(height: .*unclosed left parenthesis"):
            prometheus.query_range("rate(height", THEN, THEN + 3, 1.0)

    def test_refuses_more_points_than_it_likes(self, prometheus):
        with pytest.raises(MetricsError, match="exceeded maximum resolution"):
            prometheus.query_range("height", THEN, THEN + 20_000, 1.0)

    @pytest.mark.parametrize("signal", CATALOGUE.values(), ids=list(CATALOGUE))
    def test_understands_every_signal(self, prometheus, signal):
        prometheus.query_range(signal.query(Selector(chain="relay"), hold=2.5), THEN, THEN + 3, 1.0, lookback=2.5)

    def test_tells_the_clients_chain_from_ours(self, prometheus):
        query = CATALOGUE["best-height"].query(Selector(chain="relay"), hold=2.5)
        for _ in range(100):
            now = time.time()
            if found := prometheus.query_range(query, now - 1, now, 1.0, lookback=2.5).series:
                break
            time.sleep(0.1)
        assert (found[0].labels["chain"], found[0].labels["chain_id"]) == ("relay", "canary_local")
        assert "exported_chain" not in found[0].labels

    def test_counts_panics_that_never_were_as_none(self, prometheus):
        query = CATALOGUE["task-panics"].query(Selector(), hold=2.5)
        for _ in range(100):
            now = time.time()
            if found := prometheus.query_range(query, now, now, 1.0, lookback=2.5).series:
                break
            time.sleep(0.1)
        assert found[0].samples[0][1] == 0.0
        assert found[0].labels["node"] == "validator-0"


class BadManners(http.server.BaseHTTPRequestHandler):
    """Answers what the test wants, in order; the last one for good."""

    def do_GET(self):
        answers = self.server.answers
        status, body = answers.pop(0) if len(answers) > 1 else answers[0]
        self.server.asked += 1
        self.server.headers_seen = dict(self.headers)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body if isinstance(body, bytes) else json.dumps(body).encode())

    def log_message(self, *_):
        pass


MATRIX = {
    "status": "success",
    "data": {"resultType": "matrix", "result": [{"metric": {"a": "b"}, "values": [[1, "2"]]}]},
}


class TestAServerOfBadManners:
    @pytest.fixture
    def server(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), BadManners)
        server.asked = 0
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()
        server.server_close()

    def ask(self, server, *answers, **client):
        server.answers = list(answers)
        prometheus = Prometheus(f"http://127.0.0.1:{server.server_port}/proxy/", retry=QUICK, **client)
        try:
            return prometheus.query_range("x", 0, 1, 1)
        finally:
            prometheus.close()

    def test_has_its_warnings_kept(self, server):
        assert self.ask(server, (200, {**MATRIX, "warnings": ["a store is away"]})).warnings == ("a store is away",)
        assert self.ask(server, (200, {**MATRIX, "isPartial": True})).warnings == ("the answer is partial",)

    def test_is_asked_again_while_it_asks_for_patience(self, server):
        assert self.ask(server, (503, b"away"), (429, b"later"), (200, MATRIX)).series
        assert server.asked == 3

    def test_is_not_asked_again_when_it_says_no(self, server):
        with pytest.raises(MetricsError, match="answered 403 to x: no entry"):
            self.ask(server, (403, b"no   entry"))
        assert server.asked == 1

    def test_is_given_up_after_some_attempts(self, server):
        with pytest.raises(MetricsError, match="answered 503"):
            self.ask(server, (503, b"away"))
        assert server.asked == 3

    @pytest.mark.parametrize(
        "body",
        [
            b"<html>",
            {},
            {"data": {}},
            {"data": None},
            {"data": {"result": [{"metric": {}, "values": [[1, "two"]]}]}},
            [],
        ],
        ids=["html", "empty", "no-result", "null", "no-number", "list"],
    )
    def test_that_talks_nonsense_is_an_error(self, server, body):
        with pytest.raises(MetricsError, match="Prometheus' answer"):
            self.ask(server, (200, body))

    def test_is_sent_what_the_way_there_needs(self, server):
        session = requests.Session()
        session.headers["X-Way"] = "proxy"
        self.ask(server, (200, MATRIX), session=session, headers={"Authorization": "Bearer t"})
        assert server.headers_seen["Authorization"] == "Bearer t"
        assert server.headers_seen["X-Way"] == "proxy"

    def test_that_is_not_there_is_an_error(self):
        prometheus = Prometheus("http://127.0.0.1:9", retry=QUICK)
        with pytest.raises(MetricsError, match="no answer from Prometheus"):
            prometheus.query_range("x", 0, 1, 1)
        prometheus.close()


class TestAGateOnTheRealPrometheus:
    """From the query to the verdict, over windows that begin between two samples."""

    def verdict(self, url, start, end, **words):
        one = gate(**{"clocks": "ignore", **words})
        stage = Stage.model_validate({"name": "a", "hold": "1s", "gates": [one]})
        record = Record((), 1.0, PACE)
        record.add(Event(at=THEN + start, name="stage.start", stage="a"))
        record.add(Event(at=THEN + end, name="stage.end", stage="a"))
        prometheus = Prometheus(url, retry=QUICK)
        collect(stage, [one], record, Sources(prometheus, None, None, None, ()), record.add, THEN + end)
        prometheus.close()
        return assess(stage, one, record, THEN + end).verdict

    @pytest.mark.parametrize("start", [1.0, 1.234, 1.9996])
    @pytest.mark.parametrize("length", [5.0, 5.001, 5.7, 5.999])
    def test_covers_its_window_to_within_a_step_of_the_edges(self, prometheus_url, start, length):
        end = round(start + length, 3)
        found = self.verdict(prometheus_url, start, end, promql="sum(height)", increasesBy=8)
        assert (found.verdict, found.value) == ("PASSED", 2.0 * (math.floor(end) - math.ceil(start)))

    def test_over_a_gap_is_inconclusive(self, prometheus_url):
        found = self.verdict(prometheus_url, 15.5, 35.5, promql="sum(height)", atLeast=1)
        assert found.verdict == "INCONCLUSIVE"
        assert "8 of 20 samples are missing" in found.reason

    def test_of_nothing_is_inconclusive(self, prometheus_url):
        found = self.verdict(prometheus_url, 1.0, 9.0, promql="sum(no_such_metric)", equals=0)
        assert (found.verdict, found.reason) == ("INCONCLUSIVE", "no samples came")

    def test_of_numbers_that_are_none_is_inconclusive(self, prometheus_url):
        found = self.verdict(prometheus_url, 0.0, 3.0, promql="sum(odd)", atMost=9, minSamples=1)
        assert found.verdict == "INCONCLUSIVE"

    def test_that_prometheus_refuses_is_an_error(self, prometheus_url):
        assert self.verdict(prometheus_url, 0.0, 3.0, promql="sum(x", atMost=9).verdict == "ERROR"
