"""Experiments on a running network: each fault does what it says, and whatever dies meanwhile, nothing stays in place.

Effects are looked at from outside (node RPC through the API server), not through the controller's own status.
"""

import pytest

from orchestrator.errors import ChainError, ClusterError
from orchestrator.run import catchup
from orchestrator.run.sources import sources
from orchestrator.spec import API_VERSION
from orchestrator.spec.crd import crds

from .custom import objects, until

PAUSE_ONE = {"pause": {"target": {"nodes": ["validator-1"]}}}
CUT = {"partition": {"sides": [{"nodes": ["validator-0", "validator-1"]}, {"nodes": ["validator-2", "validator-3"]}]}}


@pytest.fixture
def namespace(network):
    return network.testnet.namespace


@pytest.fixture
def create(cluster, namespace, look):
    with objects(cluster, namespace) as made:
        yield lambda name, **spec: made.create("ChaosExperiment", name, **spec)
    until(look.finality_moves, 60, "finality after the test")


class Look:
    """What an outsider sees of the nodes."""

    def __init__(self, access):
        self.access = access
        self.nodes = {node.name: node for node in access.nodes}

    def answers(self, name):
        try:
            self.access.reader(self.nodes[name]).best()
        except ChainError:
            return False
        return True

    def finalized(self, name="validator-0"):
        return self.access.reader(self.nodes[name]).finalized().number

    def peers(self, name):
        return self.access.reader(self.nodes[name]).health()["peers"]

    def finality_moves(self, name="validator-0"):
        try:
            before = self.finalized(name)
            until(lambda: self.finalized(name) > before, 5, "a finalised block")
        except (AssertionError, ChainError):
            return False
        return True


@pytest.fixture
def look(access):
    return Look(access)


def pod_of(cluster, namespace, component):
    (pod,) = cluster.list("Pod", namespace, f"app.kubernetes.io/component={component}")
    return pod


def uid_of(cluster, namespace, name):
    pod = cluster.get("Pod", name, namespace)
    return pod["metadata"]["uid"] if pod else None


# What the API server refuses


def experiment(spec):
    return {"apiVersion": API_VERSION, "kind": "ChaosExperiment", "metadata": {"name": "x"}, "spec": spec}


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"duration": "20s"}, "exactly one of pause | kill | partition"),
        ({"duration": "20s", **PAUSE_ONE, "kill": PAUSE_ONE["pause"]}, "exactly one of pause | kill | partition"),
        ({"duration": "1m30s", "ttl": "1m29s", **PAUSE_ONE}, "ttl is shorter than duration"),
        ({"duration": 20, **PAUSE_ONE}, "spec.duration"),
        ({"duration": "20", **PAUSE_ONE}, "spec.duration"),
        ({**PAUSE_ONE}, "spec.duration"),
        ({"duration": "2s", "pause": {"target": {}}}, "exactly one of nodes | group | authorities | parachain"),
        ({"duration": "2s", "pause": {"target": {"authorities": "two"}}}, "Unsupported value"),
        ({"duration": "2s", "pause": {"target": {"nodes": ["a-0"], "color": "red"}}}, "color"),
        ({"duration": "2s", "partition": {"sides": [{"nodes": ["a-0"]}]}}, "at least 2 items"),
    ],
)
def test_the_api_server_refuses_what_the_models_refuse(cluster, namespace, spec, message):
    document = experiment(spec)
    document["metadata"]["namespace"] = namespace
    with pytest.raises(ClusterError) as refused:
        cluster.apply(document, dry_run=True)
    assert message in refused.value.message


@pytest.mark.parametrize(
    "spec",
    [
        {"duration": "20s", **PAUSE_ONE},
        {"duration": "90s", "ttl": "1m30s", **CUT},
        {"duration": "1d", "ttl": "25h", **PAUSE_ONE},
    ],
)
def test_the_api_server_takes_what_the_models_take(cluster, namespace, spec):
    document = experiment(spec)
    document["metadata"]["namespace"] = namespace
    assert cluster.apply(document, dry_run=True)["spec"]["seed"] == 1


