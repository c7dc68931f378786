"""The sets judge a simulated network as people would: healthy it passes, faults are told apart.

Virtual time, real parts: simnode's protocol is run by the explorer, its metrics pages go into a real Prometheus, and
the gates ask that. Only gates over signals are judged here; chain reads, pods and events need a cluster.
"""

import re
import shutil
import subprocess
from dataclasses import asdict
from types import SimpleNamespace

import pytest

from orchestrator.gates.assess import assess
from orchestrator.gates.collect import collect
from orchestrator.gates.library import expand
from orchestrator.gates.names import CHECKED
from orchestrator.gates.ports import Sources
from orchestrator.gates.record import Record
from orchestrator.gates.timeline import Pace
from orchestrator.journal import Clock, Event, Node, Verdict
from orchestrator.metrics.exposed import Endpoint, doubts, read_page
from orchestrator.metrics.prometheus import Prometheus
from orchestrator.runtime.blob import model_blob
from orchestrator.spec.load import load
from orchestrator.spec.runtime import ModelRuntime
from simnode.metrics import Metrics
from simnode.testing.explorer import network
from tests.unit.library import documents
from tests.unit.metrics.conftest import _free_port, _wait

pytestmark = pytest.mark.live

THEN = 1_700_000_000
VIRTUAL = 1_000_000
SESSION = 10
RESIDENT = 2**26
"""Bytes of each node's process: here all of them live in the tests' own, however large that has grown."""
NODES = (
    *(Node(name=f"validator-{n}", chain="relay", group="validator", role="validator", ordinal=n) for n in range(4)),
    *(Node(name=f"collator-{n}", chain="nest", group="collator", role="collator", ordinal=n) for n in range(2)),
)
_SAMPLE = re.compile(r"^(\w+)\{(.*)\} (\S+)$")

HEALTHY = (20, 110)
PAUSED, RESUMED, CALM = 120, 170, 215
SPLIT, HEALED, END = 220, 270, 340


def _scrape(text, labels, when):
    """A page's samples as Prometheus would store them: the client's own `chain` moved out of the way."""
    for line in text.splitlines():
        if found := _SAMPLE.match(line):
            own = re.sub(r'(^|,)chain="', r'\1chain_id="', found[2])
            yield f"{found[1]}{{{own},{labels}}} {found[3]} {when}"


class Life:
    """The network's life, second by second, as samples and as the run's clock."""

    def __init__(self):
        relay, para = (model_blob(ModelRuntime(spec_name=name, spec_version=1)) for name in ("relay", "para"))
        self.net = network(1, validators=4, code=relay, para_code=para, collators=2, session=SESSION)
        self.lines, self.clocks, self.pages = [], [], []
        for node in NODES:
            site = self.net.sites[f"{node.role[0]}{node.ordinal}"]
            for chain, one in (("relay", site.relay), ("nest", site.para)):
                if one is not None:
                    shell = SimpleNamespace(peers=one.peers, bytes_in=0, bytes_out=0)
                    page = Metrics(one, shell, chain=f"n_{chain}", name=node.name, started=1.0, ended={})
                    page.collator = lambda site=site: site.para
                    page.resident = lambda: RESIDENT
                    self.pages.append((node, chain, site, page))

    def shown(self):
        """The metrics page of each program, as it is read before a run."""
        return {Endpoint(node.group, chain): read_page(page.render().decode()) for node, chain, _, page in self.pages}

    def live(self, until):
        while self.net.now < VIRTUAL + until:
            self.net.run(1)
            at = THEN + round(self.net.now - VIRTUAL)
            for node, chain, site, page in self.pages:
                here = f'node="{node.name}",chain="{chain}",role="{node.role}",group="{node.group}",network="n"'
                labels = f'{here},instance="{node.name}/{chain}"'
                if site.paused_until > self.net.now:
                    self.lines.append(f"up{{{labels}}} 0 {at}")
                    continue
                self.lines.append(f"up{{{labels}}} 1 {at}")
                self.lines += _scrape(page.render().decode(), labels, at)
            first = self.net.sites["v0"].relay
            slot = round(self.net.now - VIRTUAL)
            clock = Clock(
                at=at, best=first.best_number, finalized=first.tree.finalized_number, session=slot // SESSION, stamp=at
            )
            self.clocks.append(clock)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A calm beginning, one validator of four paused, calm, two against two, calm."""
    for program in ("prometheus", "promtool"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    life = Life()
    life.live(PAUSED)
    life.net.pause("v3", RESUMED - PAUSED)
    life.live(SPLIT)
    life.net.partition({"v0", "v1", "c0"}, {"v2", "v3", "c1"})
    life.live(HEALED)
    life.net.heal()
    life.live(END)
    folder = tmp_path_factory.mktemp("world")
    (folder / "samples.txt").write_text("\n".join([*life.lines, "# EOF", ""]))
    backfill = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "samples.txt", "data"]
    subprocess.run(backfill, cwd=folder, check=True, capture_output=True)
    (folder / "prometheus.yml").write_text("{}\n")
    port = _free_port()
    command = [
        "prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data", "--storage.tsdb.retention.time=100y",
        f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn", "--query.lookback-delta=2500ms",
    ]  # fmt: skip
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(f"{url}/-/ready", folder / "log")
        yield SimpleNamespace(url=url, clocks=life.clocks, pages=life.shown())
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def judged(world, tmp_path):
    """Judges a set's gates over signals: its verdicts by name, with the moments of its stage in seconds."""

    def judge(name, **moments):
        document = documents.network(slot="1s", sessionBlocks=SESSION)
        loaded = load(
            [documents.written(tmp_path, document, documents.rehearsal(documents.of_set(name)))], expand=expand
        )
        (stage,) = loaded.rehearsal().spec.stages
        gates = [gate for gate in stage.gates if gate.signal is not None]
        record = Record(NODES, 1.0, Pace(slot=1.0, session_slots=SESSION))
        now = THEN + moments["stage_end"]
        found = doubts([(stage.name, gate) for gate in gates], NODES, world.pages)
        versions = {str(where): page.version for where, page in world.pages.items()}
        checked = Event(name=CHECKED, detail={"versions": versions, "doubts": [asdict(doubt) for doubt in found]})
        for entry in (checked, *world.clocks):
            record.add(entry)
        for moment, at in moments.items():
            nodes = (
                {"nodes": ["validator-3"]} if moment == "inject_confirmed" and name == "under-minority-fault" else {}
            )
            record.add(Event(at=THEN + at, name=moment.replace("_", "."), stage=stage.name, detail=nodes))
        prometheus = Prometheus(world.url)
        try:
            collect(stage, gates, record, Sources(prometheus, None, None, None, NODES), record.add, now)
        finally:
            prometheus.close()
        return {gate.name: assess(stage, gate, record, now).verdict for gate in gates}

    return judge


