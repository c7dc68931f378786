"""A run that never happened: a small model of a network in virtual time, journalled as `run` would journal it."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.gates import charts
from orchestrator.gates.assess import assess
from orchestrator.gates.collect import collect
from orchestrator.gates.judge import CLOSED, judge
from orchestrator.gates.library import expand
from orchestrator.gates.names import CHECKED
from orchestrator.gates.ports import Lines, Sources
from orchestrator.gates.record import Record
from orchestrator.gates.timeline import Pace
from orchestrator.journal import IMAGES, Clock, Event, Journal, Judged, Node, RunFinished, RunStarted, Series
from orchestrator.metrics.check import check
from orchestrator.metrics.prometheus import RangeResult
from orchestrator.spec.load import load

QUICKSTART = Path(__file__).parents[3] / "examples" / "quickstart.yaml"
START = 1_790_000_000.0
SLOT, SESSION = 2.0, 6

NODES = (
    *(
        Node(name=f"validator-{i}", chain="relay", group="validator", role="validator", ordinal=i, authority=True)
        for i in range(4)
    ),
    Node(name="bootnode-0", chain="relay", group="bootnode", role="bootnode", ordinal=0),
    *(Node(name=f"collator-{i}", chain="nest", group="collator", role="collator", ordinal=i) for i in range(2)),
)


ENDPOINTS = sorted({f"{node.group} on {chain}" for node in NODES for chain in (node.chain, "relay")})


@dataclass
class Network:
    """Heights as functions of time: finality stands in `stalls`, `paused` nodes answer nothing in theirs."""

    stalls: list[tuple[float, float]] = field(default_factory=list)
    paused: dict[str, tuple[float, float]] = field(default_factory=dict)
    dead_after: float = float("inf")
    lag: int = 3

    def best(self, t, chain):
        t = min(t, self.dead_after) if chain == "relay" else t
        return int((t - START) / (SLOT if chain == "relay" else 2 * SLOT)) + 10

    def final(self, t, chain):
        for low, high in self.stalls:
            if low <= t < high:
                t = low
        return max(0, self.best(t, chain) - self.lag)

    def value(self, metric, t, node, chain):
        if any(n == node and low <= t < high for n, (low, high) in self.paused.items()):
            return None
        best, final = self.best(t, chain), self.final(t, chain)
        return {"best": best, "final": final, "lag": best - final, "panics": 0, "peers": 6, "wait": 0.02}[metric]

    def query_range(self, query, start, end, step, *, lookback=None):  # noqa: ARG002
        wanted = dict(re.findall(r'(chain|role|group|node)="([^"]*)"', query))
        metric = (
            "lag" if " - ignoring" in query
            else "panics" if "panic" in query
            else "peers" if "peers" in query
            else "wait" if "coalmine_" in query
            else "final" if "finalized" in query
            else "best"
        )  # fmt: skip
        count = int((end - start) / step + 0.002) + 1
        series = []
        for node in NODES:
            for chain in dict.fromkeys((node.chain, "relay")):
                labels = {"node": node.name, "chain": chain, "role": node.role, "group": node.group}
                if any(labels[key] != value for key, value in wanted.items()):
                    continue
                times = [start + i * step for i in range(count)]
                samples = [(t, self.value(metric, t, node.name, chain)) for t in times]
                kept = tuple((t, float(v)) for t, v in samples if v is not None)
                if kept:
                    series.append(Series(labels=labels, samples=kept))
        return RangeResult(tuple(series), ())

    def polled(self, stage, end):  # noqa: ARG002
        """What was read while the stage ran, for gates that ask nothing with a history."""
        return ()

    now = START

    def clock(self):
        return self.now

    def finalized_height(self, node, chain):  # noqa: ARG002
        return self.final(self.now, chain)

    def block_hash(self, node, chain, height):  # noqa: ARG002
        return f"0x{height:064x}"

    def matching(self, node, pattern, since, until):  # noqa: ARG002
        return Lines(since=since, hits=())


def rehearsal(file=QUICKSTART):
    return load([file], checks=[check], expand=expand)


def collected(plan, entries, waiting, sources):
    """Adds what the stages asked, each at its end, and what happened up to then."""
    network = sources.prometheus
    record = Record.fed(NODES, 1.0, Pace(SLOT, SESSION), entries)

    def keep(entry):
        entries.append(entry if entry.at else entry.model_copy(update={"at": network.now}))
        record.add(entries[-1])

    for stage, end in plan:
        network.now = end + 1
        while waiting and waiting[0].at <= network.now:
            keep(waiting.pop(0))
        for entry in network.polled(stage, end):
            keep(entry)
        collect(stage, stage.gates, record, sources, keep, end)
        keep(Event(name=CLOSED, stage=stage.name))
        entries += [assess(stage, gate, record, end).measurement for gate in stage.gates]
    entries += waiting


def run(*, until=None, upgrade_fails=False, relay_dies=False, finish=True, network=None, file=QUICKSTART):
    """The journal of the quickstart, or another file's on its network. `until` cuts it after so many stages."""
    loaded = rehearsal(file)
    stages = loaded.rehearsal().spec.stages[:until]
    network, t = network or Network(), START + 20
    events = [Event(at=START, name="run.start"), Event(at=START + 12, name="rung", detail={"rung": "finalising"})]
    plan = []
    for stage in stages:
        begin = t
        add = lambda name, at, **detail: events.append(Event(at=at, name=name, stage=stage.name, detail=detail))  # noqa: B023, E731
        add("stage.start", begin)
        if stage.hold:
            t += stage.hold
        if stage.experiment:
            low, high = t + 1.5, t + 1.5 + stage.experiment.duration
            nodes = ["validator-2"] if stage.experiment.chosen() == "pause" else [n.name for n in NODES]
            add("inject.confirmed", low, nodes=nodes, effect="as asked, seen on every node")
            add("recover.start", high)
            add("recover.confirmed", high + 1)
            if stage.experiment.chosen() == "pause":
                network.paused["validator-2"] = (low, high + 1)
            else:
                network.stalls.append((low + 1, high + 8))
            t = high + 40
        if stage.upgrade:
            add("upgrade.authorized", t + 3, chain=stage.upgrade.chain)
            add("upgrade.applied", t + 6)
            if upgrade_fails and stage.upgrade.chain == "relay":
                network.dead_after = t + 12 if relay_dies else network.dead_after
                cause = "panicked at 'migration V7 -> V8': attempt to subtract with overflow"
                add("upgrade.failed", t + 20, phase="Applied", cause=cause, block=143, chain="relay")
            else:
                add("upgrade.enacted", t + 14, enactedBlock=143)
                add("upgrade.completed", t + 40)
            t += 42
        add("stage.end", t)
        plan.append((stage, t))
        t += 2  # The last samples are waited for.
    clocks = [
        Clock(at=START + s, best=network.best(START + s, "relay"), finalized=network.final(START + s, "relay"),
              session=int(s / SLOT / SESSION), stamp=START + s - s % SLOT,
              parachains={"nest": network.final(START + s, "nest")})
        for s in range(int(t - START) + 2)
    ]  # fmt: skip
    entries = [
        RunStarted(
            at=START, run="quickstart-7f3a", version="0.1.0", testnet=loaded.testnet(), rehearsal=loaded.rehearsal(),
            context="lab", simulated=True, nodes=NODES, slot=SLOT, session_slots=SESSION,
            genesis={"relay": "0x" + "5c" * 32, "nest": "0x" + "a1" * 32},
        ),
        Event(at=START, name=IMAGES, detail={"coalmine:0.1.0": "sha256:" + "77" * 32, "node:1": "sha256:" + "1b" * 32}),
        Event(at=START + 15, name=CHECKED, detail={"versions": dict.fromkeys(ENDPOINTS, "0.1.0")}),
    ]  # fmt: skip
    sources = Sources(network, network, network, network, NODES, now=network.clock)
    collected(plan, entries, sorted([*events, *clocks], key=lambda entry: entry.at), sources)
    entries += [chart.model_copy(update={"at": t + 1}) for chart in charts.collect(sources, START, t)]
    verdict = judge(Journal.of(entries))
    entries += [Judged(at=t + 1.5, verdict=gate) for gate in verdict.gates]
    if finish:
        entries.append(RunFinished(at=t + 2, outcome="completed"))
    return Journal.of(entries)
