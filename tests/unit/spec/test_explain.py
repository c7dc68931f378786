"""Every field can be explained, every mistake in a path is met with what is there, and the schemas are the models'."""

import importlib
import json
import pkgutil
from pathlib import Path

import pytest
from pydantic import BaseModel

from orchestrator import spec
from orchestrator.errors import UsageError
from orchestrator.spec import explain
from orchestrator.spec.kinds import KINDS

ROOT = Path(__file__).parents[3]
HOW = "write what orchestrator.spec.explain.published() returns"


def models():
    modules = [
        importlib.import_module(f"orchestrator.spec.{found.name}") for found in pkgutil.iter_modules(spec.__path__)
    ]
    found = {value for module in modules for value in vars(module).values() if isinstance(value, type)}
    return sorted(
        (one for one in found if issubclass(one, BaseModel) and one.__module__.startswith("orchestrator.")),
        key=lambda one: one.__qualname__,
    )


def paths():
    """Every path of every kind."""

    def below(path):
        found = explain.explain(path)
        yield path
        for name, _, _ in found.fields:
            yield from below(f"{path}.{name}")

    return [path for kind in KINDS for path in below(kind)]


@pytest.mark.parametrize("model", models(), ids=lambda model: model.__name__)
def test_every_field_of_every_model_has_a_sentence(model):
    sentences = {name: explain.sentence(field) for name, field in model.model_fields.items()}
    assert not [name for name, text in sentences.items() if not text.strip().endswith((".", "…"))]


def test_every_field_of_every_kind_can_be_explained():
    found = paths()
    assert len(found) > 150
    for path in found:
        told = explain.explain(path)
        assert told.path == path
        assert told.type
        assert told.sentence


PLANCKS = "plancks, the chain's smallest unit"
TIME = "a length of time with its unit: 500ms, 30s, 1m30s"


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("relaychain.groups.count", ("relaychain.groups.count", "whole number", None, "1")),
        ("spec.relaychain.groups[0].count", ("relaychain.groups.count", "whole number", None, "1")),
        ("relaychain.host_configuration", ("relaychain.hostConfiguration", "map of text to anything", None, "empty")),
        ("parachains.groups.storageclass", ("parachains.groups.storageClass", "text", None, None)),
        ("relaychain.slot", ("relaychain.slot", "text", TIME, "6s")),
        ("isolation.networkpolicy", ("isolation.networkPolicy", "true or false", None, "true")),
        ("parachains.balances", ("parachains.balances", "map of text to whole number", PLANCKS, "empty")),
    ],
)
def test_a_path_may_leave_out_spec_and_write_names_either_way(path, what):
    found = explain.explain(f"testnet.{path}")
    assert (found.path.removeprefix("Testnet.spec."), found.type, found.unit, found.default) == what


def test_alternatives_and_limits_are_told():
    assert "rpc" in explain.explain("testnet.relaychain.groups.role").alternatives
    assert explain.explain("testnet.relaychain").alternatives == ("runtime", "specFile", "builtin")
    assert explain.explain("testnet.relaychain.groups.count").limits == ("at least 1", "at most 10000")


@pytest.mark.parametrize(
    ("path", "message", "hint"),
    [
        ("tesnet", "no kind tesnet", "did you mean Testnet"),
        ("testnet.relaychian", "Testnet.spec has no field relaychian", "relaychain"),
        ("testnet.relaychain.nodes", "has no field nodes", "there are client, image"),
        ("testnet.relaychain.groups.count.x", "count has no fields", "coalmine explain"),
        ("", "no kind", "Testnet"),
    ],
)
def test_an_unknown_path_gives_the_nearest_names(path, message, hint):
    with pytest.raises(UsageError, match=message) as caught:
        explain.explain(path)
    assert hint in caught.value.hint


@pytest.mark.parametrize(("path", "text"), explain.published().items(), ids=list(explain.published()))
def test_published_schemas_have_not_drifted_from_the_models(path, text):
    assert (ROOT / path).read_text() == text, HOW


def test_no_other_file_lies_among_the_schemas():
    assert {str(path.relative_to(ROOT)) for path in (ROOT / "docs" / "schema").iterdir()} == set(explain.published())


def test_a_schema_refers_to_nothing_outside_itself():
    for kind in KINDS:
        document = explain.schema(kind)
        text = json.dumps(document)
        references = {part.split('"')[0] for part in text.split('"$ref": "')[1:]}
        assert references <= {f"#/$defs/{name}" for name in document["$defs"]}


def properties(node):
    if isinstance(node, dict):
        yield from node.get("properties", {}).items() if isinstance(node.get("properties"), dict) else ()
        for value in node.values():
            yield from properties(value)


def test_a_default_in_a_schema_is_what_a_file_would_say():
    types = {"string": str, "integer": int, "boolean": bool, "array": list, "object": dict}
    for kind in KINDS:
        for name, found in properties(explain.schema(kind)):
            if found.get("default") is not None and "type" in found and found["type"] in types:
                assert isinstance(found["default"], types[found["type"]]), name
