"""The engine that uses the Pulumi CLI, through Pulumi's Automation API. Called by `choice`.

The program runs in this process (an inline program). Only the CLI and its Kubernetes provider must be installed.

Pulumi's state is kept in the network's namespace (`backend`). It is copied to a temporary file backend for one
operation and copied back afterwards. So any machine can continue, two users see the same state, and deleting the
namespace deletes the state. If an operation is killed before the state is copied back, the next one adopts the objects
that exist, because the program names every object. The inventory knows the objects that have left the program since.
"""

import contextlib
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pulumi import automation
from pulumi.automation import events

from orchestrator.cluster import Cluster
from orchestrator.engine import backend, inventory, program
from orchestrator.engine.embedded import EmbeddedEngine
from orchestrator.engine.lock import HeldLock
from orchestrator.engine.names import Name
from orchestrator.engine.port import Action, Change, Stack
from orchestrator.errors import ProvisionError
from orchestrator.progress import Progress
from orchestrator.render import Manifest

_ACTIONS: dict[events.OpType, Action] = {
    events.OpType.SAME: "same",
    events.OpType.CREATE: "create",
    events.OpType.IMPORT: "create",
    events.OpType.UPDATE: "update",
    events.OpType.DELETE: "delete",
    events.OpType.REPLACE: "replace",
    events.OpType.CREATE_REPLACEMENT: "replace",
    events.OpType.DELETE_REPLACED: "replace",
}
"""The steps that change an object. The others (refresh, read) only look."""


def installed() -> bool:
    """Whether there is a Pulumi CLI to work with."""
    return shutil.which("pulumi") is not None


class PulumiEngine:
    """Runs programs with the Pulumi CLI against one cluster."""

    name = Name.PULUMI.value

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def preview(self, stack: Stack, manifests: Sequence[Manifest]) -> tuple[Change, ...]:
        with self._workspace(stack, manifests) as work:
            seen = Steps()
            with _failures(seen):
                work.preview(refresh=True, on_event=seen.take, color="never")
        return seen.changes()

    def up(self, stack: Stack, manifests: Sequence[Manifest], lock: HeldLock, progress: Progress) -> tuple[Change, ...]:
        keys = [manifest.key for manifest in manifests]
        left = [key for key in inventory.read(self._cluster, stack.namespace).objects if key not in set(keys)]
        inventory.remember(self._cluster, stack.namespace, keys + left, engine=self.name)
        lock.check()
        with self._workspace(stack, manifests) as work:
            seen = Steps()
            try:
                with _failures(seen):
                    work.up(refresh=True, on_event=seen.take, color="never")
            finally:
                self._take_back(stack, work)
        changes = seen.changes()
        counts = [f"{sum(c.action in actions for c in changes)} {word}" for actions, word in _COUNTED]
        progress(f"{len(keys)} objects: {', '.join(counts)}")
        # Objects that a killed operation made and that this program no longer declares. Pulumi does not know them.
        gone = EmbeddedEngine(self._cluster).delete(stack, left, lock)
        inventory.remember(self._cluster, stack.namespace, keys, engine=self.name)
        return (*changes, *(change for change in gone if change not in changes))

    def down(self, stack: Stack, lock: HeldLock, progress: Progress) -> tuple[Change, ...]:
        lock.check()
        with self._workspace(stack, ()) as work:
            seen = Steps()
            with _failures(seen):
                work.destroy(refresh=True, on_event=seen.take, color="never")
        # As above. The state itself is deleted with the namespace.
        rest = EmbeddedEngine(self._cluster).down(stack, lock, lambda _: None)
        changes = seen.changes()
        progress(f"{len(changes) + len(rest)} objects deleted")
        return (*changes, *(change for change in rest if change not in changes))

    # Underneath

    @contextlib.contextmanager
    def _workspace(self, stack: Stack, manifests: Sequence[Manifest]) -> Iterator[automation.Stack]:
        """A Pulumi stack in a temporary folder, with the network's state in it."""
        with tempfile.TemporaryDirectory(prefix="coalmine-pulumi-") as folder:
            here = Path(folder)
            (here / "backend").mkdir()
            program.write(manifests, here / "manifests.json")
            kubeconfig = backend.write_kubeconfig(self._cluster, here / "kubeconfig")
            options = automation.LocalWorkspaceOptions(
                work_dir=folder,
                env_vars={
                    "PULUMI_BACKEND_URL": f"file://{here / 'backend'}",
                    "PULUMI_CONFIG_PASSPHRASE": backend.passphrase(self._cluster, stack.namespace),
                    "PULUMI_SKIP_UPDATE_CHECK": "true",
                    "KUBECONFIG": str(kubeconfig),
                },
                project_settings=automation.ProjectSettings(program.PROJECT, runtime="python", main=folder),
                stack_settings={stack.name: automation.StackSettings(config=self._config(here))},
            )
            with _failures(Steps()):
                work = automation.create_or_select_stack(
                    stack.name,
                    project_name=program.PROJECT,
                    program=lambda: program.run(stack.program),
                    opts=options,
                )
                known = backend.read(self._cluster, stack.namespace)
                if known is not None:
                    work.import_stack(automation.Deployment(**known))
            yield work

    def _config(self, folder: Path) -> dict[str, str]:
        return {
            "coalmine:manifests": str(folder / "manifests.json"),
            "coalmine:cluster": backend.cluster_identity(self._cluster),
        }

    def _take_back(self, stack: Stack, work: automation.Stack) -> None:
        with _failures(Steps()):
            deployment = work.export_stack()
        state = {"version": deployment.version, "deployment": deployment.deployment}
        backend.write(self._cluster, stack.namespace, state)


