"""What a network does without that its user should know, a loud line each. Pure; called by `network` at every `up`.

None of it is refused: each is the user's own word, or what most clusters leave no choice about. None is silent either.
"""

import re
from collections.abc import Iterator, Sequence

from orchestrator.render import Manifest
from orchestrator.spec import Testnet
from orchestrator.spec.testnet import SIMULATED

_NAMES_CONTENT = re.compile(r"(@sha256:[0-9a-f]{64}|:[0-9a-f]{12})$")
"""A digest, or the sum by which a lab calls the images that it makes: neither ever means another image."""


def warnings(testnet: Testnet, manifests: Sequence[Manifest]) -> tuple[str, ...]:
    """The lines for this network."""
    return tuple(f"WARNING: {line}" for line in _lines(testnet, manifests))


def _lines(testnet: Testnet, manifests: Sequence[Manifest]) -> Iterator[str]:
    relay = testnet.spec.relaychain
    if relay.client != SIMULATED and not relay.secure_validators:
        yield (
            "validators run parachains' code without the PVF sandbox (relaychain.secureValidators: false): "
            "rehearse no code that you would not run yourself"
        )
    if not testnet.spec.isolation.network_policy:
        yield (
            "no NetworkPolicy keeps the network to itself (isolation.networkPolicy: false): "
            "its nodes reach whatever their pods reach, and are reached by it"
        )
    if moving := sorted({image for image in _images(manifests) if not _NAMES_CONTENT.search(image)}):
        yield (
            f"{', '.join(moving)}: given by tag, which may mean another image on another machine or day; "
            "a run's journal has the digests that its pods really ran"
        )


def _images(manifests: Sequence[Manifest]) -> Iterator[str]:
    for manifest in manifests:
        pod = manifest.document.get("spec", {}).get("template", {}).get("spec", {})
        for container in (*pod.get("initContainers", ()), *pod.get("containers", ())):
            yield container["image"]
