"""The definitions' shape. Whether a real API server takes them is tested in `tests/cluster`."""

import pytest

from orchestrator.spec import ChaosExperimentSpec, RuntimeUpgradeSpec
from orchestrator.spec.crd import crds
from orchestrator.spec.status import ExperimentStatus, UpgradeStatus

EXPERIMENT, UPGRADE = crds()


def schema(definition):
    (version,) = definition["spec"]["versions"]
    return version["schema"]["openAPIV3Schema"]["properties"]


def nodes(schema, path=""):
    yield path, schema
    for name, inner in schema.get("properties", {}).items():
        yield from nodes(inner, f"{path}.{name}")
    if "items" in schema:
        yield from nodes(schema["items"], f"{path}[]")


@pytest.mark.parametrize("definition", [EXPERIMENT, UPGRADE], ids=["ChaosExperiment", "RuntimeUpgrade"])
def test_schemas_are_structural(definition):
    for root in ("spec", "status"):
        for path, node in nodes(schema(definition)[root], root):
            assert "type" in node, path
            assert not {"$ref", "anyOf", "oneOf", "title", "additionalProperties", "const"} & set(node), path
            assert "x-kubernetes-preserve-unknown-fields" not in node, path


@pytest.mark.parametrize(
    ("definition", "spec", "status"),
    [(EXPERIMENT, ChaosExperimentSpec, ExperimentStatus), (UPGRADE, RuntimeUpgradeSpec, UpgradeStatus)],
    ids=["ChaosExperiment", "RuntimeUpgrade"],
)
def test_every_field_of_the_models_is_there_and_no_other(definition, spec, status):
    for root, model in (("spec", spec), ("status", status)):
        written = {field.alias or name for name, field in model.model_fields.items()}
        assert set(schema(definition)[root]["properties"]) == written


def test_every_union_has_its_rule():
    ruled = {path for path, node in nodes(schema(EXPERIMENT)["spec"]) if "x-kubernetes-validations" in node}
    assert ruled == {"", ".pause.target", ".kill.target", ".partition.sides[]"}
    assert {path for path, node in nodes(schema(UPGRADE)["spec"]) if "x-kubernetes-validations" in node} == {
        "",
        ".code",
    }


def test_lists_of_things_with_rules_are_bounded():
    assert schema(EXPERIMENT)["spec"]["properties"]["partition"]["properties"]["sides"]["maxItems"] == 64


def test_defaults_are_written_as_users_write_them():
    assert schema(UPGRADE)["spec"]["properties"]["enactTimeout"]["default"] == "5m"
    assert schema(EXPERIMENT)["spec"]["properties"]["seed"]["default"] == 1


@pytest.mark.parametrize("definition", [EXPERIMENT, UPGRADE], ids=["ChaosExperiment", "RuntimeUpgrade"])
def test_kubectl_finds_short_names_category_columns_and_status(definition):
    names = definition["spec"]["names"]
    assert names["shortNames"] in (["cx"], ["rup"])
    assert names["categories"] == ["coalmine"]
    (version,) = definition["spec"]["versions"]
    assert version["subresources"] == {"status": {}}
    columns = {column["name"]: column["jsonPath"] for column in version["additionalPrinterColumns"]}
    assert columns["Phase"] == ".status.phase"
    for path in columns.values():
        root, _, field = path.removeprefix(".").partition(".")
        assert root == "metadata" or field in schema(definition)[root]["properties"], path
