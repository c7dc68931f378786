"""How an experiment goes, decided by the pure plan against simulated agents. Property tests are in `test_crashes`."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chaos.faults.partition import PartitionFault
from chaos.scene import AskAgent, DeletePod, Place, ProbeFrom, Scene, World

from .simulation import FAULTS, KILL, PARTITION, PAUSE, quickstart, spec


def condition(status, name):
    return next((c for c in status.conditions if c.type == name), None)


@pytest.mark.parametrize("fault", FAULTS)
def test_an_undisturbed_experiment_goes_through_all_phases_and_leaves_nothing(fault):
    simulation = quickstart(spec(**FAULTS[fault]))
    status = simulation.run()
    pending = ["Pending"] if fault != "kill" else []  # Killing asks no agent, so nothing is waited for.
    assert simulation.phases == [*pending, "Injecting", "Active", "Recovering", "Recovered"]
    assert simulation.in_place() == {}
    assert {c.type: c.status for c in status.conditions} == dict.fromkeys(
        ("Selected", "Injected", "EffectMeasured", "Recovered"), "True"
    )
    assert status.fault == fault
    assert status.cause is None
    assert status.effect
    assert status.recovery


@pytest.mark.parametrize("fault", FAULTS)
def test_the_duration_counts_from_confirmation(fault):
    simulation = quickstart(spec(**FAULTS[fault]))
    status = simulation.run()
    assert status.injected_at < status.confirmed_at < status.recover_started_at <= status.recovered_at
    held = status.recover_started_at - status.confirmed_at
    assert timedelta(seconds=20) <= held <= timedelta(seconds=20.5)


def test_the_ledger_is_written_before_anything_is_placed():
    simulation = quickstart(spec(**PAUSE))
    while not simulation.status.ledger:
        simulation.tick(crash_after_write=False)
    assert not any(isinstance(action, Place) for action in simulation.log)
    assert simulation.status.phase == "Injecting"


def test_each_pod_of_a_partition_drops_all_pods_of_the_other_sides_and_none_of_its_own():
    simulation = quickstart(spec(**PARTITION))
    status = simulation.run(until={"Active"})
    assert sorted(name for side in status.sides for name in side) == sorted(simulation.nodes)
    ips = [{simulation.nodes[name].ip for name in side} for side in status.sides]
    for side, names in enumerate(status.sides):
        for name in names:
            held = simulation.in_place()[simulation.experiment.fault_id(name)]
            assert {str(peer) for peer in held.order.peers} == ips[1 - side]


def test_a_partition_takes_requests_in_the_order_of_its_nodes():
    simulation = quickstart(spec(**PARTITION))
    for index in range(60):
        simulation.add(f"full-{index}", role="full")
    simulation.run(until={"Active"})
    for kind in (Place, ProbeFrom):
        actions = [action for action in simulation.log if isinstance(action, kind)]
        assert len(actions) == len(simulation.nodes)
    assert all(len(a.across) + len(a.within) <= 2 for a in simulation.log if isinstance(a, ProbeFrom))


def test_a_partition_that_leaks_is_never_active():
    simulation = quickstart(spec(**PARTITION))
    simulation.leaking.add(simulation.nodes["validator-0"].ip)
    status = simulation.run()
    assert simulation.phases[-2:] == ["Recovering", "Failed"]
    assert "Active" not in simulation.phases
    assert "reaches" in status.cause
    assert simulation.in_place() == {}


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        pytest.param({"pause": {"target": {"nodes": ["validator-7"]}}}, "no node validator-7", id="unknown node"),
        pytest.param({"pause": {"target": {"group": "archive"}}}, "no such node", id="nobody"),
        pytest.param({"kill": {"target": {"parachain": 3000}}}, "no such node", id="unknown parachain"),
    ],
)
def test_a_target_that_is_not_there_fails_before_anything_is_placed(fault, cause):
    simulation = quickstart(spec(**fault))
    status = simulation.run()
    assert status.phase == "Failed"
    assert cause in status.cause
    assert condition(status, "Selected").reason == "NothingSelected"
    assert simulation.log == []


def test_a_machine_that_cannot_partition_is_found_out_before_anything_is_placed():
    simulation = quickstart(spec(**PARTITION))
    simulation.agents["m1"].unsupported["partition"] = "iptables: no such module"
    status = simulation.run()
    assert status.phase == "Failed"
    assert "no such module" in status.cause
    assert not any(isinstance(action, Place) for action in simulation.log)


def test_two_experiments_do_not_share_a_fault_on_a_node():
    simulation = quickstart(spec(**PARTITION))
    simulation.claims = {"other": frozenset({"validator-2"})}
    status = simulation.run()
    assert status.phase == "Failed"
    assert status.cause == "experiment other has a partition on validator-2 already"


def test_a_machine_without_an_agent_is_waited_for_and_then_named():
    simulation = quickstart(spec(**PAUSE))
    agents = simulation.agents
    simulation.agents = {}
    simulation.tick()
    assert condition(simulation.status, "Selected").reason == "Waiting"
    simulation.agents = agents
    assert simulation.run(until={"Active", "Failed"}).phase == "Active"

    simulation = quickstart(spec(**PAUSE))
    simulation.agents = {}
    status = simulation.run()
    assert (status.phase, "no agent on m" in status.cause) == ("Failed", True)


def test_a_partial_injection_is_taken_back_and_fails():
    simulation = quickstart(spec(**PARTITION))
    simulation.run(until={"Injecting"})
    simulation.agents["m1"].unsupported["partition"] = "the module was unloaded"
    status = simulation.run()
    assert status.phase == "Failed"
    assert "not on this machine" in status.cause
    assert simulation.in_place() == {}


def test_a_cut_that_is_wider_than_asked_for_is_never_active():
    simulation = quickstart(spec(**PARTITION))
    simulation.severed.add(simulation.nodes["validator-0"].ip)
    status = simulation.run()
    assert "Active" not in simulation.phases
    assert "does not reach" in status.cause
    assert "on its own side" in status.cause


def test_a_network_that_stays_cut_after_recovery_is_a_failure():
    simulation = quickstart(spec(**PARTITION))
    simulation.run(until={"Recovering"})
    simulation.severed.add(simulation.nodes["validator-0"].ip)
    status = simulation.run()
    assert status.phase == "Failed"
    assert "recovery was not measured" in status.cause
    assert "does not reach" in status.cause
    assert "recoveredAt" not in simulation.written
    assert simulation.in_place() == {}


def test_a_probe_of_another_address_measures_nothing():
    simulation = quickstart(spec(**PARTITION))
    probes = []
    while not probes:
        simulation.tick()
        probes = [outcome for outcome in simulation.outcomes if isinstance(outcome.action, ProbeFrom)]
    ledger = simulation.status.ledger
    stale = [replace(o, action=replace(o.action, across=(("10.9.9.9", 30333),))) for o in probes]
    for outcomes, measured in ((probes, True), (stale, False)):
        world = World(nodes=simulation.nodes, agents={}, outcomes=tuple(outcomes))
        scene = Scene(simulation.experiment, simulation.status, world, simulation.now)
        _, effect, _ = PartitionFault().measure(scene, ledger)
        assert (effect is not None) is measured


def test_an_answer_to_an_older_order_does_not_count_as_placed():
    simulation = quickstart(spec(**PARTITION))
    simulation.run(until={"Injecting"})
    simulation.tick()
    placed = [o for o in simulation.outcomes if isinstance(o.action, Place)]
    older = placed[0].answer.model_copy(update={"digest": "0" * 16})
    simulation.outcomes = (replace(placed[0], answer=older), *placed[1:])
    simulation.tick()
    unplaced = [entry.node for entry in simulation.status.ledger if entry.placed_at is None]
    assert unplaced == [placed[0].action.node]


def test_an_injection_that_does_not_come_about_ends_long_before_a_long_hard_limit():
    simulation = quickstart(spec(**PAUSE, ttl="1h"))
    simulation.run(until={"Injecting"})
    for agent in simulation.agents.values():
        agent.alive = False
    status = simulation.run(until={"Recovering"})
    waited = status.recover_started_at - status.injected_at
    assert timedelta(seconds=60) <= waited <= timedelta(seconds=62)


def test_a_fault_that_went_with_its_pod_needs_no_agent_to_recover():
    simulation = quickstart(spec(**PAUSE, ttl="1h"))
    status = simulation.run(until={"Active"})
    for agent in simulation.agents.values():
        agent.alive = False
    simulation.deleted = True
    for name in status.nodes:
        simulation.replace_pod(name)
    assert simulation.run(seconds=30).phase == "Recovered"
    assert "the pod is gone" in simulation.status.recovery


def test_an_agent_that_does_not_answer_ends_the_injection():
    simulation = quickstart(spec(**PARTITION))
    simulation.run(until={"Injecting"})
    simulation.agents["m1"].alive = False
    status = simulation.run(until={"Recovering"})
    assert "no answer" in status.cause
    simulation.agents["m1"].alive = True
    assert simulation.run().phase == "Failed"
    assert simulation.in_place() == {}


@pytest.mark.parametrize("disturbance", ["replace_pod", "restart_container"])
def test_a_replaced_node_is_paused_again_with_the_time_that_is_left(disturbance):
    simulation = quickstart(spec(**PAUSE))
    status = simulation.run(until={"Active"})
    for _ in range(10):
        simulation.tick()
    name = status.nodes[0]
    getattr(simulation, disturbance)(name)
    for _ in range(6):
        simulation.tick()
    held = simulation.in_place()[simulation.experiment.fault_id(name)]
    assert held.order.container_id == simulation.nodes[name].container_id
    assert held.expires <= status.expires_at
    assert condition(simulation.status, "EffectMeasured").status == "True"
    assert simulation.run().phase == "Recovered"
    assert simulation.in_place() == {}


def test_a_replaced_node_is_cut_off_again_and_its_peers_learn_its_new_address():
    simulation = quickstart(spec(**PARTITION))
    simulation.run(until={"Active"})
    simulation.replace_pod("validator-0")
    while not simulation.nodes["validator-0"].running:
        simulation.log.clear()
        simulation.tick()
    placings = {action.node for action in simulation.log if isinstance(action, Place)}
    assert placings == set(simulation.nodes), "at the first sight of the successor"
    for _ in range(5):
        simulation.tick()
    status = simulation.status
    new = simulation.nodes["validator-0"]
    assert all(simulation.cut(new, simulation.nodes[name].ip) for name in status.sides[1])
    for name in status.sides[1]:
        peers = simulation.in_place()[simulation.experiment.fault_id(name)].order.peers
        assert new.ip in {str(peer) for peer in peers}
    assert condition(status, "EffectMeasured").status == "True"
    assert simulation.run().phase == "Recovered"


def test_a_fault_that_its_agent_forgot_is_placed_again():
    simulation = quickstart(spec(**PAUSE))
    status = simulation.run(until={"Active"})
    for agent in simulation.agents.values():
        agent.faults.clear()
    simulation.tick()
    simulation.tick()
    simulation.tick()
    assert len(simulation.in_place()) == len(status.nodes)


def test_a_fault_that_was_missing_at_its_end_is_a_failure():
    simulation = quickstart(spec(**PAUSE))
    status = simulation.run(until={"Active"})
    del simulation.nodes[status.nodes[0]]
    status = simulation.run()
    assert status.phase == "Failed"
    assert "at its end the fault was not in place" in status.cause


@pytest.mark.parametrize("phase", ["Pending", "Injecting", "Active", "Recovering"])
@pytest.mark.parametrize("fault", FAULTS)
def test_deleting_the_object_recovers_first(fault, phase):
    simulation = quickstart(spec(**FAULTS[fault]))
    if phase != "Pending":
        simulation.run(until={phase})
    simulation.deleted = True
    assert simulation.run().phase == "Recovered"
    assert simulation.in_place() == {}


def test_the_hard_limit_ends_a_fault_whose_duration_is_not_over():
    simulation = quickstart(spec(**PAUSE, ttl="20s"))
    status = simulation.run()
    assert status.phase == "Failed"
    assert "hard limit of 20s" in status.cause
    assert simulation.in_place() == {}


def test_recovery_waits_for_an_agent_until_the_agents_own_limit_and_then_says_so():
    simulation = quickstart(spec(**PAUSE))
    status = simulation.run(until={"Active"})
    for agent in simulation.agents.values():
        agent.alive = False
    status = simulation.run()
    assert status.phase == "Failed"
    assert "recovery was not measured" in status.cause
    assert simulation.now > status.expires_at
    for agent in simulation.agents.values():
        agent.alive = True
    simulation.tick()
    assert simulation.in_place() == {}


def test_killing_deletes_each_pod_once_and_waits_until_its_successor_is_ready():
    simulation = quickstart(spec(**KILL))
    before = {name: simulation.nodes[name].pod_uid for name in simulation.nodes}
    status = simulation.run()
    assert status.phase == "Recovered"
    deleted = [action for action in simulation.log if isinstance(action, DeletePod)]
    assert sorted(action.node for action in deleted) == ["validator-0", "validator-3"]
    changed = {name for name in before if simulation.nodes[name].pod_uid != before[name]}
    assert changed == {"validator-0", "validator-3"}


def test_a_pod_that_never_becomes_ready_again_is_a_failure():
    simulation = quickstart(spec(**KILL))
    simulation.run(until={"Active"})
    simulation.replaced = {}
    simulation.nodes["validator-0"] = replace(simulation.nodes["validator-0"], ready=False)
    status = simulation.run()
    assert status.phase == "Failed"
    assert "validator-0 is not ready" in status.cause


def test_an_ended_experiment_asks_for_nothing():
    simulation = quickstart(spec(**PAUSE))
    simulation.run()
    simulation.log.clear()
    simulation.tick()
    assert simulation.log == []


def test_while_active_each_machine_is_asked_once_a_step():
    simulation = quickstart(spec(**PARTITION))
    simulation.run(until={"Active"})
    simulation.tick()
    simulation.tick()
    simulation.log.clear()
    simulation.tick()
    assert sorted(a.machine for a in simulation.log if isinstance(a, AskAgent)) == ["m0", "m1"]
    assert len(simulation.log) == 2
