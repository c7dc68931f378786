"""Small measurements for tests of the evaluation: gates from YAML's words, series from plain lists of values."""

from orchestrator.gates.window import Timeline
from orchestrator.journal import Clock, MeasuredWindow, Measurement, Series, Target
from orchestrator.spec import Gate
from orchestrator.spec.gate import SOURCES as SOURCE_NAMES
from orchestrator.spec.gate import Policy

START = 1000.0
NOTHING = object()
"""A hole in a list of values."""


POLICIES = {field.alias for field in Policy.model_fields.values()}
SOURCES = {Gate.model_fields[name].alias for name in SOURCE_NAMES}


def gate(**words):
    """A gate of the words of its file; those of its policy may stand beside the others."""
    source = {} if SOURCES & words.keys() else {"signal": "finality-lag"}
    policy = {name: words.pop(name) for name in POLICIES & words.keys()}
    return Gate.model_validate({"name": "a-gate", **source, "policy": policy, **words})


def series(values, node="validator-0", chain="relay", *, step=1.0, first=0):
    samples = [(START + (first + i) * step, float(v)) for i, v in enumerate(values) if v is not NOTHING]
    return Series(labels={"node": node, "chain": chain}, samples=tuple(samples))


def measured(gate, *series, end=None, is_open=False, expected=None, since=START, **more):
    """A measurement of a window that the longest series fills."""
    if end is None:
        end = max((s.samples[-1][0] for s in series if s.samples), default=START + 10)
    if expected is None:
        expected = tuple(dict.fromkeys(Target(node=s.labels["node"], chain=s.labels["chain"]) for s in series))
    window = MeasuredWindow(start=START, end=end, since=since, start_block=10, end_block=20, open=is_open)
    return Measurement(
        at=end, stage="a-stage", gate=gate, window=window, step=1.0, expected=expected, series=series, query="q", **more
    )


CLOCK = Timeline.of(Clock(at=START + i, best=10 + i, finalized=8 + i, session=i // 6) for i in range(60))
