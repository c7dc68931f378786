"""A cluster in memory: enough for what is kept in ConfigMaps and Secrets."""

# ruff: noqa: ARG002  It has the parameters of the real one.

import base64

import pytest

from orchestrator.errors import ClusterError


class MemoryCluster:
    """Objects by kind and name, in one namespace."""

    context, host, namespace = "memory", "https://memory:6443", "default"

    def __init__(self):
        self.objects = {}
        self.version = 0

    def tls(self):
        return "/ca.crt", ("/client.crt", "/client.key"), {"authorization": "Bearer hidden-token"}

    def get(self, kind, name, namespace=None):
        return self.objects.get((kind, name))

    def list(self, kind, namespace=None, selector=""):
        wanted = dict(pair.split("=") for pair in selector.split(",")) if selector else {}
        return [
            found
            for (of, _), found in self.objects.items()
            if of == kind and wanted.items() <= found["metadata"].get("labels", {}).items()
        ]

    def create(self, document):
        if (document["kind"], document["metadata"]["name"]) in self.objects:
            raise ClusterError("it is there", status=409)
        return self.apply(document)

    def apply(self, document, *, dry_run=False):
        self.version += 1
        encoded = {k: base64.b64encode(v.encode()).decode() for k, v in document.get("stringData", {}).items()}
        data = {**document.get("data", {}), **encoded}
        metadata = {**document["metadata"], "resourceVersion": str(self.version), "uid": f"uid-{self.version}"}
        stored = {**document, "metadata": metadata, "data": data}
        self.objects[document["kind"], document["metadata"]["name"]] = stored
        return stored

    def delete(self, kind, name, namespace=None, **_):
        return self.objects.pop((kind, name), None) is not None


@pytest.fixture
def memory():
    return MemoryCluster()
