"""Labs and engines stand side by side on one machine, and beside what it has already."""

import itertools
from ipaddress import IPv4Network

import pytest

from orchestrator.errors import LabError
from orchestrator.lab import native, network, state
from orchestrator.lab.docker_engine import Engine, published_at
from orchestrator.lab.state import LabState


def lab(index, name="a"):
    return LabState(name=name, index=index, binaries="/nowhere", owner=1)


def test_no_two_labs_share_an_address_or_a_link():
    for one, other in itertools.combinations(map(lab, state.INDEXES), 2):
        assert network.free(one.networks, map(IPv4Network, other.networks))
        assert {one.host_link, one.lab_link}.isdisjoint({other.host_link, other.lab_link})


def test_addresses_of_a_lab_lie_in_its_networks():
    for index in state.INDEXES:
        one = lab(index)
        assert IPv4Network(one.bridge_ip).subnet_of(IPv4Network(one.pod_network))
        assert IPv4Network(one.api_ip).subnet_of(IPv4Network(one.service_network))
        assert IPv4Network(one.dns_ip).subnet_of(IPv4Network(one.service_network))


def test_link_names_fit_into_the_kernels_fifteen_characters():
    assert all(len(link) <= 15 for index in state.INDEXES for link in (lab(index).host_link, lab(index).lab_link))


@pytest.mark.parametrize(
    ("taken", "is_free"),
    [
        ("10.100.0.0/16", False),
        ("10.0.0.0/8", False),
        ("10.100.7.0/24", False),
        ("10.243.0.2/32", False),
        ("10.101.0.0/16", True),
        ("192.168.0.0/16", True),
    ],
)
def test_a_network_is_free_when_nothing_overlaps_it(taken, is_free):
    assert network.free(lab(0).networks, [IPv4Network(taken)]) is is_free


def test_what_the_machine_has_is_seen_through_all_tables(monkeypatch):
    answers = {
        "route": '[{"dst":"default"},{"dst":"10.7.0.0/16"},{"dst":"10.9.9.9"}]',
        "address": '[{"addr_info":[{"local":"172.17.0.1","prefixlen":16}]},{}]',
    }
    monkeypatch.setattr(network, "_ip", lambda *arguments: answers[arguments[1]])
    assert list(map(str, network.used())) == ["10.7.0.0/16", "10.9.9.9/32", "172.17.0.0/16"]


def test_a_machine_that_routes_all_of_ten_has_no_room_for_a_lab(monkeypatch, tmp_path):
    monkeypatch.setattr(state, "ROOT", tmp_path)
    monkeypatch.setattr(network, "used", lambda: (IPv4Network("10.0.0.0/8"),))
    with pytest.raises(LabError, match="no addresses are free") as caught:
        native._claim("a", tmp_path, owner=1)
    assert "--context" in caught.value.hint


def test_labs_claim_different_addresses_until_one_is_gone(monkeypatch, tmp_path):
    monkeypatch.setattr(state, "ROOT", tmp_path)
    monkeypatch.setattr(network, "used", lambda: ())
    assert [native._claim(name, tmp_path, owner=1).index for name in ("a", "b", "c")] == [0, 1, 2]
    assert state.names() == ["a", "b", "c"]
    (tmp_path / "b" / "lab.json").unlink()
    assert native._claim("d", tmp_path, owner=1).index == 1


@pytest.mark.parametrize(
    ("url", "environment", "where"),
    [
        ("unix:///var/run/docker.sock", {}, "127.0.0.1"),
        ("tcp://engine.example:2376", {}, "engine.example"),
        ("tcp://engine.example", {}, "engine.example"),
        ("unix:///x.sock", {"TESTCONTAINERS_HOST_OVERRIDE": "10.0.0.9"}, "10.0.0.9"),
    ],
)
def test_published_ports_are_where_the_engine_is(url, environment, where):
    assert published_at(url, environment) == where


def test_an_engine_tells_testcontainers_all_that_it_must_know():
    told = Engine("unix:///x.sock", "10.243.100.2").environment
    assert told["DOCKER_HOST"] == "unix:///x.sock"
    assert told["TESTCONTAINERS_HOST_OVERRIDE"] == "10.243.100.2"
    assert told["TESTCONTAINERS_RYUK_DISABLED"] == "true"
