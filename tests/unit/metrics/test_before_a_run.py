"""The check of names as a run does it: pages of simnodes are asked for, the answer is said, kept, and caps verdicts."""

from dataclasses import dataclass, replace
from types import MappingProxyType

import pytest

from orchestrator.errors import ChainError
from orchestrator.gates.names import CHECKED
from orchestrator.journal import Event, Node, Verdict
from orchestrator.run import names
from orchestrator.spec import Rehearsal
from tests.unit.gates.building import gate, measured, series
from tests.unit.metrics.pages import simulated_text

NODES = (
    Node(name="validator-0", chain="relay", group="validator", role="validator", ordinal=0),
    Node(name="validator-1", chain="relay", group="validator", role="validator", ordinal=1),
    Node(name="collator-0", chain="nest", group="collator", role="collator", ordinal=0),
)


@dataclass
class Pages:
    """Stands where `Access` does: its nodes, and the page that each would show through the API server."""

    nodes: tuple[Node, ...]
    asked: list[tuple[str, str | None]]
    away: str = ""

    def metrics(self, node, *, chain=None):
        self.asked.append((node.name, chain))
        if node.name == self.away:
            raise ChainError(f"{node.name}: no answer in time")
        if node.chain == "relay":
            return simulated_text("validator")
        return simulated_text("collator" if chain is None else "embedded")


@pytest.fixture
def check():
    def run(*gates, away=""):
        spec = {"testnet": "t", "stages": [{"name": "a-stage", "hold": "1s", "gates": list(gates)}]}
        rehearsal = Rehearsal.model_validate({"kind": "Rehearsal", "metadata": {"name": "r"}, "spec": spec})
        pages, said = Pages(NODES, [], away), []
        event = names.check(rehearsal, NODES, pages, said.append)
        return event, said, pages.asked

    return run


GOOD = {"name": "good", "signal": "best-height", "increasesBy": 1}
ZERO = {"name": "chunks", "signal": "chunk-fetch-failures", "stalls": 0}
TYPO = {"name": "typo", "promql": "substrate_sync_peer{$selector}", "atLeast": 1}


def test_one_node_of_each_group_is_asked_on_each_of_its_chains(check):
    _, _, asked = check(GOOD)
    assert sorted(asked, key=str) == [("collator-0", "relay"), ("collator-0", None), ("validator-0", None)]


def test_a_collator_without_a_relay_node_is_asked_for_its_own_page_only():
    nodes = tuple(node.model_copy(update={"embeds_relay": False}) for node in NODES)
    stage = {"name": "a-stage", "hold": "1s", "gates": [GOOD]}
    document = {"kind": "Rehearsal", "metadata": {"name": "r"}, "spec": {"testnet": "t", "stages": [stage]}}
    pages = Pages(nodes, [])
    event = names.check(Rehearsal.model_validate(document), nodes, pages, lambda _: None)
    assert sorted(pages.asked, key=str) == [("collator-0", None), ("validator-0", None)]
    assert event.detail["doubts"] == []


def test_what_is_there_is_said_to_be_there(check):
    event, said, _ = check(GOOD)
    assert said == ["names: everything that the 1 gates read exists"]
    assert event.detail["doubts"] == []
    assert set(event.detail["versions"]) == {"validator on relay", "collator on nest", "collator on relay"}


def test_what_is_missing_is_said_before_any_stage(check):
    event, said, _ = check(GOOD, ZERO, TYPO)
    assert said[0] == "names: of 3 gates, 2 will be inconclusive, because nodes lack what they read"
    assert "a-stage / typo will be inconclusive" in " ".join(said)
    assert "near are substrate_sync_peers" in " ".join(said)
    assert {doubt["gate"] for doubt in event.detail["doubts"]} == {"chunks", "typo"}


def test_what_the_library_left_out_is_said_too():
    stage = {"name": "a-stage", "hold": "1s", "gates": [GOOD], "leftOut": {"beefy-follows": "nobody has it"}}
    document = {"kind": "Rehearsal", "metadata": {"name": "r"}, "spec": {"testnet": "t", "stages": [stage]}}
    said = []
    names.check(Rehearsal.model_validate(document), NODES, Pages(NODES, []), said.append)
    assert said[0] == "names: a-stage goes without beefy-follows, which this network cannot answer"


def test_a_node_that_does_not_answer_is_no_certainty(check):
    event, said, _ = check(GOOD, away="collator-0")
    assert "0 will be inconclusive" in said[0]
    assert "a-stage / good may be inconclusive: collator on nest: its metrics are unknown" in said[1]
    assert event.detail["unread"]["collator on nest"] == "collator-0: no answer in time"


def test_a_page_of_doubts_is_cut_short_on_the_screen_only(check):
    event, said, _ = check(*({**TYPO, "name": f"typo-{n}"} for n in range(20)))
    assert len(said) < 20
    assert said[-1].endswith("more, in the journal")
    assert len({doubt["gate"] for doubt in event.detail["doubts"]}) == 20


def judged(values, *events, **words):
    """One gate over a validator's values, with what the check of names had said before."""
    return measured(gate(**words), series(values), extra=events).judged()


class TestTheVerdictsAfterwards:
    CHUNKS = MappingProxyType({"signal": "chunk-fetch-failures", "stalls": 0})

    def test_nothing_passes_on_a_zero_that_nobody_counted(self, check):
        """The naive engine sees a perfect zero for a counter which the client does not have."""
        assert judged([0] * 11, **self.CHUNKS).verdict is Verdict.PASSED
        found = judged([0] * 11, check(ZERO)[0], **self.CHUNKS)
        assert found.verdict is Verdict.INCONCLUSIVE
        assert "the simulated client has no polkadot_parachain_fetched_chunks_total" in found.reason

    def test_under_whatever_name_the_gate_is_judged_again(self, check):
        event, *_ = check({**ZERO, "name": "another-name"})
        assert judged([0] * 11, event, **self.CHUNKS).verdict is Verdict.INCONCLUSIVE

    def test_what_failed_stays_failed(self, check):
        assert judged(range(11), check(ZERO)[0], **self.CHUNKS).verdict is Verdict.FAILED

    def test_other_gates_stay_what_they_are(self, check):
        assert judged(range(11), check(ZERO)[0], signal="best-height", increasesBy=1).verdict is Verdict.PASSED

    def test_nothing_passes_on_a_zero_of_a_node_that_did_not_show_its_metrics(self, check):
        event, *_ = check({**ZERO, "on": {"role": "validator"}}, away="validator-0")
        assert event.detail["doubts"]
        assert judged([0] * 11, event, **self.CHUNKS).verdict is Verdict.INCONCLUSIVE

    @pytest.mark.parametrize(
        "event", [Event(name=CHECKED), Event(name=CHECKED, detail={"versions": 3}), Event(name="run.start")]
    )
    def test_nor_where_nobody_checked(self, event):
        one = measured(gate(**self.CHUNKS), series([0] * 11))
        entries = tuple(e for e in one.entries if getattr(e, "name", "") != CHECKED)
        found = replace(one, entries=(*entries, event)).judged()
        assert found.verdict is Verdict.INCONCLUSIVE
        assert "nobody checked before the run" in found.reason
        height = measured(gate(signal="best-height", increasesBy=1), series(range(11)))
        entries = tuple(e for e in height.entries if getattr(e, "name", "") != CHECKED)
        assert replace(height, entries=(*entries, event)).judged().verdict is Verdict.PASSED
