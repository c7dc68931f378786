"""The Pulumi program of a network: one resource an object, so that preview and diff are per object.

It runs unchanged under the Pulumi CLI and under the embedded engine (`orchestrator.provision.embedded`). Configuration:
`coalmine:manifests` names a JSON file with the rendered objects in order; `coalmine:kubeconfig` and `coalmine:context`
say where they go.
"""

import json
from pathlib import Path
from typing import Any

import pulumi
import pulumi_kubernetes


def token(document: dict[str, Any]) -> str:
    """The provider's token of an object's type, `kubernetes:apps/v1:StatefulSet`; the core group is spelled out."""
    version = document["apiVersion"]
    group = version if "/" in version else f"core/{version}"
    return f"kubernetes:{group}:{document['kind']}"


def main() -> None:
    config = pulumi.Config("coalmine")
    provider = pulumi_kubernetes.Provider(
        "cluster",
        kubeconfig=config.get("kubeconfig"),
        context=config.get("context"),
        enable_server_side_apply=True,
    )
    documents = json.loads(Path(config.require("manifests")).read_text())
    namespaces: list[pulumi.Resource] = []
    for document in documents:
        options = pulumi.ResourceOptions(provider=provider, depends_on=list(namespaces))
        name = f"{document['kind']}/{document['metadata']['name']}"
        resource = pulumi.CustomResource(token(document), name, dict(document), options)
        if document["kind"] == "Namespace":
            namespaces.append(resource)
    pulumi.export("namespace", next(d["metadata"]["name"] for d in documents if d["kind"] == "Namespace"))
    pulumi.export("objects", len(documents))


main()
