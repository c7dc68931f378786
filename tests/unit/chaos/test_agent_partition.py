"""Partitions between real network namespaces on a bridge of the test's own."""

import socket
import subprocess
from pathlib import Path

import pytest

from chaos.agent import netns
from chaos.agent.faults import FaultError
from chaos.agent.partition import PeerBlocker, chain_name, supported_backend
from chaos.wire import PartitionOrder

pytestmark = pytest.mark.live


@pytest.fixture
def partition(bench):
    backend, reason = supported_backend()
    if backend is None:
        pytest.skip(f"no iptables here: {reason}")
    return PeerBlocker(bench.machine, backend)


def order(pod, *peers):
    return PartitionOrder(pod_uid=pod.pod_uid, peers=[peer.ip for peer in peers], ttl_seconds=60)


def probe(pod, *peers, timeout=0.5):
    endpoints = tuple((peer.ip, 30333) for peer in peers)
    return [p.outcome for p in netns.connect(Path(f"/proc/{pod.pid}/ns/net"), endpoints, timeout=timeout)]


def rules(pod):
    command = ["nsenter", f"--net=/proc/{pod.pid}/ns/net", "iptables-save"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_packets_pass_before_and_after_and_not_during(partition, network):
    a, b, c = network(3)
    assert probe(a, b, c) == ["connected", "connected"]
    assert partition.inject("x", order(a, b)) == "2 rules against 1 peer addresses, read back"
    assert probe(a, b, c) == ["timeout", "connected"]
    assert probe(b, a, c) == ["timeout", "connected"], "rules on one end cut both directions"
    assert partition.recover("x", order(a, b)) == "rules removed, read back"
    assert probe(a, b, c) == ["connected", "connected"]
    assert "COALMINE" not in rules(a)


def test_a_connection_that_stands_is_cut_too(partition, network):
    a, b = network(2)
    program = (
        "import socket,sys; s=socket.create_connection(('10.99.0.2', 30333), 5); s.settimeout(1.0);"
        "print('open', flush=True); sys.stdin.readline(); s.send(b'GET / HTTP/1.0\\r\\n\\r\\n');\n"
        "try: print(len(s.recv(10)))\nexcept TimeoutError: print('silence')"
    )
    client = subprocess.Popen(
        ["nsenter", f"--net=/proc/{a.pid}/ns/net", "python3", "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert client.stdout.readline() == "open\n"
    partition.inject("x", order(a, b))
    assert client.communicate("go\n", timeout=10)[0] == "silence\n"


def test_ordering_again_replaces_the_peers_and_leaves_one_hook(partition, network):
    a, b, c = network(3)
    partition.inject("x", order(a, b))
    partition.inject("x", order(a, c))
    assert probe(a, b, c) == ["connected", "timeout"]
    assert rules(a).count("-A INPUT -j") == 1


def test_two_faults_on_one_pod_do_not_touch_each_other(partition, network):
    a, b, c = network(3)
    partition.inject("x", order(a, b))
    partition.inject("y", order(a, c))
    partition.recover("x", order(a, b))
    assert probe(a, b, c) == ["connected", "timeout"]


def test_foreign_rules_survive_recovery(partition, network):
    a, b = network(2)
    enter = ["nsenter", f"--net=/proc/{a.pid}/ns/net"]
    subprocess.run([*enter, "iptables", "-A", "INPUT", "-s", "192.0.2.7", "-j", "DROP"], check=True)
    partition.inject("x", order(a, b))
    partition.recover("x", order(a, b))
    assert "-A INPUT -s 192.0.2.7/32 -j DROP" in rules(a)


def test_recovery_without_injection_does_no_harm(partition, network):
    a, b = network(2)
    assert partition.recover("x", order(a, b)) == "no rules were left"
    a.process.kill()
    a.process.wait()
    assert "gone" in partition.recover("x", order(a, b))


def test_a_pod_on_the_machines_own_network_is_refused(partition, bench):
    container = bench.start("exec sleep 1000")
    request = PartitionOrder(pod_uid=container.pod_uid, peers=["192.0.2.1"], ttl_seconds=60)
    with pytest.raises(FaultError, match="machine's own network"):
        partition.inject("x", request)


def test_ipv6_peers_are_refused_before_anything_is_placed(partition, network):
    (a,) = network(1)
    with pytest.raises(FaultError, match="IPv4"):
        partition.inject("x", PartitionOrder(pod_uid=a.pod_uid, peers=["fd00::1"], ttl_seconds=60))
    assert "COALMINE" not in rules(a)


def test_a_port_on_which_nobody_listens_counts_as_reachable(network):
    a, b = network(2)
    (answer,) = netns.connect(Path(f"/proc/{a.pid}/ns/net"), ((b.ip, 9),), timeout=1)
    assert answer.outcome == "refused"
    assert answer.passes


def test_probing_leaves_this_process_in_its_own_namespace(network):
    a, b = network(2)
    before = socket.if_nameindex()
    probe(a, b)
    assert socket.if_nameindex() == before


def test_chain_names_fit_the_kernels_limit():
    assert len(chain_name("x" * 128)) <= 28
