"""Troubles of nodes and validators: they fall silent, start anew, panic, refuse, do not take part, starve.

What nodes get over by themselves, or what only their machine suffers, is changed too, and is no degradation.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from orchestrator.gates.mutate.edit import Edit
from orchestrator.gates.mutate.happenings import Becomes, Restart, Rises, Says, Silence, Stops
from orchestrator.gates.mutate.mutant import Mutant
from orchestrator.gates.mutate.scene import Scene
from orchestrator.gates.mutate.warp import Warp, goes_on, halves, late, slowed, stands
from orchestrator.journal import Node, Target
from orchestrator.spec.testnet import RELAY

_PANIC = "Thread 'tokio-runtime-worker' panicked at 'attempt to subtract with overflow', src/lib.rs:1"


@dataclass(frozen=True, slots=True)
class _Trouble:
    """What a node's figures show: gauges with another value, counters that rise with each slot, and that stand."""

    name: str
    by: tuple[str, ...] = ()
    gauges: tuple[tuple[str, float], ...] = ()
    rising: tuple[str, ...] = ()
    standing: tuple[str, ...] = ()
    degradation: bool = True


_TROUBLES = (
    _Trouble("loses all peers but one", ("peers-as-expected",), gauges=(("peers", 1), ("connections", 1))),
    _Trouble("keeps a dozen heads", ("forks-short",), gauges=(("leaves", 12),)),
    _Trouble("has 5000 transactions wait", ("pool-drains",), gauges=(("transactions-ready", 5000),)),
    _Trouble("falls out of the active set", ("in-the-active-set",), gauges=(("active-validators", 0),)),
    _Trouble("never prepares a PVF", ("pvf-prepared",), gauges=(("pvf-pending", 1),)),
    _Trouble("misses a validation peer", ("validators-connected",), gauges=(("validation-peers-missing", 1),)),
    _Trouble("refuses blocks", ("blocks-imported",), rising=("import-failures",)),
    _Trouble("finds candidates invalid", ("validation-succeeds",), rising=("candidates-invalid",)),
    _Trouble("fails to approve", ("approvals-succeed",), rising=("approvals-failed",)),
    _Trouble("cannot recover data", ("data-recovered",), rising=("recoveries-failed",)),
    _Trouble("counts no-shows", ("checkers-show-up",), rising=("no-shows",)),
    _Trouble("sees BEEFY equivocations", ("beefy-honest",), rising=("beefy-equivocations",)),
    _Trouble("signs no bitfield", ("availability-signed",), standing=("bitfields-signed",)),
    _Trouble("votes for no block", ("voters-vote",), standing=("grandpa-prevotes", "grandpa-precommits")),
    # Its group may have no parachain to back; what is backed by nobody stands.
    _Trouble("backs no candidate", standing=("statements-signed", "candidates-seconded"), degradation=False),
    _Trouble("has proposals cut short", rising=("proposals-cut-short",), degradation=False),
    _Trouble("has requests fail", rising=("request-failures",), degradation=False),
    _Trouble("waits in vain for blocks", rising=("stale-downloads",), degradation=False),
    _Trouble("fetches chunks in vain", ("chunks-fetched",), rising=("chunk-fetch-failures",), degradation=False),
    _Trouble("is too slow to validate", ("validators-keep-up",), rising=("validation-failures",), degradation=False),
    _Trouble("has invalid transactions", ("transactions-valid",), rising=("transactions-invalid",), degradation=False),
    _Trouble("finds no authority", ("authorities-found",), gauges=(("known-authorities", 0),), degradation=False),
    _Trouble("waits for a CPU", gauges=(("cpu-wait", 0.8), ("cpu-delay", 0.8)), degradation=False),
    _Trouble("waits for a disk", gauges=(("disk-stall", 0.8),), degradation=False),
)  # fmt: skip


def of_chains(scene: Scene) -> Iterator[Mutant]:
    """What all validators see, or all collators of a parachain."""
    span, each = scene.phase.span, 1 / scene.slot
    disputes = scene.carriers("disputes")
    if disputes:
        rising = Rises(span, disputes, {"disputes": each})
        yield scene.mutant("candidates are disputed", RELAY, (rising,), ("no-disputes",))
        lost = Rises(span, disputes, {"disputes": each, "disputes-lost": each})
        yield scene.mutant("disputes are lost", RELAY, (lost,), ("no-disputes-lost", "no-disputes"))
    late_finality = Warp(span, scene.targets(), goes_on, late(scene.session), frozenset({RELAY}))
    for signal, name, by in (
        ("approval-lag", "approval is a session late", ("approval-close", "finality-close", "finality-recovers")),
        ("dispute-lag", "disputes hold finality back", ("disputes-conclude", "finality-close", "finality-recovers")),
    ):
        if (carriers := scene.carriers(signal)) and late_finality.moves(scene.world):
            lag = Becomes(span, carriers, {signal: scene.session / scene.slot})
            yield scene.mutant(name, RELAY, (lag, late_finality), by)
    if beefy := scene.carriers("beefy-best"):
        behind = (Stops(span, beefy, frozenset({"beefy-best"})), Rises(span, beefy, {"beefy-lag": each}))
        yield scene.mutant("BEEFY stands", RELAY, behind, ("beefy-follows", "beefy-progresses"))
    for chain in scene.parachains:
        yield from _no_collations(scene, chain)


