"""Every feature of zombienet's definitions is read: it is in the Testnet, or listed. Nothing is dropped in silence."""

import contextlib
import copy
import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.errors import SpecError, UsageError
from orchestrator.importing import read_definition
from orchestrator.importing.account import UNKNOWN, leaves, snake
from orchestrator.spec.load import load
from tests.budget import schedules

TEMPLATES = {"v1-templates.toml", "v1-loop.toml"}
"""Of these the data is known only when they are filled in."""

FOLDER = Path(__file__).parent / "definitions"
FILES = sorted(FOLDER.iterdir())

FEATURES = [
    word for name in ("version-1", "sdk") for word in (FOLDER.parent / f"features-{name}.txt").read_text().split()
]


def parsed(file, text=None):
    text = file.read_text() if text is None else text
    if file.suffix == ".toml":
        return tomllib.loads(re.sub(r"\{%[^%]*%\}", "", text))
    return json.loads(text) if file.suffix == ".json" else yaml.safe_load(text)


def read(file, **more):
    return read_definition(file.read_text(), file.name, environment={}, **more)


def as_json(document):
    """The import of a document that is data already."""
    return read_definition(json.dumps(document), "a.json", environment={})


def keys(value):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield snake(key)
            yield from keys(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from keys(inner)


@pytest.mark.parametrize("feature", FEATURES)
def test_the_corpus_has_every_feature(feature):
    assert any(feature in set(keys(parsed(file))) for file in FILES if file.name not in TEMPLATES)


@pytest.mark.parametrize("runtimes", [{}, {"relay": "relay.wasm", "2000": "para.wasm"}], ids=["by name", "by runtime"])
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_definition_imports_and_the_result_is_valid(file, runtimes, tmp_path):
    imported = read(file, runtimes=runtimes)
    for chain in (imported.document["spec"]["relaychain"], *imported.document["spec"].get("parachains", [])):
        for needed in filter(None, (chain.get("specFile"), chain.get("runtime", {}).get("file"))):
            (tmp_path / needed).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / needed).write_bytes(b"\0asm")
    written = tmp_path / "testnet.yaml"
    written.write_text(yaml.safe_dump(imported.document))
    assert load([written]).testnet().name == imported.document["metadata"]["name"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_the_corpus_holds_no_field_that_is_not_known(file):
    assert not [finding for finding in read(file).findings if finding.reason == UNKNOWN]


@pytest.mark.parametrize("file", [f for f in FILES if f.name not in TEMPLATES], ids=lambda file: file.name)
def test_each_leaf_is_listed_or_decides_something(file):
    """Another value for a leaf that nobody lists gives another Testnet, other findings, or a mistake."""
    document = parsed(file)
    before = as_json(document)
    listed = [finding.path for finding in before.findings if finding.kind == "left out"]
    for path in leaves(document):
        if any(path == one or path.startswith((one + ".", one + "[")) for one in listed):
            continue
        changed = as_other(document, path)
        try:
            after = as_json(changed)
        except SpecError:
            continue
        assert after != before or path in EQUAL_TO_THE_DEFAULT, path


EQUAL_TO_THE_DEFAULT = {
    "settings.isolate_env",  # True is what a Testnet does; false is listed.
}


def as_other(document, path):
    """The document with another value at the path."""
    changed = copy.deepcopy(document)
    at, parts = changed, re.findall(r"[^.\[\]]+", path)
    for part in parts[:-1]:
        at = at[int(part)] if isinstance(at, list) else at[part]
    last = int(parts[-1]) if isinstance(at, list) else parts[-1]
    value = at[last]
    if isinstance(value, bool):
        at[last] = not value
    elif isinstance(value, int):
        at[last] = value + 1
    elif isinstance(value, str):
        at[last] = value + "x"
    else:
        at[last] = {"other": 1}
    return changed


DOCUMENTS = [parsed(file) for file in FILES if file.name not in TEMPLATES]
TEXTS = st.text("abcxyz_0-./: ", min_size=1, max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**20) | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)


@st.composite
def mutants(draw):
    """A definition of the corpus in which some places have other values, or more keys than zombienet knows."""
    document = copy.deepcopy(draw(st.sampled_from(DOCUMENTS)))
    for _ in range(draw(st.integers(1, 4))):
        at = document
        while isinstance(at, dict | list) and at and draw(st.booleans()):
            key = draw(st.sampled_from(list(at) if isinstance(at, dict) else list(range(len(at)))))
            if not isinstance(at[key], dict | list):
                at[key] = draw(VALUES)
                break
            at = at[key]
        if isinstance(at, dict):
            at[draw(TEXTS)] = draw(VALUES)
        elif isinstance(at, list):
            at.append(draw(VALUES))
    return document


@settings(max_examples=schedules(100), deadline=None)
@given(mutants())
def test_whatever_a_definition_holds_is_accounted_for(document):
    """Each leaf is taken or listed, and the result is a document or a list of mistakes: never another error."""
    imported = None
    with contextlib.suppress(SpecError):
        imported = as_json(document)
    if imported is None:
        return
    unknown = {finding.path for finding in imported.findings if finding.reason == UNKNOWN}
    for path in leaves(document):
        top = path.partition(".")[0].partition("[")[0]
        if snake(top) not in {"settings", "relaychain", "parachains", "hrmp_channels", "types", "custom_processes"}:
            assert path in unknown


