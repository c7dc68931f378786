"""Before a run: which storage items and events that gates read no runtime has, by the chains' own word."""

import functools
import json
from types import SimpleNamespace

import pytest

from orchestrator.chain import SubstrateReader, runtimes
from orchestrator.chain.rpc import JsonRpc
from orchestrator.errors import ChainError
from orchestrator.run import names, runtime_names
from orchestrator.run.runtime_names import RuntimeName
from orchestrator.runtime.blob import model_blob
from orchestrator.spec import Rehearsal
from orchestrator.spec.runtime import ModelRuntime
from simnode.http import Request
from simnode.rpc import Rpc
from simnode.state.storage import CODE, item
from simnode.testing.explorer import network
from tests.unit.chain.recordings import RecordedNode, decoded, metadata
from tests.unit.gates.building import gate, node_of
from tests.unit.metrics.pages import simulated_text

NODES = tuple(node_of(name) for name in ("validator-0", "validator-1", "collator-0", "collator-1"))


@functools.cache
def simulated():
    """A simulated network after a minute, in which a parachain and its relay chain made blocks."""
    relay, para = (model_blob(ModelRuntime(spec_name=name, spec_version=1)) for name in ("relay", "para"))
    net = network(1, validators=4, code=relay, para_code=para, collators=1)
    net.run(60)
    return net


def simnode(chain):
    """The RPC of a simnode, without sockets."""
    node = simulated().sites["v0"].relay if chain == "relay" else simulated().sites["c0"].para
    rpc = Rpc(node, None, SimpleNamespace(name=chain, data={}), keys=frozenset(), changed=lambda: None)
    return JsonRpc(lambda body: rpc.handle(Request("POST", "/", body, local=False)).body, node="simnode")


def real(chain):
    return RecordedNode(metadata("westend-1025002" if chain == "relay" else "penpal-1"), spec_name=chain)


class Silent:
    def call(self, *_):
        raise ChainError("no answer in time")


class Other:
    """A node of another kind."""

    node = "other"

    def call(self, method, *_):
        return {"methods": ["eth_blockNumber"]} if method == "rpc_methods" else "geth"


@pytest.fixture(autouse=True)
def _decoded_once(monkeypatch):
    monkeypatch.setattr(runtimes, "_CACHE", runtimes._Cache())
    monkeypatch.setattr(runtimes, "Metadata", decoded)


class Access:
    """Nodes whose RPC is made by `made`, of the chain's name; those in `silent` do not answer."""

    def __init__(self, made, silent=()):
        self.nodes, self.made, self.silent, self.asked = NODES, made, silent, []

    def reader(self, node):
        self.asked.append(node.name)
        return SubstrateReader(Silent() if node.name in self.silent else self.made(node.chain))

    def metrics(self, node, *, chain=None):
        return simulated_text("validator" if node.chain == "relay" else "collator" if chain is None else "embedded")


def storage(pallet, item, **words):
    return gate(name="of-storage", storage={"pallet": pallet, "item": item}, **({"agrees": True} | words))


def events(pallet, name, **words):
    return gate(name="of-events", chainEvents={"pallet": pallet, "name": name}, atMost=0, **words)


def checked(made, *gates, silent=()):
    return runtime_names.check([("a", one) for one in gates], NODES, Access(made, silent))


NEST, RELAY = {"on": {"chain": "nest"}}, {"on": {"chain": "relay"}}


class TestANameOfARuntime:
    @pytest.mark.parametrize("made", [simnode, real])
    def test_that_is_there_is_no_doubt(self, made):
        found, doubts = checked(
            made,
            storage("Timestamp", "Now", **RELAY),
            storage("ParachainSystem", "PendingValidationCode", **NEST),
            events("ParaInclusion", "CandidateIncluded"),
            events("System", "CodeUpdated", **NEST),
        )
        assert [(name.chain, name.kind, name.name, name.known, name.reason) for name in found] == [
            ("relay", "storage", "Timestamp.Now", True, ""),
            ("nest", "storage", "ParachainSystem.PendingValidationCode", True, ""),
            ("relay", "event", "ParaInclusion.CandidateIncluded", True, ""),
            ("nest", "event", "System.CodeUpdated", True, ""),
        ]
        assert doubts == ()

    @pytest.mark.parametrize(("made", "whose"), [(simnode, "the simulated runtime"), (real, "the runtime")])
    def test_that_is_misspelt_is_told_with_the_nearest(self, made, whose):
        found, doubts = checked(made, storage("Timestamp", "Nwo", **RELAY), events("system", "codeUpdated", **NEST))
        assert [(name.chain, name.known) for name in found] == [("relay", False), ("nest", False)]
        assert found[0].reason == f"{whose} has no storage Timestamp.Nwo; near are Timestamp.Now"
        assert f"{whose} has no event system.codeUpdated; near are System.CodeUpdated" in found[1].reason
        assert [(doubt.gate, doubt.certain) for doubt in doubts] == [("of-storage", True), ("of-events", True)]
        assert str(doubts[0]) == f"a / of-storage will be inconclusive: relay: {found[0].reason}"

    @pytest.mark.parametrize("made", [simnode, real])
    def test_of_one_chain_is_not_one_of_another(self, made):
        found, _ = checked(made, storage("Paras", "Heads"))
        assert {name.chain: name.known for name in found} == {"relay": True, "nest": False}

    def test_that_the_model_does_not_store_is_told_though_real_chains_have_it(self):
        assert [name.known for name in checked(simnode, storage("System", "Number", **RELAY))[0]] == [False]
        assert [name.known for name in checked(real, storage("System", "Number", **RELAY))[0]] == [True]

    def test_is_an_event_or_a_storage_item_and_not_the_other(self):
        found, _ = checked(real, storage("System", "CodeUpdated", **RELAY), events("System", "Number"))
        assert [name.known for name in found] == [False, False]


