"""The life of a run.

 1. The files are loaded and checked, by the caller.
 2. The journal opens with what is run, on what, with which code: `run.started`.
 3. The network is provisioned.
 4. The readiness ladder is climbed.
 5. What the gates read is compared with what the nodes show.
    Each stage: all nodes have caught up, its disturbance is applied and followed, its gates' windows close, its gates
    are measured and judged.
 6. A disturbance that failed ends the run after its stage; a failed gate does so where it says `abortOn: failed`, and
    then ends the stage as well, faults first.
 7. The charts' signals are fetched.
 8. The journal is closed: `run.finished`. Without that entry a run was cut short, and never passes.
 9. The verdict is given, from the journal alone.
10. The reports are written, from the journal and the verdict alone.

Whatever happens between 3 and 8, no fault stays: each disturbance is undone on the way out, and the agents hold a time
limit for all that cannot be undone. Called by `cli.run`.
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from orchestrator import __version__
from orchestrator.cluster import Cluster
from orchestrator.engine import lock
from orchestrator.engine.port import Engine
from orchestrator.errors import CoalmineError
from orchestrator.gates import charts
from orchestrator.gates.judge import RunVerdict, baselines
from orchestrator.gates.ports import Sources
from orchestrator.journal import IMAGES, Event, JournalWriter, RunFinished, RunStarted
from orchestrator.provision import network as networks
from orchestrator.provision.network import Network
from orchestrator.readiness import ladder
from orchestrator.readiness.access import Access
from orchestrator.render import Images
from orchestrator.run import catchup, kept, names
from orchestrator.run.chronicle import Chronicle
from orchestrator.run.clock import ChainClock
from orchestrator.run.sources import inventory, sources
from orchestrator.run.stage import StageRun
from orchestrator.spec import Rehearsal, Testnet

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run, and where."""

    testnet: Testnet
    rehearsal: Rehearsal
    cluster: Cluster
    engine: Engine
    images: Images
    directory: Path


def new_run(rehearsal: Rehearsal) -> str:
    """A name for a run that sorts by time."""
    return f"{rehearsal.name}-{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def rehearse(plan: Plan, say: Say) -> RunVerdict:
    """Runs a rehearsal to its verdict; the directory then holds the journal and all reports.

    Raises:
        CoalmineError: when something that we stand on failed; the journal says so, and is reported on all the same.
    """
    path = plan.directory / "journal.jsonl"
    with JournalWriter(path, time.time) as journal:
        finished = RunFinished(outcome="interrupted")
        try:
            finished = RunFinished(outcome="completed", detail=_run(plan, journal, say))
        except CoalmineError as error:
            finished = RunFinished(outcome="error", detail=error.message)
            raise
        finally:
            journal.record(finished)
            verdict = kept.conclude(plan.directory)
    return verdict


def _run(plan: Plan, journal: JournalWriter, say: Say) -> str:
    network = networks.up(plan.cluster, plan.engine, plan.testnet, plan.images, say)
    # Whoever sweeps the cluster meanwhile sees that this network is in use.
    with lock.held(plan.cluster, plan.testnet.namespace, lock.RUN):
        return _rehearsed(plan, network, journal, say)


def _rehearsed(plan: Plan, network: Network, journal: JournalWriter, say: Say) -> str:
    evidence = sources(plan.cluster, network)
    chronicle = Chronicle(journal, evidence)
    chronicle.keep(_started(plan, network, evidence))
    for baseline in baselines(plan.rehearsal, lambda run: kept.earlier(plan.directory, run)):
        chronicle.keep(baseline)
    start = chronicle.keep(Event(name="run.start"))
    for rung in ladder.climb(plan.cluster, network, say):
        chronicle.keep(Event(name="rung", detail={"rung": rung.name, "seconds": round(rung.seconds, 1)}))
    chronicle.keep(Event(name=IMAGES, detail=_digests(plan)))
    access = Access(plan.cluster, network)
    chronicle.keep(names.check(plan.rehearsal, evidence.nodes, access, say))
    with ChainClock(Access(plan.cluster, network, timeout=1.5), chronicle.keep):
        ended = _stages(plan, access, evidence, chronicle, say)
    for chart in charts.collect(evidence, start.at, time.time()):
        chronicle.keep(chart)
    return ended


def _stages(plan: Plan, access: Access, evidence: Sources, chronicle: Chronicle, say: Say) -> str:
    """Runs the stages in order; says why it ended early, if it did."""
    for stage in plan.rehearsal.spec.stages:
        chronicle.keep(catchup.wait(stage.name, evidence, access, say))
        say(f"stage {stage.name}")
        ended = StageRun(
            stage,
            testnet=plan.testnet,
            cluster=plan.cluster,
            sources=evidence,
            chronicle=chronicle,
            say=say,
        ).run()
        if ended.because:
            reason = f"ended after stage {stage.name}, because {ended.because}"
            chronicle.keep(Event(name="run.aborted", stage=stage.name, detail={"cause": reason}))
            return reason
    return ""


def _started(plan: Plan, network: Network, evidence: Sources) -> RunStarted:
    return RunStarted(
        run=plan.directory.name,
        version=__version__,
        testnet=plan.testnet,
        rehearsal=plan.rehearsal,
        context=plan.cluster.context,
        simulated=plan.testnet.spec.relaychain.client == "simnode",
        genesis={chain.name: chain.genesis_hash for chain in network.genesis.chains},
        nodes=inventory(network),
        scrape=evidence.scrape,
    )


def _digests(plan: Plan) -> dict[str, str]:
    """The images that pods really run, by the digests that their kubelets report; a tag alone says little.

    Known when the pods run and not before: a node that waits at the start barrier has no image yet.
    """
    found: dict[str, str] = {}
    for pod in plan.cluster.list("Pod", plan.testnet.namespace):
        for container in pod.get("status", {}).get("containerStatuses", []):
            if container.get("imageID"):
                found[str(container["image"])] = str(container["imageID"])
    return found