def test_a_fields_place_and_reason_are_told():
    findings = {finding.path: finding.reason for finding in read(FOLDER / "v1-node.toml").findings}
    assert "address of its own" in findings["relaychain.nodes[0].rpc_port"]
    assert "full-node-1" in findings["relaychain.nodes[1].name"]
    assert "SHA-256" in findings["relaychain.nodes[0].db_snapshot"]


def test_no_secret_is_told():
    assert "5fb92d6e" not in " ".join(map(str, read(FOLDER / "sdk-evm.toml").findings))


class TestNodes:
    RELAY = read(FOLDER / "v1-node.toml").document["spec"]["relaychain"]

    def test_a_node_is_a_group_of_one_with_all_that_it_had(self):
        assert self.RELAY["groups"][0] == {
            "name": "alice",
            "role": "validator",
            "image": "parity/polkadot:v1.25.1",
            "keys": {"dev": ["alice"]},
            "args": ["-lparachain=debug", "-:--no-mdns"],
            "env": {"RUST_BACKTRACE": "1", "COUNT": "7"},
            "resources": {"cpu": "250m", "memory": "512Mi", "memoryLimit": "4Gi"},
            "balance": 2000000000000,
            "invulnerable": False,
        }

    def test_roles(self):
        assert [group["role"] for group in self.RELAY["groups"]] == ["validator", "full", "bootnode"]

    def test_a_group_has_its_count(self):
        (group,) = read(FOLDER / "v1-node-groups.yaml").document["spec"]["relaychain"]["groups"]
        assert (group["name"], group["count"]) == ("validators", 5)

    def test_arguments_that_have_a_field_go_there_and_those_that_coalmine_sets_are_listed(self):
        imported = read(FOLDER / "v1-arguments.toml")
        relay = imported.document["spec"]["relaychain"]
        alice, bob = relay["groups"]
        assert relay["args"] == ["-lparachain=debug"]
        assert (alice["database"], alice["pruning"]) == ("paritydb", "archive")
        assert alice["args"] == ["-:--insecure-validator-i-know-what-i-do"]
        assert (bob["keys"], bob["args"]) == ({"dev": ["bob"]}, ["--offchain-worker=never"])
        listed = {finding.path for finding in imported.findings}
        assert {"relaychain.nodes[0].args[2]", "relaychain.nodes[0].args[3]", "relaychain.nodes[1].args[1]"} <= listed

    def test_programs(self):
        groups = read(FOLDER / "v1-custom-command.toml").document["spec"]["relaychain"]["groups"]
        assert [group.get("program") for group in groups] == [None, ["/usr/local/bin/polkadot"], ["malus"]]
        (_, dave) = read(FOLDER / "v1-command-with-args.toml").document["spec"]["relaychain"]["groups"]
        assert (dave["client"], dave["program"][-1]) == ("command", "/data/a b")

    def test_a_loop_and_commands_of_several_words(self):
        spec = read(FOLDER / "v1-loop.toml").document["spec"]
        one, mallory, validators = spec["relaychain"]["groups"]
        assert one["args"] == ["-lparachain=debug"]
        assert mallory["program"] == ["malus", "dispute-ancestor", "--fake-validation", "approval-invalid"]
        assert (validators["count"], validators["database"], validators["args"]) == (
            3,
            "paritydb",
            ["-lparachain=debug"],
        )
        assert [para["id"] for para in spec["parachains"]] == [2000, 2001, 2002]
        assert [para["groups"][0]["name"] for para in spec["parachains"]] == ["collator", "collator-2", "collator-3"]
        assert {para["authoring"] for para in spec["parachains"]} == {"slot-based"}

    def test_a_group_of_collators_in_its_older_form(self):
        spec = read(FOLDER / "v1-collator-group-nested.toml").document["spec"]
        assert spec["relaychain"]["specFile"] == "./specs/rococo-raw.json"
        (group,) = spec["parachains"][0]["groups"]
        assert (group["name"], group["count"], group["program"]) == ("collator", 2, ["adder-collator"])


