"""State on demand against a real network: everything comes from the cluster, nothing from the user's file."""

import contextlib
import itertools
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-c", "from orchestrator.cli import main; main()"]
NODES = [*(f"validator-{i}" for i in range(4)), "bootnode-0", "collator-0", "collator-1"]


@pytest.fixture
def coalmine(lab, network):
    def run(*arguments, code=0):
        ours = [] if arguments[0] == "describe" and arguments[1] == "testnet" else ["--testnet", network.testnet.name]
        command = [*COMMAND, *arguments, *ours, "--kubeconfig", str(lab.kubeconfig)]
        done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT, timeout=90)
        assert done.returncode == code, done.stderr
        return done

    return run


def read(done):
    return json.loads(done.stdout)


def test_get_lists_what_was_applied(coalmine, network):
    (testnet,) = read(coalmine("get", "testnets", "-o", "json"))
    assert (testnet["name"], testnet["status"], testnet["ready"]) == (network.testnet.name, "Ready", "7/7")
    nodes = read(coalmine("get", "nodes", "-o", "json"))
    assert [node["name"] for node in nodes] == NODES
    assert {node["status"] for node in nodes} == {"Ready"}
    (para,) = read(coalmine("get", "parachains", "-o", "json"))
    assert (para["id"], para["name"], para["collators"], para["status"]) == (2000, "nest", "2/2", "Including")
    wide = coalmine("get", "nodes", "-o", "wide").stdout.splitlines()
    assert wide[0].split()[-2:] == ["IP", "IMAGE"]
    assert len(wide) == 8


def test_describe_says_what_chain_and_cluster_know(coalmine, network):
    testnet = read(coalmine("describe", "testnet", network.testnet.name, "-o", "json"))
    assert testnet["genesis"] == {chain.name: chain.genesis_hash for chain in network.genesis.chains}
    assert testnet["applied"]["metadata"]["name"] == network.testnet.name
    assert testnet["not ready"] == {}
    planned = {node.name: node.peer_id for node in network.genesis.nodes}
    assert read(coalmine("describe", "node", "collator-1", "-o", "json"))["peer id"] == planned["collator-1"]
    para = read(coalmine("describe", "parachain", "nest", "-o", "json"))
    assert para["included"] > 0
    assert re.fullmatch("0x[0-9a-f]{64}", para["validation code"])
    assert "collator-0" in coalmine("describe", "parachain", "2000").stdout


def test_rpc_asks_the_node_or_the_relay_node_inside_it(coalmine):
    assert read(coalmine("rpc", "collator-0", "system_chain")) != read(
        coalmine("rpc", "collator-0", "system_chain", "--relay")
    )
    assert read(coalmine("rpc", "validator-0", "chain_getBlockHash", "0")).startswith("0x")
    assert "Method not found" in coalmine("rpc", "validator-0", "nope", code=4).stderr
    assert "no embedded relay node" in coalmine("rpc", "validator-0", "system_chain", "--relay", code=2).stderr


def test_wait_holds_or_says_what_is_missing(coalmine):
    wishes = ("ready", "best=3", "finalized=2", "session=1", "parachain-included=2000")
    held = coalmine("wait", *(part for wish in wishes for part in ("--for", wish)), "--timeout", "60s").stderr
    assert len([line for line in held.splitlines() if line.endswith(" s)")]) == 6
    failed = coalmine("wait", "--for", "best=1000000", "validator-1", "--timeout", "1s", code=4).stderr
    assert re.search(r"best block 1000000: not within 1 s: validator-1 \(best \d+\)", failed)
    assert "no parachain 7" in coalmine("wait", "--for", "parachain-included=7", code=2).stderr


def test_top_once_shows_every_node_with_its_heights(coalmine):
    seen = {one["node"]: one for one in read(coalmine("top", "-o", "json"))}
    assert list(seen) == NODES
    assert all(one["best"] >= one["finalized"] > 0 for one in seen.values())
    assert all(one["lag"] == one["best"] - one["finalized"] for one in seen.values())
    assert all(one["cpu"] is None or one["cpu"] >= 0 for one in seen.values())
    assert len(coalmine("top", "--role", "validator").stdout.splitlines()) == 5


def test_logs_come_in_the_order_of_time_with_their_node_in_front(coalmine):
    lines = coalmine("logs", "--role", "validator", "--grep", r"Imported #\d+", "--tail", "50").stdout.splitlines()
    found = [re.fullmatch(r"(validator-\d) +\| (\d{4}-\d\d-\d\d \S+) .*Imported #.*", line) for line in lines]
    assert all(found)
    assert {match[1] for match in found} == {f"validator-{i}" for i in range(4)}
    times = [match[2] for match in found]
    # The node's own clock is read a moment before the container runtime's, by which the lines are ordered.
    assert sum(a > b for a, b in itertools.pairwise(times)) <= len(times) // 5
    assert "no log" in coalmine("logs", "validator-0", "--previous").stderr


def test_followed_logs_go_on_in_a_replaced_pod_and_end_by_an_interrupt(lab, cluster, network):
    space = network.testnet.namespace
    command = [*COMMAND, "logs", "-f", "--tail", "0", "-n", network.testnet.name, "--kubeconfig", str(lab.kubeconfig)]
    following = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        assert "|" in following.stdout.readline()  # It follows.
        cluster.delete("Pod", "validator-3", space, grace=0)
        deadline = time.monotonic() + 60
        for line in following.stdout:
            if line.startswith("validator-3") and "simnode" in line:  # A node's first line.
                break
            assert time.monotonic() < deadline
    finally:
        following.send_signal(signal.SIGINT)
        _, said = following.communicate(timeout=10)
    assert following.returncode == 130
    assert "validator-3: continues in a new container" in said
    assert "Traceback" not in said


def test_top_on_a_terminal_is_live_and_leaves_it_as_it_was(lab, network):
    process, terminal = pty.fork()
    if process == 0:
        where = ("--testnet", network.testnet.name, "--kubeconfig", str(lab.kubeconfig))
        os.chdir(ROOT)
        screen = {"TERM": "xterm", "COLUMNS": "140", "LINES": "30"}
        os.execve(sys.executable, [*COMMAND, "top", "--every", "1s", *where], {**os.environ, **screen})
    shown, deadline = b"", time.monotonic() + 60
    while shown.count(b"validator-3") < 2:  # It was drawn, and drawn again.
        assert time.monotonic() < deadline
        shown += os.read(terminal, 65536)
    os.kill(process, signal.SIGINT)
    with contextlib.suppress(OSError):  # The terminal ends with its last process.
        while piece := os.read(terminal, 65536):
            shown += piece
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 130
    assert b"7 of 7 ready" in shown
    assert shown.rindex(b"\x1b[?1049l") > shown.rindex(b"\x1b[?1049h")  # Back on the main screen.
    assert b"Traceback" not in shown
