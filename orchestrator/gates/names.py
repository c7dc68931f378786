"""Whether the names of a gate exist: metrics on the nodes' pages, items and events in the chain's runtime. Pure.

A counter that appears with its first use is read as "or zero", an absent storage item as its default, and an event
that nobody has is counted as none. So where the evidence shows nothing but zero, a gate can pass only if the check
before the run (`run.names`) found the name.
"""

import re
from collections.abc import Iterable, Iterator

from pydantic import JsonValue

from orchestrator.gates.case import Case
from orchestrator.gates.decide import Finding, unknown
from orchestrator.journal import Event
from orchestrator.metrics.exposed import Endpoint
from orchestrator.metrics.promql import reads
from orchestrator.metrics.signals import CATALOGUE, targets
from orchestrator.spec.testnet import RELAY

CHECKED = "names.checked"
"""The event that `run.names` records. Its detail has `doubts` (`metrics.exposed.Doubt`), `versions` by each endpoint
that was read, and `runtime`: each storage item and event, with whether the chain's runtime knows it."""

_MAKES_VALUES = re.compile(r"\b(or|absent|absent_over_time|vector|scalar|unless)\b")
"""What in PromQL can give a value where the metric has none."""


def judge(case: Case) -> Iterator[Finding]:
    """A finding if a name of the gate is not known to exist; nothing if it is, or if the evidence shows it."""
    gate = case.gate
    checks = [event for event in case.record.events if event.name == CHECKED]
    if gate.signal is not None or gate.promql is not None:
        yield from _metrics(case, checks)
    elif gate.chain_events is not None:
        seen = any(entry.hits for entry in case.record.occurrences(case.question.key))
        event = f"{gate.chain_events.pallet}.{gate.chain_events.name}"
        yield from () if seen else _runtime(checks, "event", event, {gate.on.chain or RELAY})
    elif gate.storage is not None:
        item = f"{gate.storage.pallet}.{gate.storage.item}"
        chains = {target.chain or RELAY for target in case.judged}
        yield from _runtime(checks, "storage", item, chains)


def _metrics(case: Case, checks: list[Event]) -> Iterator[Finding]:
    signal = CATALOGUE.get(case.gate.signal) if case.gate.signal is not None else None
    query = signal.promql if signal is not None else case.gate.promql or ""
    groups = {node.name: node.group for node in case.record.nodes}
    asked = targets(case.record.nodes, case.gate.on, signal)
    endpoints = dict.fromkeys(str(Endpoint(groups[target.node], target.chain or "")) for target in asked)
    made_up = bool(_MAKES_VALUES.search(query))
    doubts = _doubts(checks, certain=not made_up)
    for read in reads(query):
        for where in endpoints:
            if (reason := doubts.get((read.name, where))) is not None:
                yield unknown(f"before the run, {reason}")
                return
    read_pages = {where for check in checks for where in _names(check.detail.get("versions"))}
    if made_up and signal is not None and (unread := [where for where in endpoints if where not in read_pages]):
        yield unknown(f"nobody checked before the run whether {unread[0]} has what this counts")
    elif made_up and not checks:
        yield unknown("nobody checked before the run whether the nodes have what this counts")


def _doubts(checks: Iterable[Event], *, certain: bool) -> dict[tuple[str, str], str]:
    """(metric, endpoint) and the reason, for each metric that may be missing at an endpoint; or certainly is."""
    found: dict[tuple[str, str], str] = {}
    for check in checks:
        doubts = check.detail.get("doubts")
        for doubt in doubts if isinstance(doubts, list) else ():
            if isinstance(doubt, dict) and (doubt.get("certain") or not certain):
                found.setdefault((_text(doubt.get("metric")), _text(doubt.get("where"))), _text(doubt.get("reason")))
    return found


def _runtime(checks: Iterable[Event], kind: str, name: str, chains: set[str]) -> Iterator[Finding]:
    known: dict[str, tuple[bool, str]] = {}
    for check in checks:
        found = check.detail.get("runtime")
        for one in found if isinstance(found, list) else ():
            if isinstance(one, dict) and (one.get("kind"), one.get("name")) == (kind, name):
                known[_text(one.get("chain"))] = one.get("known") is True, _text(one.get("reason"))
    for chain in sorted(chains):
        exists, reason = known.get(chain, (False, "nobody checked before the run"))
        if not exists:
            yield unknown(f"whether the runtime of {chain} has {name} is not known: {reason}")
            return


def _names(value: JsonValue) -> list[str]:
    return list(value) if isinstance(value, dict) else []


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else ""
