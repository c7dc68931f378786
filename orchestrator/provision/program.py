"""Runs the Pulumi program of stacks/ without the Pulumi CLI and collects what it declares. Called by `embedded`.

The SDK's own seam for this is its mocks: a program registers its resources with whatever monitor is set. The program's
order is kept, for objects are applied in it and deleted in reverse.
"""

import asyncio
import importlib.resources
import json
import runpy
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime import mocks, stack

from orchestrator.errors import ProvisionError
from orchestrator.render import Manifest


class _Collector(mocks.Mocks):
    """Takes every Kubernetes object that the program registers."""

    def __init__(self) -> None:
        self.documents: list[dict[str, Any]] = []

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        if args.typ.startswith("kubernetes:"):
            self.documents.append(dict(args.inputs))
        return args.name, dict(args.inputs)

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        raise ProvisionError(f"the program calls {args.token}; the embedded engine runs programs that only declare")


def declared(program: str, project: str, name: str, manifests: Sequence[Manifest]) -> tuple[Manifest, ...]:
    """The objects that the program `stacks/<program>` declares when it is given these manifests.

    Raises:
        ProvisionError: when the program fails.
    """
    folder = Path(str(importlib.resources.files("stacks").joinpath(program)))
    collector = _Collector()
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump([manifest.document for manifest in manifests], file)
        file.flush()

        # The mocks answer in a worker thread and want an event loop there, which they would leave open.
        worker_loop = asyncio.new_event_loop()

        async def run() -> None:
            executor = ThreadPoolExecutor(1, initializer=asyncio.set_event_loop, initargs=(worker_loop,))
            asyncio.get_running_loop().set_default_executor(executor)
            # Setting mocks registers the root resource, which must happen on the loop that awaits it.
            mocks.set_mocks(collector, project=project, stack=name, preview=False)
            pulumi.runtime.set_all_config({"coalmine:manifests": file.name})
            await stack.run_pulumi_func(lambda: _run(folder / "__main__.py"))

        try:
            asyncio.run(run())
        except (RuntimeError, pulumi.RunError) as error:
            raise ProvisionError(f"the Pulumi program {program} failed: {error}") from error
        finally:
            worker_loop.close()
    # Registration is asynchronous, so the order in which resources arrive is not the program's.
    place = {manifest.key: index for index, manifest in enumerate(manifests)}
    found = [Manifest(document) for document in collector.documents]
    return tuple(sorted(found, key=lambda manifest: place.get(manifest.key, len(place))))


async def _run(main: Path) -> None:
    runpy.run_path(str(main), run_name="__main__")
