"""The Pulumi programs of stacks/: where they are, and what one registers when it runs without the Pulumi CLI.

The SDK's own seam for the latter is its mocks: a program registers its resources with whatever monitor is set, and the
SDK registers each once all that it depends on are. Called by the engines.
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
"""Annotations so called speak to Pulumi's own provider."""

_WORKLOADS = ("StatefulSet", "Deployment", "DaemonSet", "Job")


def wave(kind: str) -> int:
    """What comes in which order, and goes in the reverse: the namespace, what pods need, what runs."""
    return 0 if kind == "Namespace" else 2 if kind in _WORKLOADS else 1


_GUARDS = ("Namespace", "NetworkPolicy", "ServiceAccount", "Role", "RoleBinding")
"""Kinds that stand before anything runs; they are few, however many groups a network has."""

_NAMED = {"serviceAccountName": "ServiceAccount", "serviceName": "Service"}


def needs(document: dict[str, Any], known: Iterable[str]) -> list[str]:
    """Keys of the known objects that must be there before this one, in their order.

    Whatever runs waits for what it mounts, for its own Service and for the guards; all else for the namespace alone.
    Waiting for everything earlier would make as many edges as the square of the groups, and engines resolve each.
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
    """The other side of the SDK: takes every Kubernetes object that the program registers."""

    def __init__(self, take: Callable[[Manifest], object]) -> None:
        self._take = take

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        if args.typ.startswith("kubernetes:"):
            self._take(Manifest(_without_orders(dict(args.inputs))))
        # No outputs: nothing in a program that only declares reads one, and the SDK would translate each of them.
        return args.name, {}

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        raise ProvisionError(f"the program calls {args.token}; the embedded engine runs programs that only declare")


def run(program: str) -> None:
    """Runs the program in this process, against whichever engine the SDK is connected to."""
    folder = Path(str(importlib.resources.files("stacks").joinpath(program)))
    runpy.run_path(str(folder / "__main__.py"), run_name="__main__")


def write(manifests: Sequence[Manifest], file: Path) -> None:
    """The manifests as the program reads them."""
    file.write_text(json.dumps([manifest.document for manifest in manifests]))


def declared(program: str, name: str, manifests: Sequence[Manifest]) -> tuple[Manifest, ...]:
    """The objects that the program `stacks/<program>` declares when it is given these manifests, in their order.

    Raises:
        ProvisionError: when the program fails.
    """
    found: list[Manifest] = []
    execute(program, name, manifests, found.append)
    # Registration is asynchronous, so the order in which resources arrive is not the program's.
    place = {manifest.key: index for index, manifest in enumerate(manifests)}
    return tuple(sorted(found, key=lambda manifest: place.get(manifest.key, len(place))))


def execute(program: str, name: str, manifests: Sequence[Manifest], take: Callable[[Manifest], object]) -> None:
    """Runs the program; `take` is given each object as it is registered, after all that it depends on.

    It must not raise: the SDK goes on with what it had begun, also in the programs that run after this one.

    Raises:
        ProvisionError: when the program fails.
    """
    # The mocks answer in a worker thread and want an event loop there, which they would leave open.
    worker_loop = asyncio.new_event_loop()

    async def registered() -> None:
        executor = ThreadPoolExecutor(1, initializer=asyncio.set_event_loop, initargs=(worker_loop,))
        asyncio.get_running_loop().set_default_executor(executor)
        # Setting mocks registers the root resource, which must happen on the loop that awaits it. As a preview, for
        # the SDK then makes no outputs of what it was given.
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
    """Nothing that a registration makes is garbage before the program ends; looking for some takes a third of it."""
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
