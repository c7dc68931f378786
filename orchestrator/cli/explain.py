"""`coalmine explain` and `coalmine schema`: what a file may contain."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli import listing, stdout
from orchestrator.cli.format import Format
from orchestrator.cli.options import Output

if TYPE_CHECKING:
    from orchestrator.spec.explain import Explanation

_SIGNALS = "signals"


def explain(
    path: Annotated[
        str | None, typer.Argument(help="Such as testnet.relaychain.groups, or signals; kinds without it.")
    ] = None,
    output: Output = Format.TEXT,
) -> int:
    """Say what a field means: its sentence, type, unit, default and what is inside."""
    from orchestrator.spec import explain as explaining

    if path is None:
        kinds = explaining.kinds() | {_SIGNALS: "What a gate can ask of nodes by name; not a kind of its own."}
        return _table(("kind", "meaning"), list(kinds.items()), output)
    if path == _SIGNALS:
        from orchestrator.metrics.signals import CATALOGUE

        rows = [(one.name, one.unit, one.sentence) for one in CATALOGUE.values()]
        return _table(("signal", "unit", "meaning"), rows, output)
    found = explaining.explain(path)
    if output is Format.JSON:
        stdout.data(
            {name: getattr(found, name) for name in found.__slots__ if name != "fields"}
            | {"fields": [dict(zip(("name", "type", "sentence"), field, strict=True)) for field in found.fields]}
        )
    else:
        stdout.text(_text(found))
    return 0


def schema(kind: Annotated[str, typer.Argument(help="Such as Testnet; `coalmine explain` lists the kinds.")]) -> int:
    """Print the JSON Schema of a kind, for editors that check what you write."""
    from orchestrator.spec import explain as explaining

    stdout.data(explaining.schema(kind))
    return 0


def _table(header: tuple[str, ...], rows: Sequence[Sequence[str]], output: Format) -> int:
    if output is Format.JSON:
        stdout.data([dict(zip(header, row, strict=True)) for row in rows])
    else:
        stdout.text(listing.columns(header, rows))
    return 0


def _text(found: "Explanation") -> str:
    exactly_one = bool(found.fields) and bool(found.alternatives)
    pairs = [
        ("Field" if "." in found.path else "Kind", found.path),
        ("Meaning", found.sentence),
        ("Type", found.type),
        ("Unit", found.unit),
        ("Default", "none; it must be given" if found.required and "." in found.path else found.default),
        ("Limits", ", ".join(found.limits)),
        ("Exactly one of" if exactly_one else "One of", ", ".join(found.alternatives)),
    ]
    text = listing.facts([(name, value) for name, value in pairs if value])
    if not found.fields:
        return text
    return text + "\n\n" + listing.columns(("field", "type", "meaning"), found.fields)
