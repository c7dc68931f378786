"""Formats the library of gates for people and for machines. Called by `gates`."""

from typing import Any

import yaml

from orchestrator.gates.library import LIBRARY, GateSet, LibraryGate


def names() -> dict[str, Any]:
    """Every set with the names of its gates, and every gate with its concern."""
    sets = {name: [here for here, *_ in found.gates()] for name, found in LIBRARY.sets.items()}
    return {"sets": sets, "gates": dict(LIBRARY.concern_of)}


def listed() -> str:
    """The sets and, grouped by concern, the gates; one line for each."""
    lines = ["sets", *(f"  {name:26}{found.about}" for name, found in LIBRARY.sets.items())]
    for concern, about in LIBRARY.concerns.items():
        lines += ["", f"{concern}: {about}"]
        lines += [f"  {name:26}{gate.why}" for name, gate in LIBRARY.gates.items() if _concern(name) == concern]
    return "\n".join(lines)


def page(name: str) -> dict[str, Any] | None:
    """Everything known about a set or a gate: gate name -> its fields. None if no set or gate has this name."""
    if name in LIBRARY.sets:
        return _set(LIBRARY.sets[name])
    return {name: _gate(LIBRARY.gates[name], {})} if name in LIBRARY.gates else None


def written(name: str, found: dict[str, Any]) -> str:
    """The page as YAML. For a set, the first lines say what it is about and how a stage uses it."""
    body = yaml.safe_dump(found, sort_keys=False, allow_unicode=True, width=110).rstrip()
    if name not in LIBRARY.sets:
        return body
    return f"# {LIBRARY.sets[name].about}\n# In a stage: gates: [{{use: {name}}}]\n\n{body}"


def _concern(name: str) -> str:
    return LIBRARY.concern_of[name]


def _set(found: GateSet) -> dict[str, Any]:
    gates = {}
    for name, of, phase, changes in found.gates():
        window = phase.window.model_dump(mode="json", by_alias=True, exclude_unset=True) if phase.window else None
        gates[name] = _gate(LIBRARY.gates[of], changes | ({"window": window} if window else {}))
    return gates


def _gate(gate: LibraryGate, here: dict[str, Any]) -> dict[str, Any]:
    """The gate from the library, and what the set changes."""
    shown: dict[str, Any] = {"why": gate.why, "source": gate.source, "gate": gate.gate}
    if scaled := gate.scaled.model_dump(by_alias=True, exclude_none=True):
        shown["scaled"] = scaled
    if not gate.simulated:
        shown["simulated"] = False
    return shown | ({"here": here} if here else {})
