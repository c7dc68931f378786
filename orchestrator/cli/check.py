"""`coalmine validate`."""



from orchestrator.cli import console, options
from orchestrator.errors import SpecError


def validate(files: options.Files, output: options.Output = options.Format.TEXT) -> int:
    """Check files: every mistake in one go, with file, line and path. Needs no cluster, changes nothing."""
    from orchestrator.gates.check import checks  # noqa: PLC0415  Slow to import, and only some verbs need it.
    from orchestrator.spec.load import load  # noqa: PLC0415  As above.

    try:
        loaded = load(files, checks=checks())
    except SpecError as error:
        if output is options.Format.JSON:
            console.data([_mistake(m) for m in error.mistakes])
            return error.exit_code
        raise
    found = [*loaded.testnets.values(), *loaded.rehearsals.values()]
    names = [f"{item.kind} {item.name}" for item in found]
    names += [f"{item.kind} {item.metadata.name}" for item in (*loaded.experiments.values(), *loaded.upgrades.values())]
    if output is options.Format.JSON:
        console.data([])
    else:
        console.say(f"good: {', '.join(names)}")
    return 0


def _mistake(mistake: object) -> dict[str, object]:
    return {name: getattr(mistake, name) for name in ("file", "line", "path", "message")}
