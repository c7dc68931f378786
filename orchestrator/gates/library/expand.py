"""Replaces `{use: NAME}` in a rehearsal's stages by the gates of that name. `cli` passes it to `spec.load`.

It works on the document as it was read, before the models validate it. So mistakes in an overridden gate are found by
the same rules, and reported at their line in the file. A gate that no node of this network can answer (no parachains,
or the simulated client does not model it) is left out and listed in the stage's `leftOut`. It would always be
inconclusive, and people would learn to ignore it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from orchestrator.errors import Mistake
from orchestrator.gates.library.catalogue import LIBRARY, Scaled
from orchestrator.gates.library.network import Network
from orchestrator.metrics.names import ELSEWHERE, METRICS, family
from orchestrator.metrics.promql import reads
from orchestrator.metrics.signals import CATALOGUE, Signal, targets
from orchestrator.spec import Selector, Testnet
from orchestrator.spec.document import Document
from orchestrator.spec.gate import Threshold
from orchestrator.spec.use import Use

_THRESHOLDS = {field.alias or name for name, field in Threshold.model_fields.items()}

Path_ = tuple[str | int, ...]
Words = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Expanded:
    """A gate's fields as a rehearsal writes them. `left_out` is the reason why it is left out, else empty."""

    name: str
    words: Words
    left_out: str = ""


def expand(document: Document, testnets: Mapping[str, Testnet]) -> tuple[Document, list[Mistake]]:
    """The document without any `use`, and the mistakes in the uses. Its line numbers are still those of the file."""
    stages = _within(document.data, "spec", "stages")
    if not isinstance(stages, list) or not any(_uses(stage) for stage in stages):
        return document, []
    network = Network.of(testnets.get(str(_within(document.data, "spec", "testnet"))))
    lines, mistakes, written = dict(document.lines), list[Mistake](), []
    places = dict[Path_, Path_]()
    for number, stage in enumerate(stages):
        if not _uses(stage):
            written.append(stage)
            continue
        path = ("spec", "stages", number, "gates")
        gates: list[Any] = []
        left_out: dict[str, str] = {}
        _forget(lines, path)
        for index, item in enumerate(stage["gates"]):
            before = (*path, index)
            if not _is_use(item):
                _carry(document.lines, lines, before, (*path, len(gates)))
                places[*path, len(gates)] = before
                gates.append(item)
                continue
            found, wrong = _replace(item, network)
            mistakes += [document.mistake((*before, *where), text) for where, text in wrong]
            for gate in found:
                if gate.left_out:
                    left_out[gate.name] = gate.left_out
                    continue
                override = (*before, "override", gate.name)
                _carry(document.lines, lines, override, (*path, len(gates)))
                lines[*path, len(gates)] = document.line(before)
                places[*path, len(gates)] = override if override in document.lines else before
                gates.append(gate.words)
        written.append({**stage, "gates": gates} | ({"leftOut": left_out} if left_out else {}))
    data = {**document.data, "spec": {**document.data["spec"], "stages": written}}
    return Document(document.file, data, lines, places), mistakes


def gates_of(use: Use, network: Network) -> Iterator[Expanded]:
    """The gates of a set, or the single gate of that name, with the user's overrides applied."""
    for name, of, window, changes in _named(use.use):
        if name in use.without:
            continue
        entry = LIBRARY.gates[of]
        here = {key: value for key, value in changes.items() if key != "scaled"}
        scaled = Scaled.model_validate(changes["scaled"]) if "scaled" in changes else entry.scaled
        words = {"why": entry.why, **entry.gate}
        if window is not None and "window" not in words:
            words["window"] = window
        words = _over(_over({**words, **network.resolve(scaled, words)}, here), use.override.get(name, {}))
        if not entry.simulated and network.simulated:
            yield Expanded(name, words, "the simulated client has nothing of the kind")
        elif entry.each_parachain:
            yield from _each_parachain(name, words, network)
        else:
            yield Expanded(name, {"name": name, **words}, _unanswerable(words, network))


