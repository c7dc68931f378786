"""Imported keys and snapshots on a real cluster: a node is copied, and a new group goes on from where it stood.

One network for all of it, in the order of the file: validators with imported keys, and a full node to copy.
"""

import base64
import hashlib
import re
import secrets
import time

import pytest

from orchestrator.engine.embedded import EmbeddedEngine
from orchestrator.errors import Refused, SnapshotError
from orchestrator.inspection import networks as standing
from orchestrator.provision import network as networks
from orchestrator.provision import snapshots
from orchestrator.readiness import ladder
from orchestrator.readiness.access import Access
from orchestrator.spec import Testnet

from .conftest import say
from .custom import until

URIS = tuple(f"0x{secrets.token_hex(32)}//node" for _ in range(2))


def wanted(name, keys, *more):
    relay = {
        "slot": "1s",
        "sessionBlocks": 6,
        "runtime": {"model": {"specName": "canary", "specVersion": 1}},
        "groups": [
            {"name": "validator", "count": 2, "keys": {"file": str(keys)}},
            {"name": "full", "role": "full", "count": 1},
            *more,
        ],
    }
    return Testnet.model_validate({"kind": "Testnet", "metadata": {"name": name}, "spec": {"relaychain": relay}})


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    file = tmp_path_factory.mktemp("keys") / "uris.txt"
    file.write_text("\n".join(URIS) + "\n")
    return file


@pytest.fixture(scope="module")
def engine(cluster):
    return EmbeddedEngine(cluster)


@pytest.fixture(scope="module")
def name(cluster, engine, images, keys):
    name = f"s{secrets.token_hex(3)}"
    try:
        planned = networks.up(cluster, engine, wanted(name, keys), images, say)
        ladder.climb(cluster, planned, say)  # A rung of it: both validators have found their keys.
        yield name
    finally:
        networks.down(cluster, engine, name, say)


def node(cluster, name, which):
    return next(node for node in standing.testnet(cluster, name).nodes if node.name == which)


@pytest.fixture(scope="module")
def taken(cluster, name, tmp_path_factory):
    file = tmp_path_factory.mktemp("taken") / "full.tar.zst"
    return snapshots.take(cluster, node(cluster, name, "full-0"), file, limit=120, progress=say)


def test_imported_keys_are_in_a_secret_of_their_group_and_in_nothing_else(cluster, name):
    namespace = f"coalmine-{name}"
    found = cluster.get("Secret", "coalmine-keys-validator", namespace)
    assert [base64.b64decode(found["data"][str(i)]).decode() for i in range(2)] == list(URIS)
    for kind in ("ConfigMap", "StatefulSet", "Pod", "Event"):
        assert not [uri for uri in URIS if uri[2:66] in str(cluster.list(kind, namespace))]
    for pod in ("validator-0", "validator-1"):
        log = cluster.logs(pod, namespace, container="init") + cluster.logs(pod, namespace, container="node")
        assert not [uri for uri in URIS if uri[2:66] in log]


def test_a_snapshot_is_whole_and_the_node_goes_on(cluster, name, taken):
    assert hashlib.sha256(taken.file.read_bytes()).hexdigest() == taken.sha256
    assert taken.file.stat().st_size == taken.length
    assert taken.files > 0
    assert [file.name for file in taken.file.parent.iterdir()] == [taken.file.name]
    assert not cluster.list("ChaosExperiment", f"coalmine-{name}")
    full = node(cluster, name, "full-0")
    assert int(full.pod["status"]["containerStatuses"][0]["restartCount"]) == 0


def test_a_pause_that_ends_too_early_gives_no_archive(cluster, name, tmp_path, monkeypatch):
    received = snapshots._received

    def at_work():
        found = cluster.get("ChaosExperiment", "snapshot-full-0", f"coalmine-{name}")
        return (found or {}).get("status", {}).get("phase") not in {"Recovered", "Failed"}

    def slowly(*args):
        until(lambda: not at_work(), 60, "the pause is over")
        return received(*args)

    monkeypatch.setattr(snapshots, "_received", slowly)
    with pytest.raises(SnapshotError, match="ran again before the copy was complete"):
        snapshots.take(cluster, node(cluster, name, "full-0"), tmp_path / "a", limit=3, progress=say)
    assert not list(tmp_path.iterdir())
    assert not cluster.list("ChaosExperiment", f"coalmine-{name}")


def test_where_there_are_no_volume_snapshots_that_is_said_and_nothing_is_stopped(cluster, name):
    with pytest.raises(Refused, match="has no VolumeSnapshots"):
        snapshots.take_volume_snapshot(
            cluster, node(cluster, name, "full-0"), "x", volume_class=None, limit=60, progress=say
        )
    assert not cluster.list("ChaosExperiment", f"coalmine-{name}")


