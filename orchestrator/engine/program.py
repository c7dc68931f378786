"""Finds and runs the Pulumi programs in stacks/. Called by the engines.

Without the Pulumi CLI a program runs against the SDK's mocks: it registers its resources with our monitor instead of
the CLI's. The SDK registers each resource after all resources that it depends on.
"""

import asyncio
import contextlib
import gc
import importlib.resources
import json
import runpy
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime import mocks, stack

from orchestrator.errors import ProvisionError
from orchestrator.render import Manifest

PROJECT = "coalmine"
_ORDERS = "pulumi.com/"
"""Annotations with this prefix are instructions for Pulumi's own provider."""

_WORKLOADS = ("StatefulSet", "Deployment", "DaemonSet", "Job")


def wave(kind: str) -> int:
    """The wave in which a kind is created: the namespace, then what pods need, then workloads. Deletion is reversed."""
    return 0 if kind == "Namespace" else 2 if kind in _WORKLOADS else 1


_GUARDS = ("Namespace", "NetworkPolicy", "ServiceAccount", "Role", "RoleBinding")
"""Kinds that must exist before anything runs. There are few of them, however many groups a network has."""

_NAMED = {"serviceAccountName": "ServiceAccount", "serviceName": "Service"}


def needs(document: dict[str, Any], known: Iterable[str]) -> list[str]:
    """Keys of the known objects that must exist before this one, in their order.

    A workload waits for what it mounts, for its own Service and for the guards. Everything else waits for the namespace
    only. Waiting for all earlier objects would make a number of edges that grows with the square of the groups, and
    engines resolve every edge.
    """
    if document["kind"] not in _WORKLOADS:
        return [key for key in known if key.startswith("Namespace/")]
    named = set(_references(document["spec"]))
    return [key for key in known if key in named or key.partition("/")[0] in _GUARDS]


def _references(node: Any) -> Iterator[str]:
    """Keys of the objects that a pod template or a StatefulSet names."""
    if isinstance(node, list):
        for item in node:
            yield from _references(item)
    elif isinstance(node, dict):
        for field, value in node.items():
            if field in _NAMED and isinstance(value, str):
                yield f"{_NAMED[field]}/{value}"
            elif field == "configMap" and isinstance(value, dict) and "name" in value:
                yield f"ConfigMap/{value['name']}"
            else:
                yield from _references(value)


class _Monitor(mocks.Mocks):
    """Receives every Kubernetes object that the program registers."""

    def __init__(self, take: Callable[[Manifest], object]) -> None:
        self._take = take

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        if args.typ.startswith("kubernetes:"):
            self._take(Manifest(_without_orders(dict(args.inputs))))
        # No outputs: a program that only declares reads none, and the SDK would translate each of them.
        return args.name, {}

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        raise ProvisionError(f"the program calls {args.token}; the embedded engine runs programs that only declare")


def run(program: str) -> None:
    """Runs the program in this process, against the engine to which the SDK is connected."""
    folder = Path(str(importlib.resources.files("stacks").joinpath(program)))
    runpy.run_path(str(folder / "__main__.py"), run_name="__main__")


def write(manifests: Sequence[Manifest], file: Path) -> None:
    """Writes the manifests as the program reads them."""
    file.write_text(json.dumps([manifest.document for manifest in manifests]))


def declared(program: str, name: str, manifests: Sequence[Manifest]) -> tuple[Manifest, ...]:
    """The objects that the program `stacks/<program>` declares for these manifests, in their order.

    Raises:
        ProvisionError: the program fails.
    """
    found: list[Manifest] = []
    execute(program, name, manifests, found.append)
    # Registration is asynchronous, so resources do not arrive in the order of the program.
    place = {manifest.key: index for index, manifest in enumerate(manifests)}
    return tuple(sorted(found, key=lambda manifest: place.get(manifest.key, len(place))))


def execute(program: str, name: str, manifests: Sequence[Manifest], take: Callable[[Manifest], object]) -> None:
    """Runs the program. `take` gets each object as it is registered, after all objects that it depends on.

    `take` must not raise: the SDK would carry its unfinished work into the programs that run after this one.

    Raises:
        ProvisionError: the program fails.
    """
    # The mocks answer in a worker thread, need an event loop there, and would leave it open.
    worker_loop = asyncio.new_event_loop()

    async def registered() -> None:
        executor = ThreadPoolExecutor(1, initializer=asyncio.set_event_loop, initargs=(worker_loop,))
        asyncio.get_running_loop().set_default_executor(executor)
        # Setting mocks registers the root resource, which must happen on the loop that awaits it. It is a preview,
        # because then the SDK makes no outputs of its inputs.
        mocks.set_mocks(_Monitor(take), project=PROJECT, stack=name, preview=True)
        pulumi.runtime.set_all_config({"coalmine:manifests": str(file)})
        await stack.run_pulumi_func(lambda: _run(program))

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "manifests.json")
        write(manifests, file)
        try:
            with _no_collection():
                asyncio.run(registered())
        except (RuntimeError, pulumi.RunError) as error:
            raise ProvisionError(f"the Pulumi program {program} failed: {error}") from error
        finally:
            worker_loop.close()


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    """Stops garbage collection: a registration makes no garbage, and looking for it takes a third of the time."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


async def _run(program: str) -> None:
    run(program)


def _without_orders(document: dict[str, Any]) -> dict[str, Any]:
    metadata = dict(document["metadata"])
    annotations = {k: v for k, v in metadata.pop("annotations", {}).items() if not k.startswith(_ORDERS)}
    return {**document, "metadata": {**metadata, **({"annotations": annotations} if annotations else {})}}
