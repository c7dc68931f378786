"""Provisioning against a real API server: it takes what is rendered, nothing changes twice, and all of it goes."""

import secrets

import pytest

from orchestrator.errors import ProvisionError
from orchestrator.genesis import chainspec
from orchestrator.provision import lock
from orchestrator.provision import network as networks
from orchestrator.provision.embedded import EmbeddedEngine
from orchestrator.render import render
from orchestrator.spec import Testnet


def bare(name, validators=1):
    """One group whose nodes wait at the barrier for good: enough for what happens to objects."""
    return Testnet.model_validate(
        {
            "kind": "Testnet",
            "metadata": {"name": name},
            "spec": {
                "relaychain": {
                    "runtime": {"model": {"specName": "canary", "specVersion": 1}},
                    "groups": [{"name": "validator", "count": validators}],
                }
            },
        }
    )


@pytest.fixture
def engine(cluster):
    return EmbeddedEngine(cluster)


@pytest.fixture
def name(cluster, engine, images):
    name = f"p{secrets.token_hex(3)}"
    yield name
    networks.down(cluster, engine, name, lambda _: None)


def test_up_preview_change_and_down(cluster, engine, images, name):
    assert {change.action for change in networks.preview(cluster, engine, bare(name), images)} == {"create"}
    first = networks.up(cluster, engine, bare(name), images, lambda _: None)
    assert {change.action for change in networks.preview(cluster, engine, bare(name), images)} == {"same"}

    again = networks.up(cluster, engine, bare(name), images, lambda _: None)
    assert again.genesis == first.genesis  # The seed is kept, so the network is the same one.

    # Drift: somebody changes an object by hand; the preview names the field, and `up` puts it right.
    patch = {"spec": {"template": {"spec": {"terminationGracePeriodSeconds": 77}}}}
    cluster.patch("StatefulSet", "validator", f"coalmine-{name}", patch)
    drifted = [c for c in networks.preview(cluster, engine, bare(name), images) if c.action != "same"]
    assert [c.key for c in drifted] == ["StatefulSet/validator"]
    assert "spec.template.spec.terminationGracePeriodSeconds" in drifted[0].paths
    networks.up(cluster, engine, bare(name), images, lambda _: None)
    assert {change.action for change in networks.preview(cluster, engine, bare(name), images)} == {"same"}

    networks.down(cluster, engine, name, lambda _: None)
    assert cluster.get("Namespace", f"coalmine-{name}") is None
    assert not [
        v for v in cluster.list_all("PersistentVolume") if v["spec"]["claimRef"]["namespace"] == f"coalmine-{name}"
    ]


def test_what_leaves_the_program_is_deleted(cluster, engine, images, name):
    planned = networks.up(cluster, engine, bare(name), images, lambda _: None)
    fewer = [m for m in planned.manifests if m.key != "PodDisruptionBudget/validator"]
    engine.up(planned.stack, fewer, lambda _: None)
    assert cluster.get("PodDisruptionBudget", "validator", f"coalmine-{name}") is None


def test_a_changed_genesis_is_refused_with_a_hint(cluster, engine, images, name):
    networks.up(cluster, engine, bare(name), images, lambda _: None)
    with pytest.raises(ProvisionError, match="immutable") as caught:
        networks.up(cluster, engine, bare(name, validators=2), images, lambda _: None)
    assert "coalmine down" in caught.value.hint


def test_two_do_not_change_one_network_at_once(cluster, engine, images, name):
    networks.up(cluster, engine, bare(name), images, lambda _: None)
    with (
        lock.held(cluster, f"coalmine-{name}"),
        pytest.raises(ProvisionError, match="is changing this network right now"),
    ):
        networks.up(cluster, engine, bare(name), images, lambda _: None)


def test_the_api_server_takes_every_rendered_object_strictly(cluster, images, network):
    manifests = render(network.testnet, chainspec.build(network.testnet, bytes(32)), images)
    for manifest in manifests:
        if not manifest.name.startswith("chain-"):  # These are immutable, and of another seed here.
            cluster.apply(manifest.document, dry_run=True)
