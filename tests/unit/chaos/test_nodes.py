"""Pods as the API server shows them, read as nodes and agents."""

import copy

import pytest

from chaos.nodes import agent_of, node_of

POD = {
    "metadata": {
        "name": "collator-1",
        "uid": "u1",
        "labels": {
            "app.kubernetes.io/component": "node",
            "coalmine.dev/group": "collator",
            "coalmine.dev/role": "collator",
            "coalmine.dev/chain": "nest",
            "coalmine.dev/para-id": "2000",
        },
    },
    "spec": {"nodeName": "m1"},
    "status": {
        "phase": "Running",
        "podIPs": [{"ip": "10.0.0.7"}],
        "podIP": "10.0.0.7",
        "conditions": [{"type": "Ready", "status": "True"}],
        "containerStatuses": [
            {"name": "sidecar", "containerID": "containerd://ff", "state": {"running": {}}},
            {"name": "node", "containerID": "containerd://ab12", "state": {"running": {"startedAt": "x"}}},
        ],
    },
}


def pod(**status):
    document = copy.deepcopy(POD)
    document["status"].update(status)
    return document


def test_a_running_pod_is_a_node():
    node = node_of(POD)
    assert (node.name, node.group, node.role, node.chain, node.para_id) == (
        *("collator-1", "collator", "collator", "nest"),
        2000,
    )
    assert (node.pod_uid, node.machine, node.ip, node.container_id) == ("u1", "m1", "10.0.0.7", "ab12")
    assert (node.ready, node.running, node.ordinal) == (True, True, 1)


@pytest.mark.parametrize(
    "statuses",
    [
        pytest.param([], id="not created"),
        pytest.param([{"name": "node", "state": {"waiting": {"reason": "PodInitializing"}}}], id="waiting"),
        pytest.param([{"name": "node", "containerID": "containerd://ab", "state": {"terminated": {}}}], id="ended"),
    ],
)
def test_a_node_whose_container_does_not_run_is_known_and_not_running(statuses):
    node = node_of(pod(containerStatuses=statuses))
    assert node.container_id is None
    assert not node.running


def test_a_pod_that_is_leaving_is_not_ready():
    document = pod()
    document["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert not node_of(document).ready


@pytest.mark.parametrize("phase", ["Failed", "Succeeded"])
def test_a_pod_that_is_over_is_no_node(phase):
    assert node_of(pod(phase=phase)) is None


def test_a_pod_without_a_machine_or_of_another_component_is_no_node():
    unplaced = pod()
    del unplaced["spec"]["nodeName"]
    assert node_of(unplaced) is None
    other = pod()
    other["metadata"]["labels"]["app.kubernetes.io/component"] = "prometheus"
    assert node_of(other) is None


def test_an_agent_is_known_by_its_machine_even_when_it_is_not_ready():
    document = pod(conditions=[])
    document["metadata"]["labels"] = {"app.kubernetes.io/component": "agent"}
    agent = agent_of(document)
    assert (agent.machine, agent.ip, agent.ready) == ("m1", "10.0.0.7", False)
    document["metadata"]["deletionTimestamp"] = "x"
    assert agent_of(document) is None