class TestChains:
    def test_a_runtime_and_its_patch(self):
        spec = read(FOLDER / "sdk-runtime.toml", rebase=lambda path: f"../{path}").document["spec"]
        relay, (para,) = spec["relaychain"], spec["parachains"]
        assert (relay["runtime"], relay["preset"]) == ({"file": ".././runtimes/westend.wasm"}, "development")
        assert relay["genesis"] == {"configuration": {"config": {"needed_approvals": 2}}}
        assert (para["client"], para["runtime"]) == ("polkadot-omni-node", {"file": "asset-hub.wasm"})
        assert "onboarding" not in para

    def test_a_chain_that_only_its_client_knows_is_not_registered_until_a_runtime_is_given(self):
        (para,) = read(FOLDER / "v1-para.toml").document["spec"]["parachains"]
        assert (para["builtin"], para["onboarding"]) == ("asset-hub-rococo-local", "none")
        (para,) = read(FOLDER / "v1-para.toml", runtimes={"2000": "a.wasm"}).document["spec"]["parachains"]
        assert (para["runtime"], "onboarding" in para) == ({"file": "a.wasm"}, False)

    @pytest.mark.parametrize("name", ["v1-genesis.json", "v1-genesis-old.json"])
    def test_a_patch_is_taken_out_of_its_wrapping(self, name):
        relay = read(FOLDER / name, runtimes={"relay": "r.wasm"}).document["spec"]["relaychain"]
        assert list(relay["genesis"]) == ["configuration"]

    def test_raw_keys(self):
        relay = read(FOLDER / "sdk-raw-override.toml").document["spec"]["relaychain"]
        assert relay["rawOverride"] == {"0x26aa394eea5630e07c48ae0c9558cef7": "0x01"}

    def test_onboarding_cores_and_authoring(self):
        first, second = read(FOLDER / "sdk-cores.toml").document["spec"]["parachains"]
        assert (first["cores"], first["authoring"]) == (3, "slot-based")
        assert (second["cores"], second["authoring"]) == (2, "slot-based")
        (late,) = read(FOLDER / "v1-para-registered.toml").document["spec"]["parachains"]
        assert late["onboarding"] == "late"

    def test_channels_in_either_spelling(self):
        channel = {"sender": 2000, "recipient": 2001}
        (found,) = read(FOLDER / "v1-hrmp.toml").document["spec"]["hrmpChannels"]
        assert found == {**channel, "maxCapacity": 8, "maxMessageSize": 512}
        (found,) = read(FOLDER / "v1-hrmp-camel.json").document["spec"]["hrmpChannels"]
        assert found == {**channel, "maxCapacity": 4, "maxMessageSize": 1024}


class TestTemplates:
    TEXT = (FOLDER / "v1-templates.toml").read_text()

    def test_variables_and_defaults_as_zombienet_has_them(self):
        imported = read_definition(self.TEXT, "a.toml", environment={})
        relay = imported.document["spec"]["relaychain"]
        assert (relay["builtin"], relay["image"]) == ("rococo-local", "parity/polkadot:latest")
        assert [str(f) for f in imported.findings if "POLKADOT_IMAGE" in f.path]
        known = {"CHAIN": "westend-local", "POLKADOT_IMAGE": "mine:1", "DEBUG": "trace", "NAME": "zoe"}
        relay = read_definition(self.TEXT, "a.toml", environment=known).document["spec"]["relaychain"]
        assert (relay["builtin"], relay["image"], relay["args"]) == ("westend-local", "mine:1", ["-ltrace"])
        assert relay["groups"][0]["name"] == "zoe"

    def test_what_is_not_set_is_told_with_its_lines_all_at_once(self):
        text = '[relaychain]\nchain = "{{A}}"\ndefault_image = "{{ B }}"\n'
        with pytest.raises(SpecError) as caught:
            read_definition(text, "a.toml", environment={})
        assert [(m.line, m.message) for m in caught.value.mistakes] == [(2, "$A is not set"), (3, "$B is not set")]

    def test_a_template_cannot_reach_the_program_that_fills_it_in(self):
        with pytest.raises(SpecError):
            read_definition("{{ ''.__class__.__mro__ }}", "a.toml", environment={})

    def test_references_to_nodes_are_listed(self):
        imported = read(FOLDER / "v1-references.toml")
        bob = imported.document["spec"]["relaychain"]["groups"][1]
        assert bob["args"] == ["--sync", "warp"]
        assert {"relaychain.nodes[1].args[0]", "relaychain.nodes[1].args[3]"} <= {f.path for f in imported.findings}


class TestMistakes:
    @pytest.mark.parametrize(
        ("name", "text", "line", "words"),
        [
            ("a.toml", "[relaychain]\nx = \n", 2, "not TOML"),
            ("a.json", '{"a": 1,\n}', 2, "not JSON"),
            ("a.yaml", "a: [1\n", 1, "not YAML"),
            ("a.toml", "", 0, "has a relay chain"),
            ("a.json", "[]", 0, "a table with a relaychain"),
            ("a.toml", "[relaychain]\n", 0, "has no nodes"),
            ("a.toml", "{{ x", 1, "the template"),
        ],
    )
    def test_what_is_no_definition(self, name, text, line, words):
        with pytest.raises(SpecError) as caught:
            read_definition(text, name, environment={})
        assert (caught.value.mistakes[0].line, words in str(caught.value.mistakes[0])) == (line, True)

    def test_all_mistakes_come_at_once(self):
        text = "[relaychain]\n[[relaychain.nodes]]\n[[parachains]]\nid = 5\n[[parachains]]\n"
        with pytest.raises(SpecError) as caught:
            read_definition(text, "a.toml", environment={})
        assert {m.path for m in caught.value.mistakes} == {
            "relaychain.nodes[0].name",
            "relaychain.nodes",
            "parachains[0].collators",
            "parachains[1].id",
        }

    def test_other_formats_are_refused(self):
        with pytest.raises(UsageError):
            read_definition("", "a.ini", environment={})
