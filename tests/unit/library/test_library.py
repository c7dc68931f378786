"""The library: every gate is one, says why, and can be asked of the networks that it is for."""

import pytest

from orchestrator.errors import SpecError
from orchestrator.gates.library import LIBRARY, expand
from orchestrator.journal import Node
from orchestrator.metrics.check import check
from orchestrator.metrics.exposed import Endpoint, doubts
from orchestrator.spec.load import load
from tests.unit.library import documents
from tests.unit.metrics.pages import recorded_page, simulated_page

INTENTS = [
    "baseline",
    "under-minority-fault",
    "must-stall-and-recover",
    "relay-upgrade",
    "parachain-upgrade",
    "long-soak",
]


@pytest.fixture
def loaded(tmp_path):
    def build(*stages, **network):
        file = documents.written(tmp_path, documents.network(**network), documents.rehearsal(*stages))
        return load([file], checks=[check], expand=expand)

    return build


def gates_of(loaded):
    (stage,) = loaded.rehearsal().spec.stages
    return {gate.name: gate for gate in stage.gates}


def test_there_is_a_set_for_each_intent():
    assert list(LIBRARY.sets) == INTENTS


@pytest.mark.parametrize("name", LIBRARY.gates)
class TestEveryGate:
    def test_says_why_and_where_its_numbers_come_from(self, name):
        gate = LIBRARY.gates[name]
        assert gate.why.endswith(".")
        assert gate.source.endswith(".")

    def test_has_its_threshold_once(self, name):
        """Scaled to the network, or the same everywhere."""
        gate = LIBRARY.gates[name]
        scaled = gate.scaled.model_dump(exclude_none=True)
        fixed = [word for word in gate.gate if word in THRESHOLDS]
        assert len(scaled) + len(fixed) == 1

    def test_can_be_used_alone(self, name, loaded):
        """In a stage with all that it may wait for."""
        what = (
            documents.DISTURBANCE["relay-upgrade"] if "upgrade." in str(LIBRARY.gates[name].gate) else documents.FAULT
        )
        found = loaded(documents.stage({"use": name}, **what), client="polkadot")
        assert [gate.removesuffix("-2000") for gate in gates_of(found)] == [name]


THRESHOLDS = {
    "atLeast", "atMost", "between", "equals", "increasesBy", "ratePerMinute", "stalls", "progresses", "recoversWithin",
    "noWorseThan", "agrees",
}  # fmt: skip


@pytest.mark.parametrize("name", LIBRARY.sets)
class TestEverySet:
    def test_is_about_something(self, name):
        assert LIBRARY.sets[name].about.endswith(".")

    def test_is_whole_on_a_real_network(self, name, loaded):
        found = loaded(documents.of_set(name), client="polkadot")
        assert not found.rehearsal().spec.stages[0].left_out
        assert {gate.removesuffix("-2000") for gate in gates_of(found)} == {
            here for here, *_ in LIBRARY.sets[name].gates()
        }

    def test_can_be_answered_by_a_real_network(self, name, loaded):
        """No gate reads a name that the recorded pages of validators and collators do not have."""
        clients = ("polkadot-1.25.1", "polkadot-omni-node-0.24.0", "relay-in-omni-node-0.24.0")
        nodes, pages = _network(*map(recorded_page, clients))
        found = doubts(
            [(name, gate) for gate in gates_of(loaded(documents.of_set(name), client="polkadot")).values()],
            nodes,
            pages,
        )
        assert not found

    def test_asks_the_simulated_client_for_nothing_that_it_lacks(self, name, loaded):
        nodes, pages = _network(simulated_page("validator"), simulated_page("collator"), simulated_page("embedded"))
        found = loaded(documents.of_set(name))
        assert not doubts([(name, gate) for gate in gates_of(found).values()], nodes, pages)

    def test_names_what_it_leaves_out_and_why(self, name, loaded):
        (stage,) = loaded(documents.of_set(name)).rehearsal().spec.stages
        assert {gate.name for gate in stage.gates} | set(stage.left_out) >= {
            here for here, *_ in LIBRARY.sets[name].gates()
        }
        assert all(stage.left_out.values())

    def test_needs_no_parachain(self, name, loaded):
        if name == "parachain-upgrade":
            pytest.skip("it is about one")
        (stage,) = loaded(documents.of_set(name), client="polkadot", parachains=0).rehearsal().spec.stages
        assert not [gate for gate in stage.gates if (gate.signal or "").startswith("parachain-height")]


def _network(relay, parachain, embedded):
    nodes = (
        Node(name="validator-0", chain="relay", group="validator", role="validator", ordinal=0),
        Node(name="collator-0", chain="nest", group="collator", role="collator", ordinal=0),
    )
    pages = {
        Endpoint("validator", "relay"): relay,
        Endpoint("collator", "nest"): parachain,
        Endpoint("collator", "relay"): embedded,
    }
    return nodes, pages


def test_collators_without_a_relay_node_count_no_collations(tmp_path):
    """Only the relay node within a collator has the counters."""
    network = documents.network("polkadot")
    network["spec"]["parachains"][0]["relay"] = "rpc"
    file = documents.written(tmp_path, network, documents.rehearsal(documents.of_set("baseline")))
    (stage,) = load([file], checks=[check], expand=expand).rehearsal().spec.stages
    assert stage.left_out == {"collations-made": "no node of the network has the signal collations-generated"}


