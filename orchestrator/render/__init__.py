"""A `Testnet` and its genesis become Kubernetes objects. Pure; the templates are in manifests/."""

from orchestrator.render.manifest import Manifest
from orchestrator.render.network import Images, render

__all__ = ["Images", "Manifest", "render"]
