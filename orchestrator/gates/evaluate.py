"""What a measurement means. Pure: the same measurement gives the same verdict, in the run and offline.

The findings of all nodes are merged by the lattice: one node that breaches fails the gate, one that is missing makes it
inconclusive, and with no node left there is nothing that could have passed.
"""

from collections.abc import Callable, Iterator

from orchestrator.gates import agreement, series, verdict
from orchestrator.gates.evidence import lay
from orchestrator.gates.series import Finding, Meaning
from orchestrator.gates.window import Timeline
from orchestrator.journal import GateVerdict, Measurement, Series, Target, Verdict


def evaluate(measurement: Measurement, timeline: Timeline) -> GateVerdict:
    """The verdict on one gate. Never raises: a crash of the evaluation is an ERROR and can be read in the report."""
    try:
        return _evaluate(measurement, timeline)
    except Exception as error:  # noqa: BLE001  Whatever breaks here must not take the other gates' verdicts with it.
        finding = Finding(Verdict.ERROR, f"the evaluation broke: {type(error).__name__}: {error}")
        return _told(measurement, finding, timeline)


def _evaluate(measurement: Measurement, timeline: Timeline) -> GateVerdict:
    if measurement.error is not None:
        return _told(measurement, Finding(Verdict.ERROR, measurement.error), timeline)
    if measurement.window is None:
        reason = measurement.unresolved or "there was no window"
        return _told(measurement, Finding(Verdict.INCONCLUSIVE, reason), timeline)
    if measurement.gate.chain_read is not None:
        findings = list(agreement.findings(measurement))
    else:
        findings = list(_findings(measurement))
    if measurement.warnings:
        findings.append(Finding(Verdict.INCONCLUSIVE, f"Prometheus warned: {measurement.warnings[0]}"))
    return _told(measurement, worst(findings), timeline)


def worst(findings: list[Finding]) -> Finding:
    """The finding that decides, with how many others say the same."""
    if not findings:
        return Finding(Verdict.INCONCLUSIVE, "no samples came")
    merged = verdict.merge(finding.verdict for finding in findings)
    alike = sorted((f for f in findings if f.verdict is merged), key=lambda f: (-f.badness, f.node, f.reason))
    first, others = alike[0], len(alike) - 1
    if not others:
        return first
    if not first.node:
        told = "; ".join(finding.reason for finding in alike)
    elif merged is Verdict.PASSED:
        told = f"{first.reason} (the worst of {len(alike)})"
    else:
        told = f"{first.reason} (and {others} more like it)"
    return Finding(merged, told, first.value, first.badness, first.when, first.node)


def _findings(measurement: Measurement) -> Iterator[Finding]:
    gate, window = measurement.gate, measurement.window
    assert window is not None
    meaning = Meaning.of(gate)
    name = _namer(measurement)
    left: list[Target | None] = [target for target in measurement.expected if target.node not in measurement.spared]
    if measurement.expected and not left:
        yield Finding(Verdict.INCONCLUSIVE, "every node was left out, so nobody was judged")
    for target in left if measurement.expected else [None]:
        mine = [s for s in measurement.series if target is None or belongs(s, target)]
        mine = [s for s in mine if any(window.start <= when <= window.end for when, _ in s.samples)]
        node = name(target) if target else ""
        if not mine:
            yield _missing(measurement, node)
        for one in mine:
            found = series.judge(gate, meaning, lay(one.samples, window, measurement.step))
            label = node or _labels(one)
            yield Finding(found.verdict, _on(found.reason, label), found.value, found.badness, found.when, label)


def _missing(measurement: Measurement, node: str) -> Finding:
    reason = f"no samples from {node}" if node else "no samples came"
    is_open = measurement.window is not None and measurement.window.open
    if measurement.gate.policy.missing == "fail" and node and not is_open:
        return Finding(Verdict.FAILED, reason, badness=float("inf"), node=node)
    return Finding(Verdict.INCONCLUSIVE, reason, node=node)


def belongs(series: Series, target: Target) -> bool:
    """Whether the series is the target's. A query of one's own may have summed the chain away."""
    chain = series.labels.get("chain")
    return series.labels.get("node") == target.node and (target.chain is None or chain is None or chain == target.chain)


def _namer(measurement: Measurement) -> Callable[[Target], str]:
    """How to call a target: by its node, and by its chain too where the node is there for two."""
    nodes = [target.node for target in measurement.expected]
    return lambda target: target.node if nodes.count(target.node) == 1 else str(target)


def _labels(one: Series) -> str:
    shown = {key: value for key, value in sorted(one.labels.items()) if key != "__name__"}
    return shown.get("node") or ",".join(f"{key}={value}" for key, value in shown.items())


def _on(reason: str, node: str) -> str:
    return f"{node}: {reason}" if node else reason


def _told(measurement: Measurement, finding: Finding, timeline: Timeline) -> GateVerdict:
    gate = measurement.gate
    reason = finding.reason
    if finding.verdict in {Verdict.PASSED, Verdict.FAILED}:
        reason += f"; asked was {gate.threshold_text()}"
    if measurement.spared:
        reason += f"; left out, for the stage's fault stopped them: {', '.join(measurement.spared)}"
    try:
        meaning_unit = "s" if gate.recovers_within is not None else Meaning.of(gate).unit
    except KeyError:
        meaning_unit = ""
    return GateVerdict(
        stage=measurement.stage,
        gate=gate.name,
        verdict=finding.verdict,
        reason=reason,
        threshold=gate.threshold_text(),
        query=measurement.query,
        value=finding.value,
        unit=meaning_unit,
        node=finding.node or None,
        when=finding.when,
        block=timeline.block(finding.when),
        spared=measurement.spared,
    )
