"""What the cluster says becomes testnets, nodes and parachains; a selection takes what it names."""

import pytest

from orchestrator.errors import UsageError
from orchestrator.inspection import networks
from orchestrator.inspection.networks import Selection


def labels(group, role, chain, para_id=None):
    found = {
        "app.kubernetes.io/managed-by": "coalmine",
        "app.kubernetes.io/component": "node",
        "coalmine.dev/network": "n",
        "coalmine.dev/group": group,
        "coalmine.dev/role": role,
        "coalmine.dev/chain": chain,
    }
    return found | ({"coalmine.dev/para-id": str(para_id)} if para_id else {})


def pod(name, marks, *, ready=True, restarts=0, **metadata):
    return {
        "metadata": {"name": name, "namespace": "coalmine-n", "labels": marks, **metadata},
        "spec": {
            "nodeName": "m",
            "containers": [{"name": "node", "image": "i", "ports": [{"name": "rpc", "containerPort": 9944}]}],
        },
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": str(ready)}],
            "containerStatuses": [{"name": "node", "restartCount": restarts, "state": {"running": {}}}],
        },
    }


def group(name, count, marks):
    metadata = {"name": name, "namespace": "coalmine-n", "labels": marks}
    return {"metadata": metadata, "spec": {"replicas": count}}


SPACE = {
    "metadata": {
        "name": "coalmine-n",
        "labels": {"coalmine.dev/network": "n"},
        "creationTimestamp": "2026-01-01T00:00:00Z",
    },
    "status": {"phase": "Active"},
}
VALIDATOR, COLLATOR = labels("validator", "validator", "relay"), labels("collator", "collator", "nest", 2000)
FULL = labels("aaa", "full", "relay")
SETS = [group("collator", 1, COLLATOR), group("aaa", 1, FULL), group("validator", 3, VALIDATOR)]


class FakeCluster:
    """Answers reads from lists; what `state` asks for and no more."""

    context = "fake"

    def __init__(self, spaces, sets, pods, applied=()):
        self.items = {"Namespace": spaces, "StatefulSet": sets, "Pod": pods, "ConfigMap": list(applied)}

    def list_all(self, kind, _selector=""):
        return self.items[kind]

    def list(self, kind, namespace, _selector=""):
        return [item for item in self.items[kind] if item["metadata"]["namespace"] == namespace]

    def get(self, kind, name, _namespace=None):
        return next((item for item in self.items[kind] if item["metadata"]["name"] == name), None)


def small(pods):
    return networks.testnet(FakeCluster([SPACE], SETS, pods), "n")


def test_nodes_that_should_be_there_are_listed_whether_or_not_they_have_a_pod():
    found = small([pod("validator-0", VALIDATOR), pod("validator-2", VALIDATOR, ready=False, restarts=3)])
    assert [(node.name, node.ready, node.trouble, node.restarts) for node in found.nodes] == [
        ("validator-0", True, None, 0),
        ("validator-1", False, "not there", 0),
        ("validator-2", False, "running", 3),
        ("aaa-0", False, "not there", 0),
        ("collator-0", False, "not there", 0),
    ]
    assert found.phase == "NotReady"
    assert [(para.id, para.chain, len(para.nodes)) for para in found.parachains] == [(2000, "nest", 1)]


def test_a_pod_on_its_way_out_is_not_ready():
    leaving = pod("validator-0", VALIDATOR, deletionTimestamp="2026-01-01T00:00:00Z")
    assert small([leaving]).nodes[0].trouble == "terminating"


def test_it_is_ready_when_every_node_is():
    names = {"validator-0": VALIDATOR, "validator-1": VALIDATOR, "validator-2": VALIDATOR}
    names |= {"aaa-0": FULL, "collator-0": COLLATOR}
    assert small([pod(name, marks) for name, marks in names.items()]).phase == "Ready"


@pytest.mark.parametrize(
    ("selection", "names"),
    [
        (Selection(), ["validator-0", "validator-1", "validator-2", "aaa-0", "collator-0"]),
        (Selection(names=("validator-1", "collator-0")), ["validator-1", "collator-0"]),
        (Selection(group="validator"), ["validator-0", "validator-1", "validator-2"]),
        (Selection(role="full"), ["aaa-0"]),
        (Selection(chain="nest"), ["collator-0"]),
        (Selection(chain="2000"), ["collator-0"]),
        (Selection(chain="relay", role="full"), ["aaa-0"]),
    ],
)
def test_a_selection_takes_what_it_names(selection, names):
    assert [node.name for node in networks.select(small([]).nodes, selection)] == names


@pytest.mark.parametrize(
    ("selection", "words"),
    [
        (Selection(names=("vaildator-1",)), "no node vaildator-1"),
        (Selection(group="collators"), "no group collators"),
        (Selection(chain="2001"), "no chain 2001"),
        (Selection(role="full", chain="nest"), "no node is selected"),
    ],
)
def test_a_selection_of_nothing_is_a_mistake_with_what_is_there(selection, words):
    with pytest.raises(UsageError, match=words) as caught:
        networks.select(small([]).nodes, selection)
    assert caught.value.hint


def test_without_a_name_the_only_testnet_is_meant():
    assert networks.testnet(FakeCluster([SPACE], SETS, []), None).name == "n"
    other = {**SPACE, "metadata": {"name": "coalmine-m", "labels": {"coalmine.dev/network": "m"}}}
    with pytest.raises(UsageError, match="2 testnets: m, n"):
        networks.testnet(FakeCluster([SPACE, other], SETS, []), None)
    with pytest.raises(UsageError, match="no testnet in fake"):
        networks.testnet(FakeCluster([], [], []), None)
    with pytest.raises(UsageError, match="no testnet o"):
        networks.testnet(FakeCluster([SPACE, other], SETS, []), "o")
