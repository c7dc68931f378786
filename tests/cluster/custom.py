"""Custom resources in a test: created, followed by their status, deleted with the test."""

import contextlib
import time

from orchestrator.spec import API_VERSION


def until(condition, seconds, what):
    """The condition's value once it is true; asked a few times a second."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"{what() if callable(what) else what}: not within {seconds} s"
        time.sleep(0.2)
    return found


class Objects:
    """The experiments and upgrades of a test in a namespace."""

    def __init__(self, cluster, namespace):
        self.cluster = cluster
        self.namespace = namespace
        self.made = []

    def create(self, kind, name, **spec):
        document = {
            "apiVersion": API_VERSION,
            "kind": kind,
            "metadata": {"name": name, "namespace": self.namespace},
            "spec": spec,
        }
        self.cluster.apply(document)
        self.made.append((kind, name))
        return One(self, kind, name)

    def close(self):
        for kind, name in self.made:
            self.cluster.delete(kind, name, self.namespace)
        for kind, name in self.made:
            until(lambda k=kind, n=name: self.cluster.get(k, n, self.namespace) is None, 90, f"{name} is gone")


class One:
    """One custom resource."""

    def __init__(self, objects, kind, name):
        self.objects = objects
        self.kind = kind
        self.name = name

    @property
    def status(self):
        found = self.objects.cluster.get(self.kind, self.name, self.objects.namespace) or {}
        return found.get("status") or {}

    def condition(self, name):
        return next((c for c in self.status.get("conditions", ()) if c["type"] == name), {"status": None})

    def wait(self, *phases, seconds=90):
        until(lambda: self.status.get("phase") in phases, seconds, lambda: f"{self.name} is {phases}: {self.status}")
        return self.status

    def delete(self):
        self.objects.cluster.delete(self.kind, self.name, self.objects.namespace)

    def gone(self, seconds=60):
        cluster, namespace = self.objects.cluster, self.objects.namespace
        until(lambda: cluster.get(self.kind, self.name, namespace) is None, seconds, f"{self.name} is gone")


@contextlib.contextmanager
def objects(cluster, namespace):
    made = Objects(cluster, namespace)
    try:
        yield made
    finally:
        made.close()
