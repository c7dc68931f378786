"""Whatever happens, an experiment ends and leaves nothing in place. Hypothesis chooses what happens and when.

Left out: an agent's machine that dies for good with a fault on it; there is nobody to ask, and nothing left to recover.
"""

import copy
import functools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaos import plan
from chaos.scene import ActionOutcome
from tests.budget import TIMES, schedules

from .simulation import FAULTS, quickstart, spec

EVENTS = ("tick", "crash after write", "crash after actions", "replace", "restart", "agent down", "agent up", "forget")


@settings(deadline=None, max_examples=schedules(50))
@given(
    fault=st.sampled_from(sorted(FAULTS)),
    events=st.lists(st.tuples(st.sampled_from(EVENTS), st.integers(0, 6)), max_size=60),
    deleted_at=st.one_of(st.none(), st.integers(0, 60)),
)
def test_every_experiment_ends_and_leaves_nothing_in_place(fault, events, deleted_at):
    simulation = quickstart(spec(**FAULTS[fault]))
    names = list(simulation.nodes)
    for index, (event, number) in enumerate(events):
        simulation.deleted = simulation.deleted or index == deleted_at
        disturb(simulation, event, names[number])
    for agent in simulation.agents.values():
        agent.alive = True
    status = simulation.run()
    assert status.phase in plan.ENDS
    assert simulation.in_place() == {}
    order = ["Pending", "Injecting", "Active", "Recovering", "Recovered"]
    walked = [order.index(phase) for phase in simulation.phases if phase != "Failed"]
    assert walked == sorted(walked), "a phase was gone back to"


def disturb(simulation, event, name):
    agent = simulation.agents[simulation.nodes[name].machine]
    if event == "replace" and name not in simulation.replaced:
        simulation.replace_pod(name)
    elif event == "restart" and simulation.nodes[name].container_id:
        simulation.restart_container(name)
    elif event == "agent down":
        agent.alive = False
    elif event == "agent up":
        agent.alive = True
    elif event == "forget":
        agent.faults.clear()
    simulation.tick(crash_after_write=event == "crash after write", crash_after_actions=event == "crash after actions")


@pytest.mark.parametrize("when", ["crash_after_write", "crash_after_actions"])
@pytest.mark.parametrize("at", range(0, 60, 4 if TIMES == 1 else 1))
@pytest.mark.parametrize("fault", FAULTS)
def test_a_controller_that_dies_at_any_step_goes_on_to_recovered(fault, at, when):
    simulation = quickstart(spec(**FAULTS[fault]))
    for _ in range(at):
        simulation.tick()
    simulation.tick(**{when: True})
    assert simulation.run().phase == "Recovered"
    assert simulation.in_place() == {}


@pytest.mark.parametrize("fault", ["pause", "partition"])
@pytest.mark.parametrize("at", range(0, 50, 3))
def test_with_the_controller_gone_for_good_the_agents_end_the_fault_in_time(fault, at):
    simulation = quickstart(spec(**FAULTS[fault]))
    for _ in range(at):
        simulation.tick()
    simulation.now = simulation.status.expires_at or simulation.now
    simulation.keep_time()
    assert simulation.in_place() == {}


@functools.cache
def _in_phase(fault, phase):
    """An experiment that has come to a phase; `Failed` is one that has come to its end."""
    simulation = quickstart(spec(**FAULTS[fault]))
    simulation.run(until={phase} if phase != "Pending" else {"Injecting"})
    if phase == "Pending":
        simulation.written = {}
    return simulation


@pytest.mark.parametrize("phase", ["Pending", "Injecting", "Active", "Recovering", "Recovered", "Failed"])
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("nodes", ["all", "none"])
@pytest.mark.parametrize("agents", ["alive", "silent", "none"])
@pytest.mark.parametrize("deleted", [False, True])
def test_every_phase_has_a_decision_for_every_observation(phase, fault, nodes, agents, deleted):
    simulation = copy.deepcopy(_in_phase(fault, phase))
    if phase == "Failed":
        simulation.written["phase"] = "Failed"
    simulation.deleted = deleted
    if nodes == "none":
        simulation.nodes = {}
    if agents == "none":
        simulation.agents = {}
    for agent in simulation.agents.values():
        agent.alive = agents == "alive"
    simulation._act = lambda action: ActionOutcome(action, failure="silence")
    assert simulation.run().phase in plan.ENDS
