"""The Pulumi program of a network: one resource an object, so that preview and diff are per object.

It runs unchanged under the Pulumi CLI and under the embedded engine (`orchestrator.engine.embedded`). Configuration:
`coalmine:manifests` names a JSON file with the rendered objects in order; `coalmine:cluster` tells the cluster from all
others. Which kubeconfig reaches it is left to the provider's environment, for what a program says would be stored.
"""

import importlib.metadata
import json
from pathlib import Path
from typing import Any

import pulumi

from orchestrator.engine.program import needs, wave

ORDERS = {
    # Readiness is the ladder's business (`orchestrator.readiness.ladder`): nodes wait for each other to become ready.
    "pulumi.com/skipAwait": "true",
    # The same field manager under either engine, so that one can go on where the other was.
    "pulumi.com/patchFieldManager": "coalmine",
}
"""Annotations that speak to Pulumi's provider; they are no part of the object otherwise."""


def token(document: dict[str, Any]) -> str:
    """The provider's token of an object's type, `kubernetes:apps/v1:StatefulSet`; the core group is spelled out."""
    version = document["apiVersion"]
    group = version if "/" in version else f"core/{version}"
    return f"kubernetes:{group}:{document['kind']}"


def provider(cluster: str | None) -> pulumi.ProviderResource:
    """The Kubernetes provider; its settings are JSON texts, as providers' are."""
    settings = {
        "enableServerSideApply": "true",
        # What differs from the program is drift, and whose an object is was settled before (`engine.ownership`).
        "enablePatchForce": "true",
        "upsertExistingObjects": "true",
        "enableConfigMapMutable": "true",
        # Nothing else makes it another cluster: not another path to the kubeconfig on another machine.
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