def test_a_spec_cannot_be_changed_under_way(create, cluster, namespace):
    create("fixed", duration="1s", **PAUSE_ONE).wait("Recovered")
    changed = {**experiment({"duration": "2s", **PAUSE_ONE})}
    changed["metadata"] = {"name": "fixed", "namespace": namespace}
    with pytest.raises(ClusterError, match="spec cannot be changed"):
        cluster.apply(changed)


def test_the_definitions_in_the_cluster_are_those_of_the_models(cluster, network):
    for definition in crds():
        found = cluster.get("CustomResourceDefinition", definition["metadata"]["name"])
        assert {c["type"]: c["status"] for c in found["status"]["conditions"]}["Established"] == "True"
        assert "NonStructuralSchema" not in {c["type"] for c in found["status"]["conditions"]}


# The faults


def test_a_paused_node_is_silent_and_comes_back(create, look):
    one = create("pause", duration="4s", **PAUSE_ONE)
    status = one.wait("Active")
    assert status["nodes"] == ["validator-1"]
    assert "stopped, read from the kernel" in status["effect"]
    assert not look.answers("validator-1")
    assert look.finality_moves(), "three of four validators finalise"
    status = one.wait("Recovered")
    assert {c["type"]: c["status"] for c in status["conditions"]} == dict.fromkeys(
        ("Selected", "Injected", "EffectMeasured", "Recovered"), "True"
    )
    until(lambda: look.answers("validator-1"), 10, "validator-1 answers again")


def test_a_blocking_third_stops_finality(create, look):
    one = create("third", duration="8s", pause={"target": {"authorities": "blocking-third"}}, seed=3)
    (down, *_) = one.wait("Active")["nodes"]
    up = next(name for name in look.nodes if name.startswith("validator") and name not in one.status["nodes"])
    settled = until(lambda: look.finalized(up), 5, "an answer")
    assert look.finalized(up) <= settled + 1
    assert not look.answers(down)
    assert one.wait("Recovered")["targets"] == 2
    until(lambda: look.finality_moves(up), 60, "finality again")


def test_a_partition_of_all_nodes_stops_finality_on_both_sides(create, look):
    one = create("cut", duration="10s", **CUT)
    status = one.wait("Active")
    assert sorted(name for side in status["sides"] for name in side) == sorted(look.nodes)
    assert "across sides time out" in status["effect"]
    stood = [look.finalized("validator-0"), look.finalized("validator-2")]
    until(lambda: one.status["phase"] != "Active", 20, "the duration is over")
    assert max(look.finalized("validator-0"), look.finalized("validator-2")) <= max(stood) + 1
    assert "pass" in one.wait("Recovered")["recovery"]
    until(lambda: look.finality_moves("validator-0") and look.finality_moves("validator-2"), 90, "finality again")


def test_a_killed_pod_is_replaced_and_ready_at_the_end(create, cluster, namespace):
    before = {name: uid_of(cluster, namespace, name) for name in ("validator-2", "validator-3", "collator-0")}
    status = create("kill", duration="1s", kill={"target": {"nodes": ["validator-2", "collator-0"]}}).wait("Recovered")
    after = {name: uid_of(cluster, namespace, name) for name in before}
    assert {name for name in before if before[name] != after[name]} == {"validator-2", "collator-0"}
    assert "2 nodes ready" in status["recovery"]


# Between two stages


def test_a_stage_does_not_begin_while_a_node_is_away(create, cluster, network, access):
    one = create("away", duration="8s", **PAUSE_ONE)
    one.wait("Active")
    event = catchup.wait("next", sources(cluster, network), access, lambda _: None)
    assert event.name == "rung"
    assert one.status["phase"] in {"Recovering", "Recovered"}


