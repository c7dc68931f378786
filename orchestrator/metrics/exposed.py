"""Compares, before a run, the metrics that gates need with those on the nodes' metrics pages.

A metric that a client does not have gives an empty answer, and an `or 0` in a query turns that into a good-looking
zero. So the page of each distinct program of a network is read once, and missing metrics are reported with the nearest
names before time is spent. Pure; `run.names` reads the pages and records the result.

A client shows a counter with labels only after its first use (`names.Metric.lazy`). If we know that the node's version
has the counter, its absence means "not yet". If the version is newer than those we know, it means nothing.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from orchestrator.journal import Node
from orchestrator.metrics.names import ELSEWHERE, METRICS, NEWEST, Metric, Release, family
from orchestrator.metrics.promql import Read, reads
from orchestrator.metrics.signals import CATALOGUE, Signal, targets
from orchestrator.spec import Gate

_TYPE = re.compile(r"^# TYPE (\S+) (\S+)$")
_SAMPLE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? \S+")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')
_VERSION = re.compile(r"^(\d+)\.(\d+)\.")
_SIMULATED = "SIMULATED"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One program on one chain. All nodes of a group run the same program, so one of them represents all."""

    group: str
    chain: str

    def __str__(self) -> str:
        return f"{self.group} on {self.chain}"


@dataclass(frozen=True, slots=True)
class Page:
    """A node's metrics page: its version, the kind of each family, and the labels of the samples by name."""

    version: str
    kinds: Mapping[str, str]
    samples: Mapping[str, tuple[Mapping[str, str], ...]]

    @property
    def release(self) -> Release | None:
        """The node's release line. None if its version is not one of a real node."""
        found = _VERSION.match(self.version)
        return (int(found[1]), int(found[2])) if found and not self.simulated else None

    @property
    def simulated(self) -> bool:
        return _SIMULATED in self.version

    @property
    def known(self) -> bool:
        """Whether we know the metrics of this version."""
        return self.release is not None and self.release <= NEWEST


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why a gate would have no evidence. If `certain`, it cannot pass; otherwise that is not known yet."""

    stage: str
    gate: str
    metric: str
    where: str
    reason: str
    certain: bool

    def __str__(self) -> str:
        verb = "will be" if self.certain else "may be"
        return f"{self.stage} / {self.gate} {verb} inconclusive: {self.reason}"


def read_page(text: str) -> Page:
    """Reads a metrics page in Prometheus' text format. Invalid lines are ignored."""
    kinds: dict[str, str] = {}
    samples: dict[str, list[Mapping[str, str]]] = {}
    for line in text.splitlines():
        if found := _TYPE.match(line):
            kinds[found[1]] = found[2]
        elif found := _SAMPLE.match(line):
            samples.setdefault(found[1], []).append(dict(_LABEL.findall(found[2] or "")))
    info = next(iter(samples.get("substrate_build_info", ())), {})
    return Page(info.get("version", ""), kinds, {name: tuple(labels) for name, labels in samples.items()})


def doubts(
    gates: Iterable[tuple[str, Gate]], nodes: tuple[Node, ...], pages: Mapping[Endpoint, Page | str]
) -> tuple[Doubt, ...]:
    """The doubts about all gates that read metrics. Gates come with the name of their stage.

    In `pages`, a text stands for a page that could not be read, and gives the reason.
    """
    return tuple(doubt for stage, gate in gates for doubt in _of(stage, gate, nodes, pages))


