"""The engine for machines without the Pulumi CLI: runs the program by the SDK's own seam and applies what it declares.

It adds what the CLI would: a state (a ConfigMap in the network's namespace, so that any machine can go on), preview by
the API server's own dry run, a diff per object, deletion in reverse order of what left the program, and a lock.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from typing import Any

from orchestrator.cluster import Cluster
from orchestrator.errors import ClusterError, ProvisionError
from orchestrator.provision import lock, program
from orchestrator.provision.engine import Change, Progress, Stack
from orchestrator.render import Manifest

STATE = "coalmine-stack"
WORKERS = 16

_FIRST = ("Namespace", "ServiceAccount", "Role", "RoleBinding", "ConfigMap", "Service", "PodDisruptionBudget")
"""Kinds that others need, in the order in which they are applied; all others come together after them."""


class EmbeddedEngine:
    """Applies programs to one cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def preview(self, stack: Stack, manifests: Sequence[Manifest]) -> tuple[Change, ...]:
        wanted = self._declared(stack, manifests)
        if self._cluster.get("Namespace", stack.namespace) is None:
            return tuple(Change(manifest.key, "create") for manifest in wanted)
        changes = self._each(self._difference, wanted)
        gone = [Change(key, "delete") for key in self._left(stack, wanted)]
        return (*changes, *gone)

    def up(self, stack: Stack, manifests: Sequence[Manifest], progress: Progress) -> tuple[Change, ...]:
        wanted = self._declared(stack, manifests)
        with lock.held(self._cluster, stack.namespace):
            # Noted before it is done: whatever a cut-off `up` made is in the state that the next one reads.
            leaving = self._left(stack, wanted)
            self._remember(stack, [manifest.key for manifest in wanted] + leaving)
            changes: list[Change] = []
            for _, wave in groupby(sorted(wanted, key=_rank), key=_rank):
                changes += self._each(self._apply, list(wave))
            for key in reversed(leaving):
                changes += self._delete(stack, key)
            self._remember(stack, [manifest.key for manifest in wanted])
        made, changed = (sum(change.action == action for change in changes) for action in ("create", "update"))
        progress(f"{len(wanted)} objects: {made} created, {changed} changed, {len(leaving)} deleted")
        return tuple(changes)

    def down(self, stack: Stack, progress: Progress) -> tuple[Change, ...]:
        with lock.held(self._cluster, stack.namespace):
            keys = self._state(stack)
            changes = [change for key in reversed(keys) for change in self._delete(stack, key)]
        progress(f"{len(changes)} objects deleted")
        return tuple(changes)

    # Underneath

    def _declared(self, stack: Stack, manifests: Sequence[Manifest]) -> tuple[Manifest, ...]:
        return program.declared(stack.program, "coalmine", stack.name, manifests)

    def _each(self, action: Callable[[Manifest], Change], manifests: Sequence[Manifest]) -> list[Change]:
        with ThreadPoolExecutor(WORKERS) as pool:
            return list(pool.map(action, manifests))

    def _live(self, manifest: Manifest) -> dict[str, Any] | None:
        return self._cluster.get(manifest.kind, manifest.name, manifest.document["metadata"].get("namespace"))

    def _difference(self, manifest: Manifest) -> Change:
        live = self._live(manifest)
        if live is None:
            return Change(manifest.key, "create")
        return _change(manifest, live, self._checked(manifest, dry_run=True))

    def _apply(self, manifest: Manifest) -> Change:
        live = self._live(manifest)
        applied = self._checked(manifest, dry_run=False)
        return Change(manifest.key, "create") if live is None else _change(manifest, live, applied)

    def _checked(self, manifest: Manifest, *, dry_run: bool) -> dict[str, Any]:
        try:
            return self._cluster.apply(manifest.document, dry_run=dry_run)
        except ClusterError as error:
            hint = None
            if error.status == 422 and "immutable" in error.message:
                hint = "this cannot change while the network lives (genesis, for one): `coalmine down` first"
            raise ProvisionError(f"{manifest.key}: {error.message}", hint=hint) from error

    def _delete(self, stack: Stack, key: str) -> list[Change]:
        kind, _, name = key.partition("/")
        return [Change(key, "delete")] if self._cluster.delete(kind, name, stack.namespace) else []

    def _left(self, stack: Stack, wanted: Sequence[Manifest]) -> list[str]:
        """Keys of objects that the stack once made and the program no longer declares."""
        keep = {manifest.key for manifest in wanted}
        return [key for key in self._state(stack) if key not in keep]

    def _state(self, stack: Stack) -> list[str]:
        found = self._cluster.get("ConfigMap", STATE, stack.namespace)
        return list(json.loads(found["data"]["objects"])) if found else []

    def _remember(self, stack: Stack, keys: Sequence[str]) -> None:
        self._cluster.apply(
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": STATE, "namespace": stack.namespace},
                "data": {"program": stack.program, "objects": json.dumps(list(keys))},
            }
        )


def _change(manifest: Manifest, live: dict[str, Any], wanted: dict[str, Any]) -> Change:
    paths = tuple(sorted(_differences(live, wanted)))
    return Change(manifest.key, "update" if paths else "same", paths)


def _rank(manifest: Manifest) -> int:
    return _FIRST.index(manifest.kind) if manifest.kind in _FIRST else len(_FIRST)


_BOOKKEEPING = frozenset({"managedFields", "resourceVersion", "generation", "uid", "creationTimestamp"})


def _differences(live: Any, wanted: Any, path: str = "") -> Iterator[str]:
    """Paths at which two versions of an object differ, without status and the API server's bookkeeping."""
    if isinstance(live, dict) and isinstance(wanted, dict):
        for key in sorted(live.keys() | wanted.keys()):
            if key in _BOOKKEEPING or (not path and key == "status"):
                continue
            yield from _differences(live.get(key), wanted.get(key), f"{path}.{key}" if path else key)
    elif isinstance(live, list) and isinstance(wanted, list) and len(live) == len(wanted):
        for index, (old, new) in enumerate(zip(live, wanted, strict=True)):
            yield from _differences(old, new, f"{path}[{index}]")
    elif live != wanted:
        yield path
