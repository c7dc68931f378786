"""Sources held in memory, and what came of asking them. Each keeps what it was asked."""

from collections import Counter

from orchestrator.errors import ChainError, MetricsError
from orchestrator.gates.assess import assess
from orchestrator.gates.collect import collect
from orchestrator.gates.ports import Lines, Sources
from orchestrator.gates.record import Record
from orchestrator.journal import Event, Samples, Series
from orchestrator.metrics.prometheus import RangeResult
from orchestrator.spec import Stage
from tests.unit.gates.building import CLOCKS, PACE, START, names_checked
from tests.unit.gates.synthetic import NODES


def said(node, *values, chain="relay", first=START):
    """A series as Prometheus gives it."""
    samples = tuple((first + i, float(v)) for i, v in enumerate(values) if v is not None)
    return Series(labels={"node": node, "chain": chain}, samples=samples)


def cut(rows, start, end):
    """The part of each series from `start` to `end`."""
    inside = (row.model_copy(update={"samples": tuple(s for s in row.samples if start <= s[0] <= end)}) for row in rows)
    return tuple(row for row in inside if row.samples)


class Prometheus:
    """Answers every query alike, or as `by` says for those with a word in them; `machine` are the waits for a CPU."""

    def __init__(self, *answer, error=None, warnings=(), ahead=0.0, by=None, machine=()):
        self.machine = machine
        self.asked, self.answer, self.error, self.warnings = [], answer, error, warnings
        self.ahead, self.by = ahead, by or {}

    def query_range(self, query, start, end, step, *, lookback=None):
        if query.startswith("last_over_time(coalmine_"):  # What the agents measure of the machine.
            rows = self.machine if "cpu_delay" in query else ()
            return RangeResult(cut(rows, start, end), ())
        self.asked.append((query, start, end, step, lookback))
        if self.error:
            raise self.error
        found = next((rows for word, rows in self.by.items() if word in query), self.answer)
        return RangeResult(cut(found, start, end), self.warnings)

    def clock(self):
        if self.error:
            raise MetricsError("away")
        return START + 10 + self.ahead

    def queries(self):
        return Counter(query for query, *_ in self.asked)


class Chains:
    """Finalised height and fork of each node; a node that is not there does not answer."""

    def __init__(self, happened=(), **nodes):
        self.nodes = {name.replace("_", "-"): value for name, value in nodes.items()}
        self.blocks, self.asked = happened, []

    def finalized_height(self, node, chain):  # noqa: ARG002
        if node not in self.nodes:
            raise ChainError(f"{node} does not answer")
        return self.nodes[node][0]

    def block_hash(self, node, chain, height):  # noqa: ARG002
        return f"0x{self.nodes[node][1]}{height}"

    def stored(self, node, chain, storage, height):  # noqa: ARG002
        return f"0x{self.nodes[node][1]}"

    def happened(self, chain, event, first, last):  # noqa: ARG002
        if self.blocks is None:
            raise ChainError("no node of relay has block 9")
        self.asked.append((first, last))
        return "validator-0", [block for block in self.blocks if first <= block <= last]


class Logs:
    """Times of matching lines by node; `whole` is from when on the log is there."""

    def __init__(self, whole=START - 60, error=None, **hits):
        self.hits = {name.replace("_", "-"): times for name, times in hits.items()}
        self.whole, self.error, self.asked = whole, error, []

    def matching(self, node, pattern, since, until):
        self.asked.append((node, pattern, since, until))
        if self.error:
            raise self.error
        inside = tuple(t for t in self.hits.get(node, ()) if since < t <= until)
        return Lines(since=max(since, self.whole), hits=inside)


KNOWN = ("System.CodeUpdated", "System.LastRuntimeUpgrade")
"""Events and storage items that the runtimes have."""


def stage_of(*gates, spared=()):
    words = {"name": "a", "hold": "1s"}
    if spared:
        words["experiment"] = {"pause": {"target": {"authorities": "one"}}, "duration": "1h"}
    return Stage.model_validate({**words, "gates": gates})


class Stage1:
    """A stage from START on for ten seconds, whose record grows by asking."""

    def __init__(self, *gates, prometheus=None, chains=None, logs=None, spared=(), nodes=NODES, end=START + 10):
        self.stage = stage_of(*gates, spared=spared)
        self.prometheus, self.chains = prometheus or Prometheus(), chains or Chains()
        self.logs = logs or Logs()
        self.record = Record(nodes, 1.0, PACE)
        self.entries = []
        self.end = end
        for entry in (*CLOCKS, names_checked(*KNOWN)):
            self.keep(entry)
        self.keep(Event(at=START, name="stage.start", stage="a"))
        if spared:
            self.keep(Event(at=START, name="inject.confirmed", stage="a", detail={"nodes": list(spared)}))

    def keep(self, entry):
        entry = entry if entry.at else entry.model_copy(update={"at": self.end + 2})
        self.entries.append(entry)
        self.record.add(entry)

    def sources(self):
        now = lambda: START + 10  # noqa: E731
        return Sources(self.prometheus, self.chains, None, self.logs, self.record.nodes, now=now)

    def ask(self, now=None):
        return collect(self.stage, self.stage.gates, self.record, self.sources(), self.keep, now or self.end)

    def finish(self):
        """Ends the stage, asks for the rest, and gives the verdicts."""
        self.keep(Event(at=self.end, name="stage.end", stage="a"))
        self.ask()
        return self.verdicts()

    def verdicts(self, now=None):
        return [assess(self.stage, gate, self.record, now or self.end).verdict for gate in self.stage.gates]

    def samples(self):
        return [entry for entry in self.entries if isinstance(entry, Samples)]
