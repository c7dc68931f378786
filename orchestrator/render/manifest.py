"""Kubernetes objects to be applied, and their rendering from templates. Called by the modules of `render`."""

import functools
import importlib.resources
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import yaml

from orchestrator import tcp_ports


@dataclass(frozen=True, slots=True)
class Manifest:
    """An object as it is sent to the API server."""

    document: dict[str, Any]

    @property
    def kind(self) -> str:
        return str(self.document["kind"])

    @property
    def name(self) -> str:
        return str(self.document["metadata"]["name"])

    @property
    def key(self) -> str:
        """Its unique key within a network, such as `StatefulSet/validator`."""
        return f"{self.kind}/{self.name}"


def from_template(template: str, namespace: str | None, **values: Any) -> list[Manifest]:
    """The objects of a template, in its order, placed into the namespace.

    An undefined variable is a bug and raises an error. It is never rendered as empty text.
    """
    text = _environment().get_template(template).render(namespace=namespace, **values)
    manifests = []
    for document in yaml.load_all(text, Loader=yaml.CSafeLoader):
        if namespace is not None and document["kind"] != "Namespace":
            document["metadata"]["namespace"] = namespace
        manifests.append(Manifest(document))
    return manifests


@functools.cache
def _environment() -> jinja2.Environment:
    folder = Path(str(importlib.resources.files("manifests").joinpath("group.yaml.j2"))).parent
    environment = jinja2.Environment(  # noqa: S701  The output is YAML; every value goes through `tojson`.
        loader=jinja2.FileSystemLoader(folder), undefined=jinja2.StrictUndefined, trim_blocks=False
    )
    environment.policies["json.dumps_function"] = _as_yaml
    environment.globals["tcp_ports"] = tcp_ports
    return environment


_PAIR = re.compile(r"\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})")


def _as_yaml(value: Any, **how: Any) -> str:
    """JSON that is also YAML. JSON escapes a character beyond 16 bits, such as an emoji, in two halves, YAML in one."""
    return _PAIR.sub(_joined, json.dumps(value, **how))


def _joined(pair: re.Match[str]) -> str:
    high, low = (int(half, 16) for half in pair.groups())
    return f"\\U{0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00):08x}"
