"""Journals of runs for reports: passed, failed and inconclusive, with all that a report may have to tell."""

from functools import cache

from orchestrator.gates.judge import judge
from orchestrator.journal import Clock, Event, Journal, NodeFinding, Occurrences, RunStarted, Samples, Target, Verdict
from tests.unit.gates import synthetic

WHY = "Without finality within a few blocks, bridges and exchanges stop to serve the chain."
PANIC = "thread 'tokio-runtime-worker' panicked at runtime/src/migrations.rs:88: attempt to subtract with overflow"


def changed(journal, kind, change):
    """The journal with each entry of a kind changed; `change` returns the fields that are new."""
    return Journal.of(
        entry.model_copy(update=change(entry)) if isinstance(entry, kind) else entry for entry in journal.entries
    )


def with_gates(journal, change):
    """The journal of the same run with other gates in its rehearsal; `change` gets a gate and returns fields."""

    def rehearsal(started):
        spec = started.rehearsal.spec
        stages = tuple(
            stage.model_copy(update={"gates": tuple(gate.model_copy(update=change(gate)) for gate in stage.gates)})
            for stage in spec.stages
        )
        spec = spec.model_copy(update={"stages": stages})
        return {"rehearsal": started.rehearsal.model_copy(update={"spec": spec})}

    return changed(journal, RunStarted, rehearsal)


def whole(journal):
    """With the parachain's finality on the clock, and an author's `why` at each gate."""
    later = changed(journal, Clock, lambda clock: {"parachains": {"nest": int((clock.at - synthetic.START) / 4) + 7}})
    return with_gates(later, lambda _: {"why": WHY})


@cache
def passed():
    return whole(synthetic.run())


@cache
def failed():
    """An upgrade whose migration panics, and after which the relay chain stands still."""
    journal = whole(synthetic.run(upgrade_fails=True, relay_dies=True))
    at = next(e.at for e in journal.all(Event) if e.name == "upgrade.failed")
    panics = [
        Occurrences(
            at=at + 1, key='["logs","panicked at"]', query="lines with panicked at",
            target=Target(node=f"validator-{n}"), first=at - 20, last=at + 9,
            hits=(at - 8 + n, at - 7 + n), lines=(PANIC, PANIC + " " + "x" * 150),
        )
        for n in range(4)
    ]  # fmt: skip
    return Journal.of([*journal.entries, *panics])


@cache
def too_slow():
    """A threshold on values that no node keeps to."""
    return with_gates(passed(), lambda gate: {"at_most": 2.0} if gate.name == "finality-close" else {})


@cache
def inconclusive():
    """No samples came from two validators."""
    silent = {"validator-1", "validator-3"}
    return changed(
        passed(), Samples, lambda entry: {"rows": tuple(r for r in entry.rows if r.labels.get("node") not in silent)}
    )


def judged(journal):
    """The verdict on a journal, with a finding for each node of the gates that did not pass."""
    verdict = judge(journal)
    names = [node.name for node in journal.started.nodes]

    def findings(gate):
        if gate.verdict is Verdict.PASSED or not gate.query:
            return ()
        return tuple(
            NodeFinding(node=name, verdict=gate.verdict, reason=f"{name}: {gate.reason}", value=gate.value)
            for name in names
        )

    gates = tuple(gate.model_copy(update={"nodes": findings(gate)}) for gate in verdict.gates)
    return type(verdict)(verdict.verdict, verdict.reason, gates)


RUNS = {"passed": passed, "failed": failed, "too-slow": too_slow, "inconclusive": inconclusive}
