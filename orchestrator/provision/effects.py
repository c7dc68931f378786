"""Predicts what a change does to running pods: which restart, come or go. Pure. Called by `network` and `cli`.

A pod restarts only if its controller's template changes. It reads chain specs, keys and Secrets only at its start.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from orchestrator.engine.port import KEEPS_DATA, Change
from orchestrator.errors import Refused
from orchestrator.render import Manifest

Impact = Literal["untouched", "changed in place", "created", "deleted", "pods restart", "replaced"]

_TEMPLATED = ("StatefulSet", "Deployment", "DaemonSet")


@dataclass(frozen=True, slots=True)
class Effect:
    """What happens to one object. `restarting`, `added` and `removed` count its pods."""

    key: str
    impact: Impact
    restarting: int = 0
    added: int = 0
    removed: int = 0
    paths: tuple[str, ...] = ()

    def __str__(self) -> str:
        told = ", ".join(
            f"{_count(count, 'pod')} {_verb(what, count)}{tail}"
            for what, count, tail in (
                ("restart", self.restarting, ""),
                ("come", self.added, ""),
                ("go", self.removed, ", with its volume" if self.removed == 1 else ", with their volumes"),
            )
            if count
        )
        why = f" ({_causes(self.paths)})" if self.paths and (self.restarting or self.impact == "replaced") else ""
        return f"{self.key}: {self.impact}{': ' + told if told else ''}{why}"


def effects(
    changes: Iterable[Change], manifests: Sequence[Manifest], live: Mapping[str, dict[str, Any] | None]
) -> tuple[Effect, ...]:
    """The effect of each change, in the order of the changes. `live` holds the existing objects by key."""
    wanted = {manifest.key: manifest.document for manifest in manifests}
    return tuple(_effect(change, wanted.get(change.key), live.get(change.key)) for change in changes)


def disturbing(found: Iterable[Effect]) -> tuple[Effect, ...]:
    """The effects that touch running nodes, restarts first."""
    felt = [effect for effect in found if effect.restarting or effect.removed or effect.impact == "replaced"]
    return tuple(sorted(felt, key=lambda effect: (-effect.restarting, effect.key)))


def summary(found: Sequence[Effect]) -> tuple[str, ...]:
    """One line that counts the restarts, then one line for each object whose change touches running nodes."""
    felt = disturbing(found)
    restarting = sum(effect.restarting for effect in felt)
    groups = sum(1 for effect in felt if effect.restarting)
    coming, going = (sum(getattr(effect, name) for effect in found) for name in ("added", "removed"))
    head = (
        f"{_count(restarting, 'pod')} of {_count(groups, 'object')} {_verb('restart', restarting)}"
        if restarting
        else "no pod restarts"
    )
    tail = "".join(f", {count} {_verb(verb, count)}" for count, verb in ((coming, "come"), (going, "go")) if count)
    return (head + tail, *(str(effect) for effect in felt))


def refuse_loss(changes: Iterable[Change]) -> None:
    """Returns if no object that keeps data would have to be replaced.

    Raises:
        Refused: some would. The message names the fields. Kubernetes never lets a StatefulSet change its volumes,
            Service or selector.
    """
    lost = [change for change in changes if change.action == "replace" and change.key.partition("/")[0] in KEEPS_DATA]
    if lost:
        said = "; ".join(f"{change.key} ({', '.join(change.paths)})" for change in lost)
        raise Refused(
            f"these fields cannot change while the object lives, and its data would go with it: {said}",
            hint="give the group another name, which makes new nodes with new volumes and removes the old ones, "
            "or take the network down first",
        )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _verb(verb: str, number: int) -> str:
    return verb if number != 1 else f"{verb}es" if verb == "go" else f"{verb}s"


def _effect(change: Change, wanted: dict[str, Any] | None, live: dict[str, Any] | None) -> Effect:
    kind = change.key.partition("/")[0]
    have, want = _pods(kind, live), _pods(kind, wanted)
    if change.action == "create":
        return Effect(change.key, "created", added=want)
    if change.action == "delete":
        return Effect(change.key, "deleted", removed=have)
    if change.action == "replace":
        return Effect(change.key, "replaced", restarting=min(have, want), paths=change.paths)
    if change.action == "same":
        return Effect(change.key, "untouched")
    restarts = kind in _TEMPLATED and any(path.startswith("spec.template.") for path in change.paths)
    return Effect(
        change.key,
        "pods restart" if restarts else "changed in place",
        restarting=max(0, min(have, want) - _held_back(kind, wanted)) if restarts else 0,
        added=max(0, want - have),
        removed=max(0, have - want),
        paths=change.paths,
    )


def _pods(kind: str, document: dict[str, Any] | None) -> int:
    """How many pods an object has. For a DaemonSet only the cluster knows."""
    if document is None or kind not in _TEMPLATED:
        return 0
    if kind == "DaemonSet":
        return int(document.get("status", {}).get("desiredNumberScheduled", 1))
    return int(document["spec"].get("replicas", 1))


def _held_back(kind: str, document: dict[str, Any] | None) -> int:
    """Pods below a StatefulSet's partition keep the old template."""
    if document is None or kind != "StatefulSet":
        return 0
    return int(document["spec"].get("updateStrategy", {}).get("rollingUpdate", {}).get("partition", 0))


def _causes(paths: Sequence[str], limit: int = 4) -> str:
    shown = [path.removeprefix("spec.template.spec.").removeprefix("spec.template.") for path in paths[:limit]]
    more = len(paths) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