def _named(name: str) -> Iterator[tuple[str, str, Words | None, Words]]:
    """For each gate: its name here, its name in the library, the phase's window, and the fields that differ."""
    if name in LIBRARY.gates:
        yield name, name, None, {}
        return
    for here, of, phase, changes in LIBRARY.sets[name].gates():
        window = phase.window.model_dump(mode="json", by_alias=True, exclude_unset=True) if phase.window else None
        yield here, of, window, changes


def _over(words: Words, changes: Words) -> Words:
    """A gate's fields with changes applied. A threshold in the changes replaces all thresholds of the gate."""
    if _THRESHOLDS & changes.keys():
        words = {key: value for key, value in words.items() if key not in _THRESHOLDS}
    return {**words, **changes}


def _each_parachain(name: str, words: Words, network: Network) -> Iterator[Expanded]:
    if not network.parachains:
        yield Expanded(name, words, "the network has no parachain")
    for number, chain in network.parachains:
        yield Expanded(name, {"name": f"{name}-{number}", **words, "on": {"chain": chain}})


def _unanswerable(words: Words, network: Network) -> str:
    """Why no node of this network can give the evidence; empty if one can."""
    signal = CATALOGUE.get(str(words.get("signal")))
    if signal is None or not network.nodes:
        return ""
    on = words.get("on")
    try:
        selector = Selector.model_validate(on or {})
    except ValidationError:
        return ""  # The gate's own validation reports this better.
    if not targets(network.nodes, selector, signal):
        return f"no node of the network has the signal {signal.name}"
    lacking = unmodelled(signal) if network.simulated else ""
    return f"the simulated client has no {lacking}" if lacking else ""


def unmodelled(signal: Signal) -> str:
    """A metric that the signal reads and the simulated client does not have; empty if it has all of them."""
    names = (family(read.name) for read in reads(signal.promql))
    return next((name for name in names if name not in ELSEWHERE and not METRICS[name].simulated), "")


def _replace(item: Words, network: Network) -> tuple[list[Expanded], list[tuple[Path_, str]]]:
    """The gates of one use, and its mistakes: path inside the use, and text."""
    try:
        use = Use.model_validate(item)
    except ValidationError as error:
        return [], [(tuple(one["loc"]), _sentence(one["type"], one["msg"])) for one in error.errors(include_url=False)]
    if use.use not in LIBRARY.sets and use.use not in LIBRARY.gates:
        known = ", ".join(sorted(LIBRARY.sets))
        return [], [(("use",), f"no set or gate {use.use} in the library; the sets are {known}")]
    names = {name for name, *_ in _named(use.use)}
    wrong: list[tuple[Path_, str]] = []
    for field, given in (("without", enumerate(use.without)), ("override", ((name, name) for name in use.override))):
        wrong += [((field, key), f"{use.use} has no gate {name}") for key, name in given if name not in names]
    return list(gates_of(use, network)), wrong


def _sentence(kind: str, text: str) -> str:
    return "no such field" if kind == "extra_forbidden" else text


def _within(data: Any, *keys: str) -> Any:
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data


def _is_use(item: Any) -> bool:
    return isinstance(item, dict) and "use" in item


def _uses(stage: Any) -> bool:
    gates = _within(stage, "gates")
    return isinstance(gates, list) and any(map(_is_use, gates))


def _forget(lines: dict[Path_, int], path: Path_) -> None:
    """Removes the line numbers below a path, because its content is about to move."""
    for key in [key for key in lines if key[: len(path)] == path and len(key) > len(path)]:
        del lines[key]


def _carry(source: Mapping[Path_, int], lines: dict[Path_, int], before: Path_, after: Path_) -> None:
    """Copies the line numbers below the path `before` of the file to the path `after`."""
    for key, line in source.items():
        if key[: len(before)] == before:
            lines[after + key[len(before) :]] = line
