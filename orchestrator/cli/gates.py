"""`coalmine gates`: what the library has, and what it means."""

from typing import Annotated, Any

import typer
import yaml

from orchestrator.cli import console, options
from orchestrator.cli.format import Format
from orchestrator.errors import UsageError
from orchestrator.gates.library import LIBRARY, GateSet, LibraryGate

app = typer.Typer(help="Gates and sets of gates that come with coalmine.", no_args_is_help=True)


@app.command(name="list")
def list_(output: options.Output = Format.TEXT) -> int:
    """List the sets and, concern by concern, the gates."""
    if output is Format.JSON:
        sets = {name: [here for here, *_ in found.gates()] for name, found in LIBRARY.sets.items()}
        console.data({"sets": sets, "gates": dict(LIBRARY.concern_of)})
        return 0
    lines = ["sets", *(f"  {name:26}{found.about}" for name, found in LIBRARY.sets.items())]
    for concern, about in LIBRARY.concerns.items():
        lines += ["", f"{concern}: {about}"]
        lines += [f"  {name:26}{gate.why}" for name, gate in LIBRARY.gates.items() if _concern(name) == concern]
    console.text("\n".join(lines))
    return 0


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="A set or a gate, as `list` has it.")],
    output: options.Output = Format.TEXT,
) -> int:
    """Show a gate, or all gates of a set: why each is there, where its numbers come from, what it says."""
    if name not in LIBRARY.sets and name not in LIBRARY.gates:
        raise UsageError(f"no set or gate {name} in the library", hint="coalmine gates list")
    found = _set(LIBRARY.sets[name]) if name in LIBRARY.sets else {name: _gate(LIBRARY.gates[name], {})}
    if output is Format.JSON:
        console.data(found)
        return 0
    if name in LIBRARY.sets:
        console.text(f"# {LIBRARY.sets[name].about}\n# In a stage: gates: [{{use: {name}}}]\n")
    console.text(yaml.safe_dump(found, sort_keys=False, allow_unicode=True, width=110).rstrip())
    return 0


def _concern(name: str) -> str:
    return LIBRARY.concern_of[name]


def _set(found: GateSet) -> dict[str, Any]:
    gates = {}
    for name, of, phase, changes in found.gates():
        window = phase.window.model_dump(mode="json", by_alias=True, exclude_unset=True) if phase.window else None
        gates[name] = _gate(LIBRARY.gates[of], changes | ({"window": window} if window else {}))
    return gates


def _gate(gate: LibraryGate, here: dict[str, Any]) -> dict[str, Any]:
    """The gate as the library has it, and what a set changes of it."""
    shown: dict[str, Any] = {"why": gate.why, "source": gate.source, "gate": gate.gate}
    if scaled := gate.scaled.model_dump(by_alias=True, exclude_none=True):
        shown["scaled"] = scaled
    if not gate.simulated:
        shown["simulated"] = False
    return shown | ({"here": here} if here else {})
