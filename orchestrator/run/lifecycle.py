"""The steps of a run. Called by `cli.run`.

 1. The caller loads and checks the files.
 2. The journal opens with `run.started`: what is run, on which network, with which code.
 3. The network is provisioned.
 4. The network becomes ready (the readiness ladder).
 5. The machine is measured, and compared with the limits that the file sets.
    The metrics that the gates read are compared with those that the nodes show.
    Each stage: all nodes catch up, the disturbance is applied and followed, the gates' windows close, the gates are
    measured and judged.
 6. If a disturbance fails, the run ends after its stage. If a gate with `abortOn: failed` fails, the stage ends too,
    after its faults are undone.
 7. The charts' signals are fetched.
 8. The journal is closed with `run.finished`. A run without that entry was interrupted and never passes.
 9. The verdict is computed from the journal alone.
10. The reports are written from the journal and the verdict alone.

Whatever happens between 3 and 8, no fault remains: each disturbance is undone on the way out, and the agents end what
could not be undone at its time limit.
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
from orchestrator.errors import CoalmineError, UsageError
from orchestrator.gates import charts
from orchestrator.gates.judge import RunVerdict, baselines
from orchestrator.gates.ports import Sources
from orchestrator.gates.timeline import Pace
from orchestrator.journal import IMAGES, Event, JournalWriter, RunFinished, RunStarted
from orchestrator.machine import check as machine
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
    """Runs a rehearsal and returns its verdict. The directory then contains the journal and all reports.

    Raises:
        UsageError: the directory holds a run already. Nothing was created.
        CoalmineError: something that coalmine depends on failed. The journal records it, and the reports are written
            if there is anything to report.
    """
    path = plan.directory / "journal.jsonl"
    if path.exists() and path.stat().st_size:
        raise UsageError(f"{path} holds a run already", hint="each run needs a directory of its own")
    with JournalWriter(path, time.time) as journal:
        try:
            journal.record(RunFinished(outcome="completed", detail=_run(plan, journal, say)))
        except BaseException as error:
            journal.record(_ended_by(error))
            _conclude_anyway(plan.directory, say)
            raise
        return kept.conclude(plan.directory)


def _ended_by(error: BaseException) -> RunFinished:
    if isinstance(error, CoalmineError):
        return RunFinished(outcome="error", detail=error.message)
    if isinstance(error, Exception):
        return RunFinished(outcome="error", detail=f"{type(error).__name__}: {error}")
    return RunFinished(outcome="interrupted")


def _conclude_anyway(directory: Path, say: Say) -> None:
    """Writes the reports of a run that did not complete. If there are none, what ended the run matters more."""
    try:
        kept.conclude(directory)
    except Exception as error:  # noqa: BLE001  As said above.
        say(f"there are no reports: {error}")


def _run(plan: Plan, journal: JournalWriter, say: Say) -> str:
    network = networks.up(plan.cluster, plan.engine, plan.testnet, plan.images, say)
    # A `sweep` of the cluster during the run sees that this network is in use.
    with lock.held(plan.cluster, plan.testnet.namespace, lock.RUN):
        return _rehearsed(plan, network, journal, say)


def _rehearsed(plan: Plan, network: Network, journal: JournalWriter, say: Say) -> str:
    evidence = sources(plan.cluster, network)
    timing = network.genesis.timing
    chronicle = Chronicle(journal, evidence, Pace(timing.slot, timing.session_slots))
    chronicle.keep(_started(plan, network, evidence))
    for baseline in baselines(plan.rehearsal, lambda run: kept.earlier(plan.directory, run)):
        chronicle.keep(baseline)
    start = chronicle.keep(Event(name="run.start"))
    for rung in ladder.climb(plan.cluster, network, say):
        chronicle.keep(Event(name="rung", detail={"rung": rung.name, "seconds": round(rung.seconds, 1)}))
    chronicle.keep(Event(name=IMAGES, detail=_digests(plan)))
    chronicle.keep(machine.check(plan.rehearsal, network, evidence.nodes, plan.cluster, plan.directory, say))
    access = Access(plan.cluster, network)
    chronicle.keep(names.check(plan.rehearsal, evidence.nodes, access, say))
    with ChainClock(Access(plan.cluster, network, timeout=1.5), chronicle.keep) as clock:
        ended = _stages(plan, access, evidence, chronicle, clock.check, say)
    for chart in charts.collect(evidence, start.at, time.time()):
        chronicle.keep(chart)
    return ended


def _stages(
    plan: Plan, access: Access, evidence: Sources, chronicle: Chronicle, sound: Callable[[], None], say: Say
) -> str:
    """Runs the stages in order. Returns why it ended early; empty if it did not. `sound` raises what ended a thread."""
    for stage in plan.rehearsal.spec.stages:
        sound()
        chronicle.keep(catchup.wait(stage.name, evidence, access, say))
        say(f"stage {stage.name}")
        ended = StageRun(
            stage,
            testnet=plan.testnet,
            cluster=plan.cluster,
            sources=evidence,
            chronicle=chronicle,
            sound=sound,
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
        slot=network.genesis.timing.slot,
        session_slots=network.genesis.timing.session_slots,
    )


def _digests(plan: Plan) -> dict[str, str]:
    """The digests of the images that the pods really run, as reported by the kubelets. A tag alone says little.

    They are known only once the pods run: a node that waits at the start barrier has no image yet.
    """
    found: dict[str, str] = {}
    for pod in plan.cluster.list("Pod", plan.testnet.namespace):
        for container in pod.get("status", {}).get("containerStatuses", []):
            if container.get("imageID"):
                found[str(container["image"])] = str(container["imageID"])
    return found
