"""What a gate may name: the signals of the catalogue, and the gates and sets of the library."""

from itertools import groupby

import yaml

from orchestrator.cli.reference.markdown import capital, table
from orchestrator.gates.library import LIBRARY, LibraryGate
from orchestrator.metrics.names import ELSEWHERE, METRICS, family
from orchestrator.metrics.promql import reads
from orchestrator.metrics.signals import CATALOGUE, Signal


def signals() -> str:
    parts = [
        (
            "# Signals\n\nWhat `signal:` in a [gate](gate.md) may name. Each is asked of every node that has it. "
            "*Better* says which way is healthy. *simnode* says whether the simulated client has it.\n"
        )
    ]
    for concern, group in groupby(CATALOGUE.values(), key=lambda signal: signal.concern):
        rows = [
            (f"`{one.name}`", one.unit, one.direction, _carriers(one), "yes" if _simulated(one) else "no", one.sentence)
            for one in group
        ]
        header = ("signal", "unit", "better", "nodes", "simnode", "meaning")
        parts.append(f"## {capital(concern)}\n\n" + table(header, rows))
    return "\n".join(parts)


def _carriers(signal: Signal) -> str:
    return ", ".join(f"{role or 'all'} ({chain})" for chain, role in signal.carriers)


def _simulated(signal: Signal) -> bool:
    names = {read.name for read in reads(signal.promql)} - ELSEWHERE
    return all(METRICS[family(name)].simulated for name in names)


def library() -> str:
    parts = [
        (
            "# Library of gates\n\nWhat `use:` in a stage's gates may name: a set, or a single gate. "
            "`coalmine gates show NAME` prints one whole.\n\n## Sets\n"
        ),
        table(
            ("set", "for", "gates"),
            [
                (f"`{name}`", found.about, ", ".join(f"`{here}`" for here, *_ in found.gates()))
                for name, found in LIBRARY.sets.items()
            ],
        ),
    ]
    for concern, about in LIBRARY.concerns.items():
        gates = [(name, gate) for name, gate in LIBRARY.gates.items() if LIBRARY.concern_of[name] == concern]
        rows = [(f"`{name}`", f"`{_asked(gate)}`", gate.why, gate.source) for name, gate in gates]
        parts.append(
            f"## {capital(concern)}\n\n{about}\n\n" + table(("gate", "asks", "why", "where its numbers are from"), rows)
        )
    return "\n".join(parts)


def _asked(gate: LibraryGate) -> str:
    scaled = gate.scaled.model_dump(by_alias=True, exclude_none=True)
    whole = gate.gate | ({"scaled": scaled} if scaled else {})
    return " ".join(yaml.safe_dump(whole, default_flow_style=True, sort_keys=False, width=10_000).split())
