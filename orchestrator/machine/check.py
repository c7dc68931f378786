"""Measures the machine before the first stage and says which limits are too short for it. Called by `run.lifecycle`.

Only the machine that coalmine itself runs on can be measured. If the cluster's machines are others, the run says so;
the agents measure those during the run.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from orchestrator.cluster import Cluster
from orchestrator.errors import CoalmineError
from orchestrator.genesis.chainspec import code_of
from orchestrator.journal import Event, Node
from orchestrator.machine import probe
from orchestrator.machine.figures import Figures
from orchestrator.machine.limits import Compilation, TooShort, too_short
from orchestrator.provision.network import Network
from orchestrator.runtime import blob
from orchestrator.spec import Parachain, Rehearsal
from orchestrator.spec.testnet import RELAY

MEASURED = "machine.measured"
_BOOT = Path("/proc/sys/kernel/random/boot_id")


def check(
    rehearsal: Rehearsal,
    network: Network,
    nodes: Sequence[Node],
    cluster: Cluster,
    folder: Path,
    say: Callable[[str], None],
) -> Event:
    """Measures for about three seconds and tells the user, in one line. Returns the event with all figures."""
    if (away := elsewhere(_machines(cluster))) is not None:
        say(f"machine: not measured, because {away}")
        return Event(name=MEASURED, detail={"elsewhere": away})
    figures = probe.measured(folder)
    compilations = compiled(rehearsal, network.testnet.spec.parachains, nodes)
    short = too_short(rehearsal, network.genesis.timing, figures, compilations)
    say(line(figures, len(nodes), short))
    detail = {**asdict(figures), "nodes": len(nodes), "tooShort": [str(each) for each in short]}
    return Event(name=MEASURED, detail=detail)


def elsewhere(boots: Iterable[str] | None) -> str | None:
    """Why this machine says nothing about the cluster. None if all machines of the cluster run on this kernel.

    A boot of a kernel has an id, which each kubelet reports. Clusters in containers and namespaces share it.
    """
    if boots is None:
        return "the cluster does not say which machines it has"
    return None if set(boots) == {_BOOT.read_text().strip()} else "the cluster's machines are not this one"


def compiled(rehearsal: Rehearsal, parachains: Sequence[Parachain], nodes: Sequence[Node]) -> dict[str, Compilation]:
    """What the upgrade of each stage lets nodes compile: its validators too, if it is a parachain's."""
    names = {word: each.chain for each in parachains for word in (each.chain, str(each.id))} | {RELAY: RELAY}
    found = {}
    for stage in rehearsal.spec.stages:
        if stage.upgrade is None or stage.upgrade.code.file is None:
            continue
        chain = names.get(stage.upgrade.chain)
        who = [
            node
            for node in nodes
            if node.chain == chain or (node.embeds_relay if chain == RELAY else node.role == "validator")
        ]
        try:
            size = len(blob.decompressed(code_of(stage.upgrade.code))) / 1e6
        except (CoalmineError, OSError):  # The upgrade itself will say it, in its own stage.
            continue
        found[stage.name] = Compilation(size, len(who))
    return found


def line(figures: Figures, nodes: int, short: Sequence[TooShort]) -> str:
    """What the user must know before the hour is spent."""
    found = f"machine: {figures.cores} cores for {nodes} nodes, a busy process gets {figures.share:.0%} of a CPU now"
    if not short:
        return f"{found}; no window or limit of the file is too short for that"
    return f"{found}; WARNING: too short for that are {', '.join(map(str, short))}"


def _machines(cluster: Cluster) -> list[str] | None:
    """The ids of the boots of the cluster's machines. None if we may not ask."""
    try:
        return [str(machine["status"]["nodeInfo"]["bootID"]) for machine in cluster.list_all("Node")]
    except (CoalmineError, KeyError):
        return None
