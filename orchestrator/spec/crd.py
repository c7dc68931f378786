"""Makes CustomResourceDefinitions from the models, so that the API server refuses what the models refuse.

Called by provisioning and by `coalmine` when it prints manifests. A CRD's schema is structural: it has no references,
no unions and no null. The models' other rules (exactly one of, ttl not shorter than duration) are stated in CEL.
"""

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel

from orchestrator import units
from orchestrator.spec.base import GROUP, VERSION, ExactlyOne
from orchestrator.spec.experiment import ChaosExperimentSpec
from orchestrator.spec.status import ExperimentStatus, UpgradeStatus
from orchestrator.spec.upgrade import RuntimeUpgradeSpec

Schema = dict[str, Any]

_MAX_TEXT = 64
"""Longest duration or name. The API server needs a bound on the cost of rules that read them."""

_MAX_ITEMS = 64
"""Longest list whose items each have a rule, for the same reason."""

_TTL_RULE = {
    # CEL's durations, like Go's, have no days. The controller itself checks durations with days.
    "rule": "!has(self.ttl) || self.ttl.contains('d') || self.duration.contains('d')"
    " || duration(self.ttl) >= duration(self.duration)",
    "message": "ttl is shorter than duration",
}

_IMMUTABLE = {"rule": "self == oldSelf", "message": "spec cannot be changed; delete the object and create another"}


def crds() -> tuple[Schema, ...]:
    """The definitions of all custom resources, ready to be applied."""
    experiment = _definition(
        kind="ChaosExperiment",
        short_name="cx",
        spec=_schema(ChaosExperimentSpec),
        status=_schema(ExperimentStatus),
        columns=(
            ("Phase", "string", ".status.phase"),
            ("Fault", "string", ".status.fault"),
            ("Targets", "integer", ".status.targets"),
            ("Duration", "string", ".spec.duration"),
            ("Confirmed", "date", ".status.confirmedAt"),
            ("Cause", "string", ".status.cause"),
            ("Age", "date", ".metadata.creationTimestamp"),
        ),
        rules=(_TTL_RULE, _IMMUTABLE),
    )
    upgrade = _definition(
        kind="RuntimeUpgrade",
        short_name="rup",
        spec=_schema(RuntimeUpgradeSpec),
        status=_schema(UpgradeStatus),
        columns=(
            ("Phase", "string", ".status.phase"),
            ("Chain", "string", ".spec.chain"),
            ("From", "integer", ".status.specVersionFrom"),
            ("To", "integer", ".status.specVersionTo"),
            ("Cause", "string", ".status.cause"),
            ("Age", "date", ".metadata.creationTimestamp"),
        ),
        rules=(_IMMUTABLE,),
    )
    return experiment, upgrade


def _definition(
    *,
    kind: str,
    short_name: str,
    spec: Schema,
    status: Schema,
    columns: tuple[tuple[str, str, str], ...],
    rules: tuple[Schema, ...],
) -> Schema:
    plural = f"{kind.lower()}s"
    spec["x-kubernetes-validations"] = [*spec.get("x-kubernetes-validations", []), *rules]
    properties = {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": {"type": "object"},
        "spec": spec,
        "status": status,
    }
    version = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": [
            # The cause of a failure is long; only `-o wide` shows it.
            {"name": name, "type": type_, "jsonPath": path, "priority": int(name == "Cause")}
            for name, type_, path in columns
        ],
        "schema": {"openAPIV3Schema": {"type": "object", "required": ["spec"], "properties": properties}},
    }
    names = {
        "kind": kind,
        "listKind": f"{kind}List",
        "plural": plural,
        "singular": kind.lower(),
        "shortNames": [short_name],
        "categories": ["coalmine"],
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{GROUP}", "labels": {"app.kubernetes.io/managed-by": "coalmine"}},
        "spec": {"group": GROUP, "scope": "Namespaced", "names": names, "versions": [version]},
    }


def _schema(model: type[BaseModel]) -> Schema:
    """The structural schema of a model."""
    document = model.model_json_schema(by_alias=True)
    unions = {union.__name__: union for union in _unions(model)}
    definitions = document.pop("$defs", {})
    return _structural(document, definitions, unions, name=model.__name__)


def _structural(node: Schema, definitions: Schema, unions: dict[str, type[ExactlyOne]], *, name: str = "") -> Schema:
    """One node of a JSON Schema in the form that Kubernetes needs. `name` is its model's name, if it is a model."""
    name = node["$ref"].rpartition("/")[2] if "$ref" in node else name
    if "$ref" in node:
        node = {**definitions[name], **{key: value for key, value in node.items() if key != "$ref"}}
    if "anyOf" in node:
        (inner,) = (option for option in node["anyOf"] if option != {"type": "null"})
        outer = {key: value for key, value in node.items() if key not in {"anyOf", "default"}}
        return _structural({**inner, **outer}, definitions, unions)
    kept = {key: value for key, value in node.items() if key not in {"title", "additionalProperties", "properties"}}
    if "const" in kept:
        kept["enum"] = [kept.pop("const")]
    if "items" in kept:
        kept["items"] = _structural(kept["items"], definitions, unions)
        if "x-kubernetes-validations" in kept["items"]:
            kept.setdefault("maxItems", _MAX_ITEMS)
    if "properties" in node:
        kept["properties"] = {key: _structural(value, definitions, unions) for key, value in node["properties"].items()}
    if kept.get("type") == "string" and isinstance(kept.get("default"), float):
        kept["default"] = units.format_duration(kept["default"])  # Seconds in the model, text in documents.
    if kept.get("type") == "string" and "pattern" in kept:
        kept.setdefault("maxLength", _MAX_TEXT)
    if name in unions:
        kept["x-kubernetes-validations"] = [_exactly_one(unions[name])]
    return kept


def _exactly_one(model: type[ExactlyOne]) -> Schema:
    names = [model.model_fields[name].alias or name for name in model.alternatives()]
    present = ", ".join(f"has(self.{name})" for name in names)
    message = f"exactly one of {' | '.join(names)} is needed"
    return {"rule": f"[{present}].filter(set, set).size() == 1", "message": message}


def _unions(model: type[BaseModel]) -> Iterator[type[ExactlyOne]]:
    """The model and all models inside it that are unions."""
    if issubclass(model, ExactlyOne):
        yield model
    for field in model.model_fields.values():
        for inner in _models(field.annotation):
            yield from _unions(inner)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)