class TestAChainThatDoesNotTell:
    @pytest.mark.parametrize(
        ("made", "reason"), [(lambda _: Silent(), "no answer in time"), (lambda _: Other(), "runs geth")]
    )
    def test_leaves_the_name_unknown_with_the_reason(self, made, reason):
        (name,), (doubt,) = checked(made, storage("Timestamp", "Now", **RELAY))
        assert (name.known, doubt.certain) == (None, False)
        assert name.reason.startswith("whether it has storage Timestamp.Now is unknown: ")
        assert reason in name.reason

    def test_is_asked_by_another_node(self):
        (name,), _ = checked(simnode, storage("Timestamp", "Now", **RELAY), silent={"validator-0"})
        assert name.known

    def test_has_no_node(self):
        (name,), _ = checked(simnode, events("System", "CodeUpdated", on={"chain": "nset"}))
        assert name == RuntimeName(
            "nset", "System.CodeUpdated", "event", None,
            "whether it has event System.CodeUpdated is unknown: nset has no node to ask",
        )  # fmt: skip


def test_each_chain_is_asked_once_and_no_chain_if_no_gate_reads_names():
    access = Access(simnode)
    runtime_names.check([("a", events("System", name)) for name in ("A", "B")], NODES, access)
    runtime_names.check([("a", gate(chainRead="session", atLeast=0))], NODES, access)
    assert access.asked == ["validator-0"]


@pytest.mark.parametrize(
    ("one", "selects"),
    [
        (gate(chainRead="session", atLeast=0, on={"group": "validators"}), False),
        (gate(pods="ready", equals=1, on={"node": "validator-9"}), False),
        (gate(logs={"pattern": "x"}, atMost=0, on={"chain": "nset"}), False),
        (gate(promql="x{$selector}", atMost=0, on={"role": "no"}), False),
        (events("System", "CodeUpdated", on={"chain": "nset"}), False),
        (events("System", "CodeUpdated", on={"chain": "nest"}), True),
        (gate(chainRead="session", atLeast=0), True),
        (gate(measured={"detail": {"event": "stage.start", "field": "x"}}, atMost=0), True),
    ],
)
def test_a_gate_that_selects_no_node_is_told(one, selects):
    found = [(doubt.gate, doubt.reason, doubt.certain) for doubt in runtime_names.nobody([("a", one)], NODES)]
    assert found == ([] if selects else [(one.name, "its `on` selects no node", True)])


def test_the_model_has_no_key_and_no_event_that_it_does_not_tell():
    for chain in ("relay", "nest"):
        told = simnode(chain).call("coalmine_names")
        prefixes = {item(*name.split(".")) for name in told["storage"]}
        node = simulated().sites["v0"].relay if chain == "relay" else simulated().sites["c0"].para
        assert {key[:32] for key in node.best_state.values} - {CODE} <= prefixes


def test_all_of_it_is_said_and_recorded():
    gates = [
        {"name": "typo", "storage": {"pallet": "Timestamp", "item": "Nwo"}, "agrees": True, "on": {"chain": "relay"}},
        {"name": "nobody", "chainRead": "session", "atLeast": 0, "on": {"group": "no"}},
    ]
    spec = {"testnet": "t", "stages": [{"name": "a", "hold": "1s", "gates": gates}]}
    rehearsal = Rehearsal.model_validate({"kind": "Rehearsal", "metadata": {"name": "r"}, "spec": spec})
    said = []
    event = names.check(rehearsal, NODES, Access(simnode), said.append)
    detail = json.loads(event.model_dump_json())["detail"]
    assert detail["runtime"] == [
        {
            "chain": "relay",
            "name": "Timestamp.Nwo",
            "kind": "storage",
            "known": False,
            "reason": "the simulated runtime has no storage Timestamp.Nwo; near are Timestamp.Now",
        }
    ]
    assert [doubt["gate"] for doubt in detail["doubts"]] == ["nobody"]
    assert sorted(detail["endpoints"]) == sorted(detail["versions"])
    assert len(detail["endpoints"]) == 3
    assert said[0] == "names: of 2 gates, 2 will be inconclusive, because nodes lack what they read"
    assert "Timestamp.Nwo; near are Timestamp.Now" in " ".join(said)
