"""Waits for a starting lab and gives it what a cluster has: DNS, a storage class, its images. Called by `native.up`.

Nothing here starts a process: `supervisor` does that meanwhile. Each wait ends early when the lab's guardian has, for
then nothing will come any more, and says what the lab said last.
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
"""Seconds between two looks at what can only be asked: an API server that starts, a lab that another process starts."""


def serve(lab: LabState, progress: Progress) -> None:
    """Returns when pods can be created and run.

    Raises:
        LabError: when something does not start, with its last words.
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
        # A young API server does not know its own service addresses yet, and says that ours are wrong.
        until(lab, functools.partial(_done, functools.partial(cluster.apply, document)), "the DNS service", 30)
    until(lab, functools.partial(_done, lambda: _runs_pods(cluster, lab)), "the node", 90)
    progress(f"node ready in {time.monotonic() - started:.1f} s")


def until(lab: LabState, condition: Callable[[], bool], what: str, seconds: float) -> None:
    """Waits for the condition for as long as the lab lives and the time lasts.

    Raises:
        LabError: when either is over.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if lab.guardian() is None:
            raise ended(lab)
        if time.monotonic() > deadline:
            raise LabError(f"{what} was not ready within {seconds:g} s", hint=f"logs are in {lab.logs}")
        time.sleep(_LOOK)


def ended(lab: LabState) -> LabError:
    """The error of a lab that ended while it was to start."""
    said = lab.failure()
    return LabError(f"lab {lab.name} did not start: {said}", hint=remedy(said))


def remedy(said: str) -> str:
    """What helps against what a machine most often lacks."""
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
    except ClusterError as error:  # Its file went away with the lab.
        raise ended(lab) from error


def _done(attempt: Callable[[], Any]) -> bool:
    """Whether the attempt came to something; what a server answers while it starts is not worth a word."""
    try:
        return bool(attempt())
    except ClusterError:
        return False


def _runs_pods(cluster: Cluster, lab: LabState) -> bool:
    """The node is ready and nothing keeps pods off it, and there is the account that pods run as."""
    node = cluster.get("Node", lab.node) or {}
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in node.get("status", {}).get("conditions", []))
    return (
        ready
        and not node["spec"].get("taints")
        and cluster.get("ServiceAccount", "default", "default") is not None
        and cluster.get("ConfigMap", "kube-root-ca.crt", "default") is not None
    )


def _dns(lab: LabState) -> tuple[dict[str, Any], ...]:
    """CoreDNS runs beside the kubelet; a Service without selector leads to it."""
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