def _no_collations(scene: Scene, chain: str) -> Iterator[Mutant]:
    """The collators of a parachain make nothing any more, and so it stands."""
    there = {target.node for target in scene.targets(chain)}
    mine = frozenset(target for target in scene.carriers("collations-generated") if target.node in there)
    standing = Warp(scene.phase.span, scene.targets(chain), stands, stands, frozenset({chain}))
    if mine and standing.moves(scene.world):
        stopped = Stops(scene.phase.span, mine, frozenset({"collations-generated", "collations-sent"}))
        by = ("collations-made", "parachain-progresses", "parachain-recovers", "parachain-survives")
        yield scene.mutant("its collators collate nothing", chain, (standing, stopped), by)


def of_nodes(scene: Scene) -> Iterator[Mutant]:
    for node in scene.nodes:
        if not _answers(scene, node):
            continue
        yield from _of_process(scene, node)
        yield from _no_author(scene, node)
        for trouble in _TROUBLES:
            if edits := tuple(_edits(scene, node, trouble)):
                yield scene.mutant(trouble.name, node.name, edits, trouble.by, degradation=trouble.degradation)


def _answers(scene: Scene, node: Node) -> bool:
    """Whether the stage's own fault has left it running: what is stopped already cannot get into trouble."""
    mine = frozenset({Target(node=node.name, chain=node.chain)})
    return Warp(scene.phase.span, mine, stands, stands).moves(scene.world)


def _of_process(scene: Scene, node: Node) -> Iterator[Mutant]:
    span, name = scene.phase.span, node.name
    mine = frozenset(target for target in scene.targets() if target.node == name)
    restarts = ("no-restarts", "same-process")
    yield scene.mutant("stops answering", name, (Silence(span, name),), ("nodes-answer",))
    yield scene.mutant("starts anew", name, (Restart(span, name),), restarts)
    yield scene.mutant("loses its database", name, (Restart(span, name, lost=True),), restarts)
    killed = Restart(span, name, out_of_memory=True)
    yield scene.mutant("is killed for lack of memory", name, (killed,), ("no-oom-kills", *restarts))
    says = Says(span, name, _PANIC)
    yield scene.mutant("runs a runtime that panics", name, (says,), ("no-panics",))
    if tasks := scene.carriers("task-panics", name):
        yield scene.mutant("has a task panic", name, (says, Rises(span, tasks, {"task-panics": 0.0})), ("no-panics",))
    if syncing := scene.carriers("major-syncing", name):
        behind = (Becomes(span, syncing, {"major-syncing": 1}), Warp(span, mine, halves, halves))
        yield scene.mutant("is in major sync", name, behind, ("not-behind",))
    limit = dict(scene.network.memory_limits).get(node.group)
    if limit is not None and (memory := scene.carriers("memory", name)):
        grown = Becomes(span, memory, {"memory": 0.97 * limit})
        yield scene.mutant("uses 97% of its memory limit", name, (grown,), ("memory-in-limit",))


def _no_author(scene: Scene, node: Node) -> Iterator[Mutant]:
    """An author that builds no block; the slots that are its own stay empty, for all nodes of its chain."""
    mine = frozenset(target for target in scene.carriers("authored-blocks", node.name) if target.chain == node.chain)
    authors = {target.node for target in scene.carriers("authored-blocks") if target.chain == node.chain}
    if mine and len(authors) > 1:
        fewer = slowed(1 - 1 / len(authors))
        whole = scene.targets(node.chain if node.chain != RELAY else None)
        slots = Warp(scene.phase.span, whole, fewer, fewer, frozenset({node.chain}))
        edits = (slots, Stops(scene.phase.span, mine, frozenset({"authored-blocks"})))
        by = ("every-author-authors", "blocks-on-pace") if node.chain == RELAY else ("parachain-inclusion-rate",)
        yield scene.mutant("builds no block", node.name, edits, by)


def _edits(scene: Scene, node: Node, trouble: _Trouble) -> Iterator[Edit]:
    span = scene.phase.span
    for signal, value in trouble.gauges:
        if carriers := scene.carriers(signal, node.name):
            yield Becomes(span, carriers, {signal: value})
    for signal in trouble.rising:
        if carriers := scene.carriers(signal, node.name):
            yield Rises(span, carriers, {signal: 1 / scene.slot})
    for signal in trouble.standing:
        if carriers := scene.carriers(signal, node.name):
            yield Stops(span, carriers, frozenset({signal}))
