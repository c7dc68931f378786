"""Turns a `Testnet` and its genesis into Kubernetes objects. Pure. The templates are in manifests/."""

from orchestrator.render.common import Images
from orchestrator.render.manifest import Manifest
from orchestrator.render.network import render
from orchestrator.render.observability import PrometheusEndpoint, prometheus_endpoint

__all__ = ["Images", "Manifest", "PrometheusEndpoint", "prometheus_endpoint", "render"]