_COUNTED = ((("create",), "created"), (("update", "replace"), "changed"), (("delete",), "deleted"))


@dataclass
class Steps:
    """The changes and errors that Pulumi reports in its event stream."""

    errors: list[str] = field(default_factory=list)
    _changes: dict[str, Change] = field(default_factory=dict)

    def take(self, event: events.EngineEvent) -> None:
        if event.resource_pre_event is not None:
            self._step(event.resource_pre_event.metadata)
        elif event.diagnostic_event is not None and event.diagnostic_event.severity == "error":
            self.errors.append(event.diagnostic_event.message.strip())

    def changes(self) -> tuple[Change, ...]:
        """One change for each Kubernetes object, in the order in which Pulumi began them."""
        return tuple(self._changes.values())

    def _step(self, step: events.StepEventMetadata) -> None:
        action = _ACTIONS.get(step.op)
        if action is None or not step.type.startswith("kubernetes:"):
            return
        key = step.urn.rpartition("::")[2]
        known = self._changes.get(key)
        if known is None or known.action != "replace":  # A replacement has several steps but is one change.
            self._changes[key] = Change(key, action, paths(step) if action in {"update", "replace"} else ())


_BRACKETED = re.compile(r'\["([^"]*)"\]')


def paths(step: events.StepEventMetadata) -> tuple[str, ...]:
    """The fields that differ, in the embedded engine's notation: `data.prometheus.yml`, `args[0]`."""
    found = step.detailed_diff or dict.fromkeys(step.diffs or ())
    plain = (_BRACKETED.sub(r".\1", path) for path in found)
    return tuple(sorted(path for path in plain if not path.startswith("__")))


@contextlib.contextmanager
def _failures(seen: Steps) -> Iterator[None]:
    """Turns Pulumi's errors into ProvisionErrors, with the text of its diagnostics where it gave any."""
    try:
        yield
    except automation.CommandError as error:
        said = [_ending(" ".join(text.split())) for text in seen.errors] or str(error).strip().splitlines()[-3:]
        raise ProvisionError(f"Pulumi: {'; '.join(said[:5])}") from error
    except automation.InvalidVersionError as error:
        raise ProvisionError(f"Pulumi: {error}", hint="update the Pulumi CLI, or use --engine embedded") from error


def _ending(text: str, length: int = 400) -> str:
    """The end of a long text: the cause stands at the end of a traceback."""
    return text if len(text) <= length else f"… {text[-length:]}"
