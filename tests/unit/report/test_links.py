"""Links into the user's own Prometheus and Grafana: the gate's query, at the run's time."""

import json
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import UsageError
from orchestrator.report.links import NOWHERE, Links

BOTH = Links("http://localhost:9090/", "https://grafana.example.org/sub")
TIMES = st.floats(1_600_000_000, 1_900_000_000)


def asked(address):
    return {name: value for name, (value,) in parse_qs(urlsplit(address).query).items()}


@given(st.text(min_size=1), TIMES, st.floats(0, 1e6))
def test_the_query_arrives_as_it_was_and_the_range_holds_the_run(query, start, length):
    query = query.encode("utf-8", "replace").decode()
    (_, prometheus), (_, grafana) = BOTH.to(query, start, start + length)
    found = asked(prometheus)
    end = datetime.strptime(found["g0.end_input"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC).timestamp()
    assert found["g0.expr"] == query
    assert end - int(found["g0.range_input"][:-1]) <= start
    assert end >= start + length
    pane = json.loads(asked(grafana)["panes"])["run"]
    assert pane["queries"][0]["expr"] == query
    assert int(pane["range"]["from"]) <= start * 1000 <= int(pane["range"]["from"]) + 1


def test_the_pages_are_those_of_the_addresses():
    (_, prometheus), (_, grafana) = BOTH.to("up", 1e9, 1e9 + 1)
    assert prometheus.startswith("http://localhost:9090/graph?")
    assert grafana.startswith("https://grafana.example.org/sub/explore?")
    assert NOWHERE.to("up", 1e9, 1e9 + 1) == ()


@pytest.mark.parametrize("address", ["javascript:alert(1)", "localhost:9090", "ftp://a", "http://", ""])
def test_what_is_no_address_of_a_page_is_refused(address):
    with pytest.raises(UsageError, match="no address"):
        Links(grafana=address)
    with pytest.raises(UsageError, match="no address"):
        Links(prometheus=address)
