"""Warns about protections that a network lacks, one line each. Pure. Called by `network` at every `up`.

Nothing here is refused: the user asked for it, or most clusters leave no choice. But the user must see it.
"""

import re
from collections.abc import Iterator, Sequence

from orchestrator.render import Manifest
from orchestrator.spec import Testnet
from orchestrator.spec.testnet import SIMULATED

_NAMES_CONTENT = re.compile(r"(@sha256:[0-9a-f]{64}|:[0-9a-f]{12})$")
"""A digest, or a tag that is a checksum, as on images that a lab builds. Both always mean the same image."""


def warnings(testnet: Testnet, manifests: Sequence[Manifest]) -> tuple[str, ...]:
    """The warnings for this network."""
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
            "its nodes can reach everything that their pods can reach, and can be reached from there"
        )
    if moving := sorted({image for image in _images(manifests) if not _NAMES_CONTENT.search(image)}):
        yield (
            f"{', '.join(moving)}: given by tag, which may mean another image on another machine or day; "
            "a run's journal records the digests that its pods really ran"
        )


def _images(manifests: Sequence[Manifest]) -> Iterator[str]:
    for manifest in manifests:
        pod = manifest.document.get("spec", {}).get("template", {}).get("spec", {})
        for container in (*pod.get("initContainers", ()), *pod.get("containers", ())):
            yield container["image"]
