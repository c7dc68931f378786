"""The synthetic network with all that a simulated client says of itself: every signal, its pods, its events."""

import yaml

from orchestrator.gates.grid import first_point, last_point, time_of
from orchestrator.gates.kinds import question
from orchestrator.gates.names import CHECKED
from orchestrator.gates.samples.ask import HOLD
from orchestrator.journal import Event, Journal, Row, Samples
from orchestrator.metrics.signals import CATALOGUE
from orchestrator.spec import Selector
from tests.unit.gates import synthetic
from tests.unit.gates.synthetic import NODES, QUICKSTART, SLOT, START, Network

GAUGES = {
    "leaves": 1, "major-syncing": 0, "transactions-ready": 3, "active-validators": 1, "pvf-pending": 0, "peers": 8,
    "validation-peers-missing": 0, "up": 1, "memory": 2**26, "process-start": START - 5, "approval-lag": 1,
    "cpu-wait": 0.02,
}  # fmt: skip
COUNTERS = {"authored-blocks": 0.25, "grandpa-precommits": 1, "statements-signed": 1, "bitfields-signed": 1,
            "collations-generated": 0.5}  # fmt: skip
"""What grows, and by how much in a slot. Every other counter stays zero."""

EVENT = "ParaInclusion.CandidateIncluded"


class Whole(Network):
    """Answers a signal's query by the signal's name, on the nodes that carry it."""

    def query_range(self, query, start, end, step, *, lookback=None):
        self.asked = next(
            (s for s in CATALOGUE.values() for sel in self.selectors() if s.query(sel, hold=HOLD * step) == query), None
        )
        return super().query_range(query, start, end, step, lookback=lookback)

    @staticmethod
    def selectors():
        chains = (None, "relay", "nest")
        return [Selector(chain=chain, role=role) for chain in chains for role in (None, "validator")]

    def value(self, metric, t, node, chain):
        signal = self.asked
        if (
            signal is None
            or metric in {"best", "final", "lag"}
            and signal.name not in GAUGES
            and signal.kind == "gauge"
            and signal.concern in {"blocks", "finality"}
        ):
            return super().value(metric, t, node, chain)
        if not signal.carried_by(next(one for one in NODES if one.name == node), chain):
            return None
        if signal.name in GAUGES:
            return GAUGES[signal.name]
        return int((t - START) / SLOT * COUNTERS.get(signal.name, 0))

    def happened(self, chain, event, first, last):  # noqa: ARG002
        return "validator-0", range(first, last + 1)

    def polled(self, stage, end):
        """Pods: none was ever restarted."""
        for key, asked in {question(g, NODES, 1.0).key: question(g, NODES, 1.0) for g in stage.gates if g.pods}.items():
            first, last = first_point(START, 1.0), last_point(end, 1.0)
            count = last - first + 1
            rows = tuple(Row(labels={"node": target.node}, values=(0.0,) * count) for target in asked.targets)
            yield Samples(key=key, query=asked.query, first=time_of(first, 1.0), step=1.0, count=count, rows=rows)


def document(stages):
    """The quickstart's network with other stages."""
    network, rehearsal = yaml.safe_load_all(QUICKSTART.read_text().replace("on: {", "'on': {"))
    rehearsal["spec"]["stages"] = stages
    return yaml.safe_dump_all([network, rehearsal])


def run(file):
    """The journal of a file's rehearsal on that network."""
    journal = synthetic.run(network=Whole(), file=file)
    found = {"runtime": [{"chain": "relay", "kind": "event", "name": EVENT, "known": True, "reason": ""}]}
    return Journal.of(
        e.model_copy(update={"detail": e.detail | found}) if isinstance(e, Event) and e.name == CHECKED else e
        for e in journal.entries
    )
