"""What is measured. Each figure says its own goal; a lower value is better for all of them."""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from orchestrator.engine import program
from orchestrator.gates.mutate import mutants
from orchestrator.gates.mutate.trial import Bench
from orchestrator.genesis import chainspec
from orchestrator.journal import Node
from orchestrator.render import Images, render
from orchestrator.spec import RuntimeCode, Testnet
from tests.bench import applying, gates, startup, suite
from tests.unit.gates import synthetic

REAL = Path(os.environ.get("COALMINE_REAL") or Path(__file__).resolve().parents[3] / "shared" / "real")
"""Real runtimes, measured where they are."""

IMAGES = Images(coalmine="coalmine:bench", prometheus="prometheus:bench")


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value and the most that it should be."""

    value: float
    unit: str
    goal: float

    @property
    def ok(self) -> bool:
        return self.value <= self.goal


def network(validators: int) -> Testnet:
    model = {"model": {"specName": "canary", "specVersion": 1}}
    groups = [{"name": "validator", "count": validators}, {"name": "bootnode", "role": "bootnode", "count": 2}]
    relay = {"runtime": model, "groups": groups}
    return Testnet.model_validate({"kind": "Testnet", "metadata": {"name": "bench"}, "spec": {"relaychain": relay}})


def seconds(work: Callable[[], object], *, clock: Callable[[], float] = time.perf_counter) -> float:
    """The best of three: what the machine's other work adds is not ours."""
    best = float("inf")
    for _ in range(3):
        started = clock()
        work()
        best = min(best, clock() - started)
    return best


def genesis_of_1000_validators() -> Figure:
    return Figure(seconds(lambda: chainspec.build(network(1000), bytes(32))), "s", 5.0)


def genesis_of_1000_real_validators() -> Figure:
    """The same by the runtime's own GenesisBuilder, once it is compiled."""
    net = network(1000)
    runtime = {"client": "polkadot", "runtime": RuntimeCode(file=str(REAL / "westend-fast-1025002.wasm"))}
    relay = net.spec.relaychain.model_copy(update=runtime)
    real = net.model_copy(update={"spec": net.spec.model_copy(update={"relaychain": relay})})
    return Figure(seconds(lambda: chainspec.build(real, bytes(32))), "s", 10.0)


def rendering_of_1000_nodes() -> Figure:
    """Against packing and hashing the same chain spec: what rendering must do at least."""
    net = network(1000)
    genesis = chainspec.build(net, bytes(32))
    spec = genesis.chain("relay").spec

    def least() -> object:
        return hashlib.sha256(spec).hexdigest(), json.dumps(spec.hex())

    return Figure(seconds(lambda: render(net, genesis, IMAGES)) / seconds(least), "times", 20.0)


def objects_of_1000_nodes() -> Figure:
    net = network(1000)
    return Figure(len(render(net, chainspec.build(net, bytes(32)), IMAGES)), "objects", 40.0)


def pulumi_program_against_rendering() -> Figure:
    """The embedded engine's share: running the program, against rendering what it declares."""
    net = network(100)
    genesis = chainspec.build(net, bytes(32))
    manifests = render(net, genesis, IMAGES)
    run = seconds(lambda: program.declared("testnet", "bench", manifests))
    return Figure(run / seconds(lambda: render(net, genesis, IMAGES)), "times", 10.0)


def judging(nodes: tuple[Node, ...], goal: float) -> Callable[[], Figure]:
    """A stored hour of 200 gates, a sample in five seconds, read and judged. Processor time: it waits for nothing."""

    def judged() -> Figure:
        path = gates.stored(network(4), nodes)
        try:
            return Figure(seconds(lambda: gates.read_and_judge(path), clock=time.process_time), "s", goal)
        finally:
            shutil.rmtree(path.parent)

    return judged


def looking_late_against_early() -> Figure:
    """A live look at 200 gates after an hour, against one after ten minutes."""
    late, early = (gates.looking(network(4), gates.QUICKSTART, after) for after in (3600.0, 600.0))
    return Figure(seconds(late, clock=time.process_time) / seconds(early, clock=time.process_time), "times", 2.0)


def queries_per_gate() -> Figure:
    """Range queries that 200 gates cost, against the distinct ones among them."""
    return Figure(gates.queries_sent() / gates.GATES, "queries", gates.distinct_queries() / gates.GATES)


def applying_1000_nodes() -> Figure:
    return Figure(applying.applying_1000_nodes(), "times", 1.2)


def starting(goal: float, *arguments: str) -> Callable[[], Figure]:
    """In times of Python that does nothing, which takes 15 ms on an idle machine: 20 times are 0.3 s there."""
    return lambda: Figure(startup.against_nothing(*arguments), "times", goal)


def judging_200_changed_runs() -> Figure:
    """The quickstart's run with 200 changes, a part of those of each stage, by its own gates."""
    journal = synthetic.run()
    changed = tuple(mutants(journal, journal.started.rehearsal.spec.stages))
    some = changed[:: len(changed) // 200][:200]

    def work() -> None:
        bench = Bench(journal, ())
        for mutant in some:
            bench.found(mutant)

    return Figure(seconds(work), "s", 60.0)


BENCHES: dict[str, Callable[[], Figure]] = {
    "startup-version": starting(20.0, "version"),
    "startup-help": starting(20.0, "--help"),
    "startup-explain": starting(20.0, "explain", "testnet.spec"),
    "startup-validate": starting(40.0, "validate", "examples/quickstart.yaml"),
    "genesis-1000-validators": genesis_of_1000_validators,
    "render-1000-nodes": rendering_of_1000_nodes,
    "objects-1000-nodes": objects_of_1000_nodes,
    "program-against-render": pulumi_program_against_rendering,
    "judge-200-gates-of-7-nodes": judging(gates.QUICKSTART, 1.0),
    "judge-200-gates-of-100-nodes": judging(gates.HUNDRED, 3.0),
    "judge-200-changed-runs": judging_200_changed_runs,
    "look-late-against-early": looking_late_against_early,
    "queries-per-gate": queries_per_gate,
}
if os.geteuid() == 0:  # A lab needs root.
    BENCHES["apply-1000-nodes"] = applying_1000_nodes
if REAL.is_dir():
    BENCHES["genesis-1000-validators-real"] = genesis_of_1000_real_validators
for suite_name, most in suite.GOALS.items():
    if suite.kept(suite_name).is_file():
        BENCHES[f"suite-{suite_name}"] = lambda name=suite_name, goal=most: Figure(suite.seconds(name), "s", goal)
if suite.MUTANTS.is_file():
    BENCHES["mutants-unnoticed"] = lambda: Figure(suite.unnoticed(), "share", 0.1)
