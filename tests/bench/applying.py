"""What the embedded engine costs on a real API server, against nothing but applying the same objects.

A lab of its own; its machine is cordoned, so that a thousand pods are made and none is started.
"""

import contextlib
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby

from orchestrator import lab as labs
from orchestrator.cluster import Cluster
from orchestrator.engine import lock, program
from orchestrator.engine.embedded import EmbeddedEngine
from orchestrator.engine.ownership import WORKERS
from orchestrator.engine.port import Stack
from orchestrator.genesis import chainspec
from orchestrator.render import Images, Manifest, render
from orchestrator.spec import Testnet

GROUPS, EACH, ROUNDS = 100, 10, 3
IMAGES = Images(coalmine="coalmine:bench", prometheus="prometheus:bench")


def network(name: str) -> Testnet:
    """A thousand nodes in a hundred groups, for objects are per group: some three hundred of them."""
    groups = [{"name": f"group-{n}", "role": "validator" if n < 10 else "full", "count": EACH} for n in range(GROUPS)]
    relay = {"runtime": {"model": {"specName": "canary", "specVersion": 1}}, "groups": groups}
    return Testnet.model_validate({"kind": "Testnet", "metadata": {"name": name}, "spec": {"relaychain": relay}})


@contextlib.contextmanager
def cluster() -> Iterator[Cluster]:
    """A cluster that starts no pods; COALMINE_TEST_LAB names a lab to use."""
    with labs.running(os.environ.get("COALMINE_TEST_LAB", "bench"), progress=lambda _: None) as lab:
        found = lab.cluster()
        machines = [item["metadata"]["name"] for item in found.list("Node")]
        for name in machines:
            found.patch("Node", name, None, {"spec": {"unschedulable": True}})
        try:
            yield found
        finally:
            for name in machines:
                found.patch("Node", name, None, {"spec": {"unschedulable": None}})


def applying_1000_nodes() -> float:
    """Seconds of the engine over seconds of the bare requests: the median of alternating rounds in fresh namespaces."""
    with cluster() as found:
        ratios = [_by_engine(found, f"engine-{n}") / _by_hand(found, f"plain-{n}") for n in range(ROUNDS)]
    return sorted(ratios)[ROUNDS // 2]


def _by_hand(found: Cluster, name: str) -> float:
    """Server-side apply of all objects, as many at a time as the engine has, in the same order of kinds."""
    manifests = _manifests(found, name)
    started = time.perf_counter()
    with ThreadPoolExecutor(WORKERS) as pool:
        for _, wave in groupby(sorted(manifests, key=_wave), key=_wave):
            list(pool.map(lambda manifest: found.apply(manifest.document), list(wave)))
    taken = time.perf_counter() - started
    _gone(found, name)
    return taken


def _by_engine(found: Cluster, name: str) -> float:
    manifests = _manifests(found, name)
    stack = Stack(program="testnet", name=name, namespace=f"coalmine-{name}")
    with lock.held(found, stack.namespace) as held:
        started = time.perf_counter()
        EmbeddedEngine(found).up(stack, manifests, held, lambda _: None)
        taken = time.perf_counter() - started
    _gone(found, name)
    return taken


def _manifests(found: Cluster, name: str) -> tuple[Manifest, ...]:
    """The network's objects; its namespace is there already, as for every `up`."""
    testnet = network(name)
    manifests = render(testnet, chainspec.build(testnet, bytes(32)), IMAGES)
    found.apply(manifests[0].document)
    return manifests


def _wave(manifest: Manifest) -> int:
    return program.wave(manifest.kind)


def _gone(found: Cluster, name: str) -> None:
    """Each round has the API server to itself."""
    found.delete("Namespace", f"coalmine-{name}")
    deadline = time.monotonic() + 600
    while found.get("Namespace", f"coalmine-{name}") is not None:
        if time.monotonic() > deadline:
            raise TimeoutError(f"coalmine-{name} does not go")
        time.sleep(0.5)
