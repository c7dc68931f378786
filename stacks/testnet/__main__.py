"""The Pulumi program of a network: one resource per object, so that preview and diff are per object.

It runs unchanged under the Pulumi CLI and under the embedded engine (`orchestrator.engine.embedded`). Configuration:
`coalmine:manifests` names a JSON file with the rendered objects in order; `coalmine:cluster` identifies the cluster.
The kubeconfig comes from the provider's environment, because whatever a program sets is stored in the state.
"""

import importlib.metadata
import json
from pathlib import Path
from typing import Any

import pulumi

from orchestrator.engine.program import needs, wave

ORDERS = {
    # Do not wait: nodes need each other to become ready, and the ladder checks that (`orchestrator.readiness.ladder`).
    "pulumi.com/skipAwait": "true",
    # Both engines use the same field manager, so that each can continue the other's work.
    "pulumi.com/patchFieldManager": "coalmine",
}
"""Annotations that are instructions for Pulumi's provider and otherwise not part of the object."""


def token(document: dict[str, Any]) -> str:
    """The provider's token of an object's type, such as `kubernetes:apps/v1:StatefulSet`. The core group has a name."""
    version = document["apiVersion"]
    group = version if "/" in version else f"core/{version}"
    return f"kubernetes:{group}:{document['kind']}"


def provider(cluster: str | None) -> pulumi.ProviderResource:
    """The Kubernetes provider. Its settings are JSON texts, as for all providers."""
    settings = {
        "enableServerSideApply": "true",
        # Differences from the program are drift. Ownership of the objects was checked before (`engine.ownership`).
        "enablePatchForce": "true",
        "upsertExistingObjects": "true",
        "enableConfigMapMutable": "true",
        # Only this identity makes it another cluster, not another path of the kubeconfig.
        "clusterIdentifier": cluster,
    }
    options = pulumi.ResourceOptions(version=importlib.metadata.version("pulumi-kubernetes"))
    return pulumi.ProviderResource("kubernetes", "cluster", settings, options)


def main() -> None:
    config = pulumi.Config("coalmine")
    kubernetes = provider(config.get("cluster"))
    documents = json.loads(Path(config.require("manifests")).read_text())
    made: dict[str, pulumi.Resource] = {}
    for document in sorted(documents, key=lambda document: wave(document["kind"])):
        metadata = document["metadata"]
        key = f"{document['kind']}/{metadata['name']}"
        before = [made[needed] for needed in needs(document, made)]
        annotations = {**metadata.get("annotations", {}), **ORDERS}
        made[key] = pulumi.CustomResource(
            token(document),
            key,
            {**document, "metadata": {**metadata, "annotations": annotations}},
            pulumi.ResourceOptions(provider=kubernetes, depends_on=before),
        )
    pulumi.export("objects", len(documents))


main()
