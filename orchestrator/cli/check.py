"""`coalmine validate`."""

from orchestrator.cli import options, stdout
from orchestrator.cli.format import Format
from orchestrator.errors import SpecError


def validate(files: options.Files, output: options.Output = Format.TEXT) -> int:
    """Check files: every mistake in one go, with file, line and path. Needs no cluster, changes nothing."""
    from orchestrator.cli import console
    from orchestrator.gates.library import expand
    from orchestrator.metrics.check import check
    from orchestrator.spec.load import load

    try:
        loaded = load(files, checks=[check], expand=expand)
    except SpecError as error:
        if output is Format.JSON:
            stdout.data([_mistake(m) for m in error.mistakes])
            return error.exit_code
        raise
    names = [f"Testnet {name}" for name in loaded.testnets] + [f"Rehearsal {name}" for name in loaded.rehearsals]
    names += [f"ChaosExperiment {name}" for name in loaded.experiments]
    names += [f"RuntimeUpgrade {name}" for name in loaded.upgrades]
    if output is Format.JSON:
        stdout.data([])
    else:
        console.say(f"good: {', '.join(names)}")
        for stage in (stage for rehearsal in loaded.rehearsals.values() for stage in rehearsal.spec.stages):
            for gate, reason in stage.left_out.items():
                console.say(f"{stage.name} goes without {gate}: {reason}")
    return 0


def _mistake(mistake: object) -> dict[str, object]:
    return {name: getattr(mistake, name) for name in ("file", "line", "path", "message")}