def served(cluster, namespace, image, file):
    """The archive behind an address in the namespace: a pod that serves a ConfigMap; its address."""
    content = base64.b64encode(file.read_bytes()).decode()
    meta = {"name": "archive", "namespace": namespace}
    cluster.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "binaryData": {"db.tar.zst": content}})
    body = {
        "automountServiceAccountToken": False,
        "containers": [
            {
                "name": "archive",
                "image": image,
                "command": ["python3", "-m", "http.server", "8080", "--directory", "/srv"],
                "readinessProbe": {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1},
                "volumeMounts": [{"name": "archive", "mountPath": "/srv"}],
            }
        ],
        "volumes": [{"name": "archive", "configMap": {"name": "archive"}}],
    }
    cluster.apply({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": body})
    deadline = time.monotonic() + 60
    while not snapshots._ready(pod := cluster.get("Pod", "archive", namespace)):
        assert time.monotonic() < deadline
        time.sleep(0.5)
    return f"http://{pod['status']['podIP']}:8080/db.tar.zst"


def test_a_new_group_starts_from_the_archive_and_goes_on(cluster, engine, images, name, keys, taken):
    namespace = f"coalmine-{name}"
    url = served(cluster, namespace, images.coalmine, taken.file)
    archive = {"url": url, "sha256": taken.sha256}
    grown = wanted(name, keys, {"name": "copy", "role": "full", "count": 1, "snapshot": {"archive": archive}})
    planned = networks.up(cluster, engine, grown, images, say)
    ladder.climb(cluster, planned, say)
    init = cluster.logs("copy-0", namespace, container="init")
    assert "the checksum is right; unpacking" in init
    started = re.search(r"highest known block at #(\d+)", cluster.logs("copy-0", namespace, container="node"))
    assert int(started[1]) > 0  # It did not begin at genesis.
    access = Access(cluster, planned)
    by_name = {node.name: node for node in access.nodes}
    assert access.reader(by_name["copy-0"]).finalized().number > int(started[1])

    before = cluster.get("Pod", "copy-0", namespace)["metadata"]["uid"]
    cluster.delete("Pod", "copy-0", namespace)
    while (pod := cluster.get("Pod", "copy-0", namespace)) is None or pod["metadata"]["uid"] == before:
        time.sleep(0.2)
    ladder.climb(cluster, planned, say)
    assert "filled from this snapshot before" in cluster.logs("copy-0", namespace, container="init")


@pytest.fixture
def volume_snapshots(cluster):
    """The API of volume snapshots, without a driver behind it."""
    plural, group = "volumesnapshots", "snapshot.storage.k8s.io"
    open_schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": open_schema},
        "subresources": {"status": {}},
    }
    spec = {
        "group": group,
        "scope": "Namespaced",
        "names": {"plural": plural, "kind": "VolumeSnapshot"},
        "versions": [version],
    }
    meta = {"name": f"{plural}.{group}", "annotations": {"api-approved.kubernetes.io": "unapproved, a test's own"}}
    document = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": meta}
    cluster.apply({**document, "spec": spec})
    yield
    cluster.delete("CustomResourceDefinition", meta["name"])


def test_a_volume_snapshot_is_of_a_node_that_stands_still_and_is_waited_for(cluster, name, volume_snapshots):
    """A driver is played: it takes the moment at once, and is ready only when the node goes on."""
    namespace, said = f"coalmine-{name}", []

    def drive(line):
        said.append(line)
        if "waiting until it is taken" in line:
            assert cluster.get("ChaosExperiment", "snapshot-full-0", namespace)["status"]["phase"] == "Active"
            drive.found = cluster.get("VolumeSnapshot", "copy", namespace)
            patch = {"status": {"creationTime": "2026-01-01T00:00:00Z", "readyToUse": False}}
            cluster.patch("VolumeSnapshot", "copy", namespace, patch, subresource="status")
        if "runs again" in line:
            cluster.patch("VolumeSnapshot", "copy", namespace, {"status": {"readyToUse": True}}, subresource="status")

    full = node(cluster, name, "full-0")
    snapshots.take_volume_snapshot(cluster, full, "copy", volume_class="fast", limit=120, progress=drive)
    assert drive.found["spec"] == {
        "source": {"persistentVolumeClaimName": "data-full-0"},
        "volumeSnapshotClassName": "fast",
    }
    assert said[-1] == "full-0 runs again"
    assert not cluster.list("ChaosExperiment", namespace)
