"""The engine for machines without the Pulumi CLI. It runs the program with the SDK alone and applies its objects.

It does what the CLI would do: preview with the API server's dry run, a diff per object, replacement of objects that
cannot be changed, and deletion in reverse order of objects that left the program. Each object is recorded before it is
created (`inventory`), so the engine can be interrupted at any object.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from orchestrator.cluster import Cluster
from orchestrator.engine import inventory, program
from orchestrator.engine.compare import declared_differences, differences
from orchestrator.engine.inventory import Inventory
from orchestrator.engine.lock import HeldLock
from orchestrator.engine.names import Name
from orchestrator.engine.ordered import Ordered
from orchestrator.engine.ownership import WORKERS, ours
from orchestrator.engine.port import KEEPS_DATA, Change, Stack
from orchestrator.errors import ClusterError, ProvisionError
from orchestrator.progress import Progress
from orchestrator.render import Manifest

_PATIENCE = 60.0
"""Seconds to wait until an object that is being replaced is gone."""


class EmbeddedEngine:
    """Applies programs to one cluster."""

    name = Name.EMBEDDED.value

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def preview(self, stack: Stack, manifests: Sequence[Manifest]) -> tuple[Change, ...]:
        wanted = self._declared(stack, manifests)
        if self._cluster.get("Namespace", stack.namespace) is None:
            return tuple(Change(manifest.key, "create") for manifest in wanted)
        changes = _each(self._difference, wanted)
        there = [key for key in _newest_first(self._left(stack, wanted)) if self._mine(stack, key)]
        return (*changes, *(Change(key, "delete") for key in there))

    def up(self, stack: Stack, manifests: Sequence[Manifest], lock: HeldLock, progress: Progress) -> tuple[Change, ...]:
        known = inventory.read(self._cluster, stack.namespace)
        keys = [manifest.key for manifest in manifests]
        leaving = [key for key in known.objects if key not in set(keys)]
        # Recorded first: the next `up` then finds in the inventory whatever an interrupted one created.
        self._remember(stack, known, (*keys, *leaving))
        changes = self._executed(stack, manifests, lock, first=not known.objects)
        gone = self.delete(stack, leaving, lock)
        if leaving:
            self._remember(stack, known, keys)
        made, changed = (sum(change.action in actions for change in changes) for actions in _COUNTED)
        progress(f"{len(changes)} objects: {made} created, {changed} changed, {len(gone)} deleted")
        return (*changes, *gone)

    def down(self, stack: Stack, lock: HeldLock, progress: Progress) -> tuple[Change, ...]:
        changes = self.delete(stack, inventory.read(self._cluster, stack.namespace).objects, lock)
        progress(f"{len(changes)} objects deleted")
        return changes

    def delete(self, stack: Stack, keys: Iterable[str], lock: HeldLock) -> tuple[Change, ...]:
        """Deletes the objects that exist and are still ours, newest first."""
        return tuple(change for key in _newest_first(keys) for change in self._delete(stack, key, lock))

    # Underneath

    def _declared(self, stack: Stack, manifests: Sequence[Manifest]) -> tuple[Manifest, ...]:
        return program.declared(stack.program, stack.name, manifests)

    def _executed(
        self, stack: Stack, manifests: Sequence[Manifest], lock: HeldLock, *, first: bool
    ) -> tuple[Change, ...]:
        """Applies objects while the program still registers others."""

        def apply(manifest: Manifest) -> Change:
            lock.check()
            # At the first `up` there is nothing to compare with, so each object needs one request instead of two.
            new = first and manifest.kind != "Namespace"
            return self._apply_new(manifest) if new else self._apply(manifest)

        with Ordered(apply) as ordered:
            program.execute(stack.program, stack.name, manifests, ordered.take)
            changes = ordered.changes()
        return tuple(changes[manifest.key] for manifest in manifests if manifest.key in changes)

    def _live(self, manifest: Manifest) -> dict[str, Any] | None:
        return self._cluster.get(manifest.kind, manifest.name, manifest.document["metadata"].get("namespace"))

    def _difference(self, manifest: Manifest) -> Change:
        live = self._live(manifest)
        if live is None:
            return Change(manifest.key, "create")
        return self._brought(manifest, live, dry_run=True)

    def _apply_new(self, manifest: Manifest) -> Change:
        try:
            self._sent(manifest, dry_run=False)
        except ProvisionError as error:
            if _immutable(error):  # It exists after all, for example because the inventory was lost.
                return self._apply(manifest)
            raise
        return Change(manifest.key, "create")

    def _apply(self, manifest: Manifest) -> Change:
        live = self._live(manifest)
        if live is None:
            return self._apply_new(manifest)
        change = self._brought(manifest, live, dry_run=False)
        if change.action == "replace":
            self._replace(manifest, live)
        return change

    def _brought(self, manifest: Manifest, live: dict[str, Any], *, dry_run: bool) -> Change:
        """The change that an apply makes to a live object; `replace` if the API server refuses to change it."""
        try:
            wanted = self._sent(manifest, dry_run=dry_run)
        except ProvisionError as error:
            if not _immutable(error):
                raise
            return Change(manifest.key, "replace", tuple(sorted(declared_differences(live, manifest.document))))
        paths = tuple(sorted(differences(live, wanted)))
        return Change(manifest.key, "update" if paths else "same", paths)

    def _sent(self, manifest: Manifest, *, dry_run: bool) -> dict[str, Any]:
        try:
            return self._cluster.apply(manifest.document, dry_run=dry_run)
        except ClusterError as error:
            raise ProvisionError(f"{manifest.key}: {error.message}") from error

    def _replace(self, manifest: Manifest, live: dict[str, Any]) -> None:
        if manifest.kind in KEEPS_DATA:
            raise ProvisionError(f"{manifest.key} would have to be replaced, and its data would go with it")
        metadata = live["metadata"]
        self._cluster.delete(manifest.kind, manifest.name, metadata.get("namespace"), uid=metadata["uid"])
        deadline = time.monotonic() + _PATIENCE
        while (found := self._live(manifest)) and found["metadata"]["uid"] == metadata["uid"]:
            if time.monotonic() > deadline:
                raise ProvisionError(f"{manifest.key} must be replaced, but the old one is there after {_PATIENCE:g} s")
            time.sleep(0.1)
        self._sent(manifest, dry_run=False)

    def _delete(self, stack: Stack, key: str, lock: HeldLock) -> list[Change]:
        lock.check()
        live = self._mine(stack, key)
        if live is None:
            return []
        kind, _, name = key.partition("/")
        gone = self._cluster.delete(kind, name, stack.namespace, uid=live["metadata"]["uid"])
        return [Change(key, "delete")] if gone else []

    def _mine(self, stack: Stack, key: str) -> dict[str, Any] | None:
        """The live object of this key. None if it is gone or belongs to somebody else by now."""
        kind, _, name = key.partition("/")
        live = self._cluster.get(kind, name, stack.namespace)
        return live if live is not None and ours(live, stack.name) else None

    def _left(self, stack: Stack, wanted: Sequence[Manifest]) -> list[str]:
        """Keys of objects that the stack created and the program no longer declares."""
        keep = {manifest.key for manifest in wanted}
        return [key for key in inventory.read(self._cluster, stack.namespace).objects if key not in keep]

    def _remember(self, stack: Stack, known: Inventory, keys: Sequence[str]) -> None:
        """Records which objects may exist. We hold the lock, so `known` is still current."""
        inventory.write(self._cluster, stack.namespace, replace(known, objects=tuple(keys), engine=self.name))


_COUNTED = (("create",), ("update", "replace"))


def _each(action: Callable[[Manifest], Change], manifests: Sequence[Manifest]) -> list[Change]:
    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(action, manifests))


_IMMUTABLE = ("immutable", "Forbidden: updates to", "may not change once set", "cannot change roleRef")
"""Words of the API server for a field that cannot change (`apimachinery/pkg/api/validation` and each kind's own)."""


def _immutable(error: ProvisionError) -> bool:
    refusal = error.__cause__
    return (
        isinstance(refusal, ClusterError)
        and refusal.status == 422
        and any(words in refusal.message for words in _IMMUTABLE)
    )


def _newest_first(keys: Iterable[str]) -> list[str]:
    """Workloads first, then what they needed, the namespace last."""
    return sorted(keys, key=lambda key: program.wave(key.partition("/")[0]))[::-1]
