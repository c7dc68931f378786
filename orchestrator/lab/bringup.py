"""Waits for a starting lab and gives it what a cluster has: DNS, a storage class, its images. Called by `native.up`.

This module starts no process: `supervisor` does that meanwhile. When the lab's guardian ends, the lab cannot start any
more. Each wait then ends early, and its error contains the lab's last output.
"""

import functools
import time
from collections.abc import Callable
from typing import Any

from orchestrator.cluster import Cluster
from orchestrator.errors import ClusterError, LabError
from orchestrator.lab import storage
from orchestrator.lab.state import LabState
from orchestrator.progress import Progress, Work, under_way

_LOOK = 0.05
"""Seconds between two polls of an API server that starts, or of a lab that another process starts."""


def serve(lab: LabState, progress: Progress) -> None:
    """Returns when pods can be created and run.

    Raises:
        LabError: when something does not start, with its last output.
    """
    started = time.monotonic()
    progress("starting the control plane")
    with under_way(progress, Work("starting the control plane and the node")):
        _serve(lab, progress, started)


def _serve(lab: LabState, progress: Progress, started: float) -> None:
    cluster = _connected(lab)
    until(lab, functools.partial(_done, lambda: cluster.get("Namespace", "kube-system")), "the API server", 90)
    progress(f"API server ready in {time.monotonic() - started:.1f} s")
    for document in (*_dns(lab), storage.CLASS):
        # A new API server does not know its own service addresses yet, and rejects ours as wrong.
        until(lab, functools.partial(_done, functools.partial(cluster.apply, document)), "the DNS service", 30)
    until(lab, functools.partial(_done, lambda: _runs_pods(cluster, lab)), "the node", 90)
    progress(f"node ready in {time.monotonic() - started:.1f} s")


def until(lab: LabState, condition: Callable[[], bool], what: str, seconds: float) -> None:
    """Waits until the condition is true.

    Raises:
        LabError: when the lab has ended, or the seconds are over.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if lab.guardian() is None:
            raise ended(lab)
        if time.monotonic() > deadline:
            raise LabError(f"{what} was not ready within {seconds:g} s", hint=f"logs are in {lab.logs}")
        time.sleep(_LOOK)


def ended(lab: LabState) -> LabError:
    """The error for a lab that ended while it was starting."""
    said = lab.failure()
    return LabError(f"lab {lab.name} did not start: {said}", hint=remedy(said))


def remedy(said: str) -> str:
    """The hint for an error message, for the things that a machine most often lacks."""
    for words, help_ in (
        ("type veth", "this kernel has no veth links; use a cluster of yours with --context"),
        ("address already in use", "another program listens on a port that the lab needs; end it"),
        ("unshare", "namespaces are refused here (a container without CAP_SYS_ADMIN?); use --context"),
        ("Operation not permitted", "this needs all of root's capabilities; use a cluster of yours with --context"),
        ("o space left", "free some disk space: a lab needs about 3 GB"),
    ):
        if words in said:
            return help_
    return "the lab's logs are kept in the cache, below logs/"


def _connected(lab: LabState) -> Cluster:
    try:
        return Cluster.connect(kubeconfig=lab.kubeconfig)
    except ClusterError as error:  # The kubeconfig was removed together with the lab.
        raise ended(lab) from error


def _done(attempt: Callable[[], Any]) -> bool:
    """Whether the attempt returned something. Errors of a server that is still starting are ignored."""
    try:
        return bool(attempt())
    except ClusterError:
        return False


def _runs_pods(cluster: Cluster, lab: LabState) -> bool:
    """Whether the node is ready and has no taints, and the objects that pods need exist: account and CA certificate."""
    node = cluster.get("Node", lab.node) or {}
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in node.get("status", {}).get("conditions", []))
    return (
        ready
        and not node["spec"].get("taints")
        and cluster.get("ServiceAccount", "default", "default") is not None
        and cluster.get("ConfigMap", "kube-root-ca.crt", "default") is not None
    )


def _dns(lab: LabState) -> tuple[dict[str, Any], ...]:
    """A Service without selector and its EndpointSlice. CoreDNS runs beside the kubelet and not in a pod."""
    metadata = {"name": "kube-dns", "namespace": "kube-system"}
    ports = [
        {"name": "dns", "port": 53, "protocol": "UDP"},
        {"name": "dns-tcp", "port": 53, "protocol": "TCP"},
    ]
    service: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": {"clusterIP": lab.dns_ip, "ports": ports},
    }
    slice_: dict[str, Any] = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {**metadata, "labels": {"kubernetes.io/service-name": "kube-dns"}},
        "addressType": "IPv4",
        "ports": ports,
        "endpoints": [{"addresses": [lab.bridge_ip], "conditions": {"ready": True}}],
    }
    return service, slice_
