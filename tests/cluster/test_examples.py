"""Every good file on a real API server: its objects are taken, its pods need no privilege, and it comes and goes."""

import contextlib
import os
import time
import zlib

import pytest

from orchestrator.engine.embedded import EmbeddedEngine
from orchestrator.errors import ClusterError
from orchestrator.provision import network as networks
from orchestrator.render import Images, render
from orchestrator.spec import Testnet
from tests.unit.render import networks as good_networks
from tests.unit.spec import good

NOWHERE = Images(coalmine="nowhere.invalid/coalmine:0", prometheus="nowhere.invalid/prometheus:0")
FILES = [file.name for file in good.GOOD if "kind: Testnet" in file.read_text()]
ELSEWHERE = {"quickstart.yaml", "bad-upgrade.yaml", "first.yaml"}
"""Put through whole rehearsals in test_rehearsal, and in test_docs."""

POD_MONITORS = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "podmonitors.monitoring.coreos.com"},
    "spec": {
        "group": "monitoring.coreos.com",
        "scope": "Namespaced",
        "names": {
            "kind": "PodMonitor",
            "plural": "podmonitors",
            "singular": "podmonitor",
            "listKind": "PodMonitorList",
        },
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
            }
        ],
    },
}
"""The kind as such; what its operator makes of the fields is the operator's affair."""


def until(condition, what, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.2)


@pytest.fixture(scope="module")
def operator(cluster):
    """A cluster that knows PodMonitors."""
    name = POD_MONITORS["metadata"]["name"]
    cluster.apply(POD_MONITORS)

    def served():
        with contextlib.suppress(ClusterError):
            return cluster.list("PodMonitor", "default") is not None
        return False

    until(served, "PodMonitors are served")
    yield
    cluster.delete("CustomResourceDefinition", name)


@pytest.fixture(scope="module")
def testnets(tmp_path_factory):
    return good_networks.of_good_files(tmp_path_factory.mktemp("good"))


def called(testnet, name):
    """The same network under another name, so that two sessions may use one cluster."""
    document = testnet.model_dump(mode="json", by_alias=True, exclude_none=True)
    return Testnet.model_validate({**document, "metadata": {"name": name}})


@pytest.fixture
def room(cluster, request):
    """A namespace of this test's own that enforces the restricted profile; its network's name."""
    name = f"dry-{os.getpid()}-{zlib.crc32(request.node.name.encode())}"
    labels = {"pod-security.kubernetes.io/enforce": "restricted", "app.kubernetes.io/managed-by": "coalmine"}
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"coalmine-{name}", "labels": labels}})
    # Pods are taken only once the namespace has its service account.
    until(lambda: cluster.get("ServiceAccount", "default", f"coalmine-{name}"), "the service account is there")
    yield name
    cluster.delete("Namespace", f"coalmine-{name}")


def objects(testnet):
    return render(testnet, good_networks.genesis_of(testnet), NOWHERE)


@pytest.mark.usefixtures("operator")
@pytest.mark.parametrize("file", FILES)
def test_the_api_server_would_take_every_object(cluster, testnets, room, file):
    refused = []
    for manifest in objects(called(testnets[file], room)):
        try:
            cluster.apply(manifest.document, dry_run=True)
        except ClusterError as error:
            refused.append(f"{manifest.key}: {error.message}")
    assert refused == []


def pod_of(manifest):
    """The first pod of a StatefulSet or a Deployment, as its controller would make it."""
    spec = manifest.document["spec"]
    claims = [one["metadata"]["name"] for one in spec.get("volumeClaimTemplates", ())]
    volumes = [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in claims]
    template = spec["template"]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{manifest.name}-0",
            "namespace": manifest.document["metadata"]["namespace"],
            "labels": template["metadata"]["labels"],
        },
        "spec": {
            **{key: value for key, value in template["spec"].items() if key != "serviceAccountName"},
            "volumes": [*template["spec"]["volumes"], *volumes],
        },
    }


@pytest.mark.parametrize("file", FILES)
def test_a_namespace_that_enforces_the_restricted_profile_takes_all_pods_but_the_agent(cluster, testnets, room, file):
    workloads = [one for one in objects(called(testnets[file], room)) if "template" in one.document.get("spec", {})]
    assert {one.kind for one in workloads} == {"StatefulSet", "Deployment", "DaemonSet"}
    for manifest in workloads:
        pod = pod_of(manifest)
        if manifest.kind == "DaemonSet":
            with pytest.raises(ClusterError, match='violates PodSecurity "restricted'):
                cluster.apply(pod, dry_run=True)
        else:
            cluster.apply(pod, dry_run=True)


def modest(testnet):
    """With requests that fit beside everything else; what the file asks for is refused where there is no room."""
    document = testnet.model_dump(mode="json", by_alias=True, exclude_none=True)
    for chain in (document["spec"]["relaychain"], *document["spec"].get("parachains", ())):
        for group in chain["groups"]:
            group["resources"] = {**group.get("resources", {}), "cpu": "1m", "memory": "1Mi"}
            group["count"] = min(group["count"], 2) if "keys" not in group else group["count"]
    return Testnet.model_validate(document)


@pytest.mark.usefixtures("operator")
@pytest.mark.parametrize("file", [file for file in FILES if file not in ELSEWHERE])
def test_a_network_comes_and_goes_even_when_its_images_do_not_exist(cluster, testnets, monkeypatch, file):
    """Real runtimes and snapshots are not here; what is shown is that all is created, and that nothing is left."""
    testnet = called(modest(testnets[file]), f"gone-{os.getpid()}")
    monkeypatch.setattr(networks.chainspec, "build", good_networks.genesis_of)
    engine = EmbeddedEngine(cluster)
    try:
        planned = networks.up(cluster, engine, testnet, NOWHERE, lambda _: None)
        for manifest in planned.manifests:
            assert cluster.get(manifest.kind, manifest.name, testnet.namespace) is not None, manifest.key
        changes = networks.prepare(cluster, engine, testnet, NOWHERE).changes
        assert {change.action for change in changes} == {"same"}
    finally:
        networks.down(cluster, engine, testnet.name, lambda _: None)
    assert cluster.get("Namespace", testnet.namespace) is None
    volumes = cluster.list_all("PersistentVolume")
    assert [one for one in volumes if one["spec"].get("claimRef", {}).get("namespace") == testnet.namespace] == []