# What is refused before anything is placed


def test_a_target_that_is_not_there_is_named(create):
    status = create("nobody", duration="1s", pause={"target": {"nodes": ["validator-9"]}}).wait("Failed")
    assert status["cause"] == "there is no node validator-9"
    assert "ledger" not in status or not status["ledger"]


def test_a_node_has_one_fault_of_a_kind_at_a_time(create):
    first = create("first", duration="6s", **PAUSE_ONE)
    first.wait("Active")
    second = create("second", duration="1s", **PAUSE_ONE).wait("Failed")
    assert "experiment first has a pause on validator-1 already" in second["cause"]
    first.wait("Recovered")


# Whoever dies


def test_deleting_the_object_recovers_first(create, look):
    one = create("deleted", duration="5m", **PAUSE_ONE)
    one.wait("Active")
    one.delete()
    one.gone()
    until(lambda: look.answers("validator-1"), 5, "validator-1 answers again")


def test_a_killed_controllers_successor_ends_the_experiment(create, cluster, namespace, look):
    one = create("orphan", duration="12s", **CUT)
    one.wait("Active")
    old = pod_of(cluster, namespace, "controller")
    cluster.delete("Pod", old["metadata"]["name"], namespace, grace=0)
    status = one.wait("Recovered", seconds=60)
    assert pod_of(cluster, namespace, "controller")["metadata"]["uid"] != old["metadata"]["uid"]
    assert status["confirmedAt"] < status["recoverStartedAt"] < status["expiresAt"]
    until(look.finality_moves, 60, "finality again")


def test_with_no_controller_left_the_agents_keep_the_limit(create, cluster, namespace, look):
    one = create("alone", duration="6s", ttl="10s", **PAUSE_ONE)
    one.wait("Active")
    cluster.patch("Deployment", "coalmine-controller", namespace, {"spec": {"replicas": 0}})
    try:
        until(lambda: not cluster.list("Pod", namespace, "app.kubernetes.io/component=controller"), 30, "it is gone")
        until(lambda: look.answers("validator-1"), 20, "validator-1 answers again")
        assert one.status["phase"] == "Active", "nobody was there to write"
    finally:
        cluster.patch("Deployment", "coalmine-controller", namespace, {"spec": {"replicas": 1}})
    one.wait("Recovered", "Failed")


def test_a_replaced_agent_leaves_no_fault_and_the_controller_places_it_again(create, cluster, namespace, look):
    one = create("agent", duration="5m", **PAUSE_ONE)
    one.wait("Active")
    old = pod_of(cluster, namespace, "agent")["metadata"]
    cluster.delete("Pod", old["name"], namespace, grace=0)
    agents = "app.kubernetes.io/component=agent"
    until(
        lambda: {p["metadata"]["uid"] for p in cluster.list("Pod", namespace, agents)} - {old["uid"]}, 30, "a new one"
    )
    until(lambda: one.condition("EffectMeasured")["status"] == "True" and not look.answers("validator-1"), 60, "again")
    one.delete()
    one.gone()
    until(lambda: look.answers("validator-1"), 10, "validator-1 answers again")


def test_a_replaced_pod_is_paused_again(create, cluster, namespace, look):
    one = create("again", duration="5m", **PAUSE_ONE)
    one.wait("Active")
    old = uid_of(cluster, namespace, "validator-1")
    cluster.delete("Pod", "validator-1", namespace, grace=0)
    until(lambda: uid_of(cluster, namespace, "validator-1") not in {None, old}, 60, "the successor")
    new = uid_of(cluster, namespace, "validator-1")

    def placed():
        (entry,) = one.status["ledger"]
        return entry["podUid"] == new and entry.get("placedAt")

    until(placed, 60, "the successor is paused")
    assert not look.answers("validator-1")
    one.delete()
    one.gone()
    until(lambda: look.answers("validator-1"), 10, "validator-1 answers again")