def _of(stage: str, gate: Gate, nodes: tuple[Node, ...], pages: Mapping[Endpoint, Page | str]) -> Iterator[Doubt]:
    signal = CATALOGUE.get(gate.signal) if gate.signal is not None else None
    query = signal.promql if signal is not None else gate.promql
    if query is None:
        return
    by_name = {node.name: node for node in nodes}
    asked = [(by_name[target.node], target.chain or "") for target in targets(nodes, gate.on, signal)]
    endpoints = tuple(dict.fromkeys(Endpoint(node.group, chain) for node, chain in asked))
    if signal is not None and not endpoints:
        yield Doubt(stage, gate.name, "", "", _nobody(signal), certain=True)
        return
    for read in reads(query):
        if read.name in ELSEWHERE:
            continue
        found = {endpoint: _missing(read, pages.get(endpoint, "it was not asked")) for endpoint in endpoints}
        wrong = {endpoint: lack for endpoint, lack in found.items() if lack is not None}
        if signal is None and len(wrong) < len(found):
            # For a metric in the user's own query we do not know which nodes should have it. One node is enough.
            continue
        for endpoint, lack in wrong.items():
            reason = f"{endpoint}: {lack.reason}"
            yield Doubt(stage, gate.name, read.name, str(endpoint), reason, certain=lack.certain)


def _nobody(signal: Signal) -> str:
    who = ", ".join(f"{role or 'every role'} on a {chain} chain" for chain, role in signal.carriers)
    return f"none of the nodes that it selects has the signal {signal.name}; it is one of {who}"


@dataclass(frozen=True, slots=True)
class _Lack:
    reason: str
    certain: bool


def _missing(read: Read, page: Page | str) -> _Lack | None:
    """What a page lacks for a query. None if it has everything, or will have it later."""
    if isinstance(page, str):
        return _Lack(f"its metrics are unknown: {page}", certain=False)
    known = METRICS.get(family(read.name))
    if samples := page.samples.get(read.name):
        return _labels(read, samples, known)
    if family(read.name) in page.kinds or read.name in page.kinds:
        if known is not None and known.lazy:
            return None
        return _Lack(f"{read.name} is registered and has no sample yet", certain=False)
    if known is not None and known.lazy:
        return _unseen(known, page)
    return _Lack(_absent(read.name, page, known), certain=True)


def _unseen(metric: Metric, page: Page) -> _Lack | None:
    """What it means that a page lacks a counter that appears with its first use."""
    if page.simulated:
        return None if metric.simulated else _Lack(_absent(metric.name, page, metric), certain=True)
    if page.known:
        return None
    version = page.version or "an unknown version"
    return _Lack(
        f"{metric.name} comes with its first use; whether {version} has it under that name is not known", certain=False
    )


def _absent(name: str, page: Page, known: Metric | None) -> str:
    version = page.version or "an unknown version"
    if known is not None and known.since is not None and (release := page.release) and release < known.since:
        return f"{name} came with {known.since[0]}.{known.since[1]}, and this is {version}"
    if known is not None and page.simulated and not known.simulated:
        return f"the simulated client has no {name}, because it does not model what that counts"
    near = get_close_matches(name, [*page.kinds, *page.samples], n=3, cutoff=0.7)
    hint = f"; near are {', '.join(dict.fromkeys(near))}" if near else ""
    return f"{version} has no {name}{hint}"


def _labels(read: Read, samples: tuple[Mapping[str, str], ...], known: Metric | None) -> _Lack | None:
    if any(all(matcher.meets(labels) for matcher in read.matchers) for labels in samples):
        return None
    if known is not None and known.lazy:
        return None
    for matcher in read.matchers:
        values = sorted({labels[matcher.label] for labels in samples if matcher.label in labels})
        if not values:
            names = sorted({name for labels in samples for name in labels})
            return _Lack(f"{read.name} has no label {matcher.label}; its labels are {', '.join(names)}", certain=True)
        if not any(matcher.meets(labels) for labels in samples):
            near = get_close_matches(matcher.value, values, n=3, cutoff=0.0) or values[:3]
            seen = f"{read.name} is seen with {matcher.label} = {', '.join(near)} and not with {matcher.value!r}"
            return _Lack(seen, certain=known is not None)
    return _Lack(f"no sample of {read.name} has all the requested labels", certain=known is not None)
