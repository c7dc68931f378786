"""Each thing that a user should know has its line, and a network without them has none."""

import pytest

from orchestrator.provision import caveats
from orchestrator.render import Manifest
from orchestrator.spec import Testnet

DIGEST = "registry.example/polkadot@sha256:" + "a" * 64
LAB = "docker.io/coalmine/coalmine:0123456789ab"


def network(**relay):
    policy = relay.pop("policy", True)
    chain = {"groups": [{"name": "validator", "count": 1}], **relay}
    chain.setdefault(
        "runtime", {"file": "r.wasm"} if "client" in relay else {"model": {"specName": "x", "specVersion": 1}}
    )
    spec = {"relaychain": chain, "isolation": {"networkPolicy": policy}}
    return Testnet.model_validate({"kind": "Testnet", "metadata": {"name": "n"}, "spec": spec})


def running(*images):
    containers = [{"name": str(i), "image": image} for i, image in enumerate(images)]
    spec = {"template": {"spec": {"initContainers": containers[:1], "containers": containers[1:]}}}
    return [Manifest({"kind": "StatefulSet", "metadata": {"name": "validator"}, "spec": spec})]


@pytest.mark.parametrize(
    ("testnet", "images", "lines"),
    [
        (network(), (LAB,), []),
        (network(client="polkadot"), (LAB, DIGEST), ["sandbox"]),
        (network(client="polkadot", secureValidators=True), (LAB, DIGEST), []),
        (network(policy=False), (LAB,), ["NetworkPolicy"]),
        (network(), (LAB, "parity/polkadot:stable2606", "host:5000/x"), ["host:5000/x, parity/polkadot:stable2606"]),
        (network(client="polkadot", policy=False), ("x:latest",), ["sandbox", "NetworkPolicy", "x:latest"]),
    ],
    ids=["quiet", "no-sandbox", "sandbox", "no-policy", "tags", "all"],
)
def test_every_line_has_its_cause(testnet, images, lines):
    said = caveats.warnings(testnet, running(*images))
    assert len(said) == len(lines)
    for text, word in zip(said, lines, strict=True):
        assert text.startswith("WARNING: ")
        assert word in text