class TestThresholdsFollowTheNetwork:
    def test_in_slots(self, loaded):
        gate = gates_of(loaded(documents.stage({"use": "blocks-on-pace"}), slot="2s"))["blocks-on-pace"]
        assert gate.at_most == pytest.approx(2.68)

    def test_in_time(self, loaded):
        gate = gates_of(loaded(documents.stage({"use": "finality-progresses"}), slot="2s"))["finality-progresses"]
        assert gate.progresses == 12.0

    @pytest.mark.parametrize(("session", "rate"), [(10, 3.6), (4, 3.0), (600, 3.99)])
    def test_without_the_blocks_that_change_the_session(self, loaded, session, rate):
        """Such a block has no candidates: of ten blocks a minute, nine may have one."""
        found = loaded(documents.stage({"use": "parachain-inclusion-rate"}), sessionBlocks=session)
        assert gates_of(found)["parachain-inclusion-rate"].rate_per_minute.at_least == pytest.approx(rate, abs=0.01)

    @pytest.mark.parametrize(("validators", "rate"), [(4, 1.25), (10, 0.5)])
    def test_in_slots_of_each_author(self, loaded, validators, rate):
        gate = gates_of(loaded(documents.stage({"use": "every-author-authors"}), validators=validators))
        assert gate["every-author-authors"].rate_per_minute.at_least == rate

    @pytest.mark.parametrize(("validators", "peers"), [(2, 2), (4, 3), (20, 6), (300, 6)])
    def test_in_peers_that_a_node_keeps(self, loaded, validators, peers):
        """Two collators' relay nodes are peers too; beyond its eight outgoing ones a node need have none."""
        found = loaded(documents.stage({"use": "peers-as-expected"}), validators=validators)
        assert gates_of(found)["peers-as-expected"].at_least == peers

    def test_in_memory(self, loaded):
        found = loaded(documents.stage({"use": "memory-in-limit"}), client="polkadot")
        assert gates_of(found)["memory-in-limit"].at_most == round(0.9 * 3 * 2**30)

    def test_for_each_parachain(self, loaded):
        found = loaded(documents.stage({"use": "upward-backlog"}), client="polkadot", parachains=2)
        assert {name: gate.on.chain for name, gate in gates_of(found).items()} == {
            "upward-backlog-2000": "nest", "upward-backlog-2001": "nest1",
        }  # fmt: skip


class TestAnOverride:
    def test_changes_a_threshold_of_another_kind(self, loaded):
        use = {"use": "baseline", "override": {"finality-close": {"atMost": 9}, "blocks-come": {"increasesBy": 3}}}
        gates = gates_of(loaded(documents.stage(use)))
        assert gates["finality-close"].at_most == 9
        assert gates["finality-close"].tolerate == 0.05
        assert (gates["blocks-come"].increases_by, gates["blocks-come"].progresses) == (3, None)

    def test_leaves_gates_away(self, loaded):
        all_, fewer = (
            gates_of(loaded(documents.stage({"use": "baseline", **how}))) for how in ({}, {"without": ["one-chain"]})
        )
        assert all_.keys() - fewer.keys() == {"one-chain"}

    def test_stands_beside_gates_of_ones_own(self, loaded):
        own = {"name": "mine", "signal": "peers", "atLeast": 1}
        gates = gates_of(loaded(documents.stage(own, {"use": "one-chain"}, {**own, "name": "mine-too"})))
        assert list(gates) == ["mine", "one-chain", "mine-too"]


class TestMistakes:
    def told(self, folder, *gates):
        file = documents.written(folder, documents.network(), documents.rehearsal(documents.stage(*gates)))
        with pytest.raises(SpecError) as error:
            load([file], checks=[check], expand=expand)
        lines = file.read_text().splitlines()
        return [(mistake.message, lines[mistake.line - 1].strip(" -")) for mistake in error.value.mistakes]

    def test_all_at_once_each_at_its_line(self, tmp_path):
        found = self.told(
            tmp_path,
            {"use": "one-chian"},
            {"use": "baseline", "extra": 1},
            {"use": "baseline", "without": ["no-such"], "override": {"never": {"atMost": 1}}},
            {"name": "mine", "signal": "up", "atMost": 1, "form": 1},
            {"use": "peers-as-expected", "override": {"peers-as-expected": {"atMots": 1}}},
        )
        assert [(said.split("; the sets")[0], line) for said, line in found] == [
            ("no set or gate one-chian in the library", "use: one-chian"),
            ("no such field", "extra: 1"),
            ("baseline has no gate no-such", "no-such"),
            ("baseline has no gate never", "never:"),
            ("no such field; did you mean for?", "form: 1"),
            ("no such field; did you mean atMost?", "atMots: 1"),
        ]

    def test_of_a_signal_at_the_line_of_the_use(self, tmp_path):
        found = self.told(
            tmp_path, {"use": "peers-as-expected", "override": {"peers-as-expected": {"signal": "pears"}}}
        )
        assert [line for said, line in found if said.startswith("no signal pears")] == ["signal: pears"]

    def test_one_gate_twice(self, tmp_path):
        ((said, _),) = self.told(tmp_path, {"use": "baseline"}, {"use": "one-chain"})
        assert "two gates are called one-chain" in said

    def test_a_set_for_another_intent(self, tmp_path):
        ((said, _),) = self.told(tmp_path, {"use": "must-stall-and-recover"})
        assert "waits for inject.confirmed, but the stage has no experiment" in said


def test_what_needs_no_library_needs_none(tmp_path):
    file = documents.written(
        tmp_path, documents.network(), documents.rehearsal(documents.stage({"name": "g", "signal": "up", "equals": 1}))
    )
    assert load([file]).rehearsals == load([file], expand=expand).rehearsals
