"""Between two stages: who has not caught up, and that the next stage is not kept waiting for ever."""

from types import SimpleNamespace

import pytest

from orchestrator.errors import ChainError
from orchestrator.journal import Reading, Target
from orchestrator.run import catchup
from tests.unit.gates.synthetic import NODES


def read(node, chain, finalized):
    told = {"error": f"{node}: timed out"} if finalized is None else {"finalized": finalized}
    return Reading(target=Target(node=node, chain=chain), **told)


@pytest.mark.parametrize(
    ("heights", "found"),
    [
        pytest.param({}, {}, id="nobody is asked"),
        pytest.param({("a", "relay"): 51, ("b", "relay"): 51}, {}, id="level"),
        pytest.param({("a", "relay"): 51, ("b", "relay"): 50}, {}, id="one block is under way"),
        pytest.param(
            {("a", "relay"): 51, ("b", "relay"): 48}, {"b": "has finalised block 48 of 51 of relay"}, id="one behind"
        ),
        pytest.param({("a", "relay"): 51, ("b", "nest"): 20}, {}, id="each chain by itself"),
        pytest.param(
            {("a", "relay"): 51, ("b", "nest"): 20, ("c", "nest"): 20, ("b", "relay"): 40},
            {"b": "has finalised block 40 of 51 of relay"},
            id="the relay node inside a collator",
        ),
        pytest.param({("a", "relay"): 51, ("b", "relay"): None}, {"b": "b: timed out"}, id="no answer is not level"),
        pytest.param({("a", "relay"): None}, {"a": "a: timed out"}, id="nobody answers"),
    ],
)
def test_who_has_not_caught_up(heights, found):
    assert catchup.behind(read(node, chain, height) for (node, chain), height in heights.items()) == found


class Chains:
    """validator-3 lacks blocks at the first looks, or answers at none."""

    def __init__(self, *late):
        self.late = list(late)

    def finalized_height(self, node, chain):
        if node != "validator-3":
            return 51 if chain == "relay" else 20
        height = self.late.pop(0) if self.late else 51
        if height is None:
            raise ChainError("validator-3: timed out")
        return height


class Time:
    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


def waited(chains):
    said = []
    access = SimpleNamespace(nodes=[SimpleNamespace(name="validator-3")], logs=lambda _: ["all is well"])
    event = catchup.wait("cut", SimpleNamespace(nodes=NODES, chains=chains), access, said.append, Time())
    return event, said


def test_a_stage_waits_for_the_node_that_the_one_before_stopped():
    event, said = waited(Chains(41, None, 48))
    assert (event.name, event.stage) == ("rung", "cut")
    assert event.detail == {"rung": "all nodes have caught up", "seconds": 1.5}
    assert said == ["all nodes have caught up (1.5 s)"]


def test_a_node_that_stays_behind_is_named_and_the_stage_begins():
    event, said = waited(Chains(*[48] * 1000))
    assert (event.name, event.stage) == ("nodes.behind", "cut")
    cause = "all nodes have caught up: not within 120 s: validator-3 (has finalised block 48 of 51 of relay)"
    assert event.detail == {"cause": cause}
    assert said[-1] == f"{cause}; stage cut begins anyway"
