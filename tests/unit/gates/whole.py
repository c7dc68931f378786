"""The synthetic network with all that clients say of themselves: every signal, their pods, their chain's events."""

import yaml

from orchestrator.gates.grid import first_point, last_point, time_of
from orchestrator.gates.kinds import question
from orchestrator.gates.names import CHECKED
from orchestrator.gates.samples.ask import HOLD
from orchestrator.journal import Event, Journal, Row, Samples
from orchestrator.metrics.signals import CATALOGUE
from orchestrator.spec import Selector
from tests.unit.gates import synthetic
from tests.unit.gates.synthetic import NODES, QUICKSTART, SESSION, SLOT, START, Network
from tests.unit.library import documents

HEIGHTS = {"best-height": "best", "block-time": "best", "finalized-height": "final", "parachain-height": "final",
           "finality-lag": "lag"}  # fmt: skip
GAUGES = {
    "leaves": 1, "major-syncing": 0, "transactions-ready": 3, "active-validators": 1, "pvf-pending": 0, "peers": 8,
    "validation-peers-missing": 0, "up": 1, "memory": 2**26, "process-start": START - 5, "approval-lag": 1,
    "cpu-wait": 0.02, "beefy-best": 5, "beefy-lag": 3,
}  # fmt: skip
COUNTERS = {"authored-blocks": 0.25, "grandpa-precommits": 1, "statements-signed": 1, "bitfields-signed": 1,
            "collations-generated": 0.5}  # fmt: skip
"""What grows, and by how much in a slot. Every other counter stays zero."""

SELECTORS = [Selector(chain=chain, role=role) for chain in (None, "relay", "nest") for role in (None, "validator")]
ROLES = {node.name: node for node in NODES}


class Whole(Network):
    """Answers each signal's query on the nodes that carry the signal; others as the synthetic network does."""

    asked = None

    def query_range(self, query, start, end, step, *, lookback=None):
        if query.startswith("max_over_time(up{"):
            self.asked = CATALOGUE["up"]
            return super().query_range(query, start, end, step, lookback=lookback)
        queries = ((signal, signal.query(on, hold=HOLD * step)) for signal in CATALOGUE.values() for on in SELECTORS)
        self.asked = next((signal for signal, text in queries if text == query), None)
        return super().query_range(query, start, end, step, lookback=lookback)

    def value(self, metric, t, node, chain):
        if self.asked is None:
            return super().value(metric, t, node, chain)
        name = self.asked.name
        if not self.asked.carried_by(ROLES[node], chain):
            return None
        if name in HEIGHTS:
            return super().value(HEIGHTS[name], t, node, chain)
        return GAUGES[name] if name in GAUGES else int((t - START) / SLOT * COUNTERS.get(name, 0))

    def happened(self, chain, event, first, last):  # noqa: ARG002
        return "validator-0", range(first, last + 1) if event.name == "CandidateIncluded" else ()

    def polled(self, stage, end):
        """Pods: none was ever restarted."""
        first, last = first_point(START, 1.0), last_point(end, 1.0)
        zeros = (0.0,) * (last - first + 1)
        for asked in (question(gate, NODES, 1.0) for gate in stage.gates if gate.pods):
            rows = tuple(Row(labels={"node": target.node}, values=zeros) for target in asked.targets)
            yield Samples(
                key=asked.key, query=asked.query, first=time_of(first, 1.0), step=1.0, count=len(zeros), rows=rows
            )


def document(*gates, hold="2m"):
    """The quickstart's network, left alone for a while, and these gates over it."""
    network, rehearsal = yaml.safe_load_all(QUICKSTART.read_text().replace("on: {", "'on': {"))
    rehearsal["spec"]["stages"] = [{"name": "calm", "hold": hold, "gates": list(gates)}]
    return yaml.safe_dump_all([network, rehearsal])


def of_real_clients(folder, *gates, hold="2m"):
    """A file with the same network of real clients, as far as a gate can tell."""
    network = documents.network("polkadot", slot=f"{SLOT}s", sessionBlocks=SESSION)
    return documents.written(folder, network, documents.rehearsal(documents.stage(*gates, name="calm", hold=hold)))


def run(file):
    """The journal of a file's rehearsal on that network, whose runtime has been looked at."""
    journal = synthetic.run(network=Whole(), file=file)
    known = [
        {"chain": "relay", "kind": "event", "name": f"ParaInclusion.{name}", "known": True, "reason": ""}
        for name in ("CandidateIncluded", "CandidateTimedOut")
    ]
    return Journal.of(
        entry.model_copy(update={"detail": entry.detail | {"runtime": known}})
        if isinstance(entry, Event) and entry.name == CHECKED
        else entry
        for entry in journal.entries
    )