def told(verdicts, *which):
    return {f"{v.gate}: {v.reason}" for v in verdicts.values() if v.verdict not in which}


def test_a_healthy_network_passes_the_baseline(judged):
    found = judged("baseline", stage_start=HEALTHY[0], stage_end=HEALTHY[1])
    assert len(found) > 15
    assert told(found, Verdict.PASSED) == set()


def test_one_validator_of_four_away_is_under_a_minority_fault(judged):
    found = judged(
        "under-minority-fault", stage_start=PAUSED - 5, inject_confirmed=PAUSED + 1, recover_start=RESUMED,
        recover_confirmed=RESUMED + 1, stage_end=CALM,
    )  # fmt: skip
    assert told(found, Verdict.PASSED) == set()


def test_two_against_two_must_stall_and_recovers(judged):
    found = judged(
        "must-stall-and-recover", stage_start=SPLIT - 2, inject_confirmed=SPLIT + 1, recover_start=HEALED,
        recover_confirmed=HEALED + 1, stage_end=END,
    )  # fmt: skip
    assert told(found, Verdict.PASSED) == set()


def test_a_network_that_is_split_does_not_pass_the_baseline(judged):
    found = judged("baseline", stage_start=SPLIT + 5, stage_end=HEALED)
    assert found["finality-progresses"].verdict is Verdict.FAILED
    assert found["finality-close"].verdict is Verdict.FAILED
    assert found["parachain-inclusion-rate"].verdict is Verdict.FAILED
    assert found["peers-as-expected"].verdict is Verdict.PASSED, (
        "connections outlive a partition; it is no proof of one"
    )


def test_a_network_that_only_lost_a_minority_must_not_be_said_to_have_stalled(judged):
    found = judged(
        "must-stall-and-recover", stage_start=PAUSED - 5, inject_confirmed=PAUSED + 1, recover_start=RESUMED,
        recover_confirmed=RESUMED + 1, stage_end=CALM,
    )  # fmt: skip
    assert found["finality-stalls"].verdict is Verdict.FAILED


def test_a_split_network_fails_where_a_minority_fault_was_told(judged):
    found = judged(
        "under-minority-fault", stage_start=SPLIT - 2, inject_confirmed=SPLIT + 1, recover_start=HEALED,
        recover_confirmed=HEALED + 1, stage_end=END,
    )  # fmt: skip
    assert found["finality-progresses"].verdict is Verdict.FAILED
