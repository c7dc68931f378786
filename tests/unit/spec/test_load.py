"""Loading: every mistake in one go, each where it stands. What gates say of signals is tested with the catalogue."""

import contextlib
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.errors import SpecError, UsageError
from orchestrator.gates.library import expand
from orchestrator.spec.load import load
from tests.budget import schedules
from tests.unit.spec import good

EXAMPLES = Path(__file__).parents[3] / "examples"
QUICKSTART = (EXAMPLES / "quickstart.yaml").read_text()

TESTNET = """\
apiVersion: coalmine.dev/v1alpha1
kind: Testnet
metadata: {name: small}
spec:
  relaychain:
    runtime: {model: {specName: canary, specVersion: 1}}
    groups:
      - {name: validator, count: 4}
"""


def mistakes_of(tmp_path, text):
    file = tmp_path / "spec.yaml"
    file.write_text(text)
    with pytest.raises(SpecError) as caught:
        load([file])
    return [(m.line, m.path, m.message) for m in caught.value.mistakes]


@pytest.mark.parametrize("file", good.GOOD, ids=lambda file: file.name)
def test_every_example_is_good(file, tmp_path):
    """Files that an example leaves to its user, such as real runtimes, are models here: only their names are read."""
    good.brought(tmp_path)
    loaded = load([Path(shutil.copy(file, tmp_path))], expand=expand)
    assert loaded.testnets or loaded.experiments or loaded.upgrades


def test_all_mistakes_of_a_file_come_at_once_with_their_lines(tmp_path):
    text = (
        TESTNET.replace("count: 4", "count: 0, colour: red")
        .replace("metadata: {name: small}", "metadata: {name: Small}")
        .replace("specVersion: 1", "specVersion: one")
    )
    found = mistakes_of(tmp_path, text)
    assert [(line, path) for line, path, _ in found] == [
        (3, "metadata.name"),
        (6, "spec.relaychain.runtime.model.specVersion"),
        (8, "spec.relaychain.groups[0].count"),
        (8, "spec.relaychain.groups[0].colour"),
    ]
    assert found[-1][2] == "no such field"


@pytest.mark.parametrize(
    ("old", "new", "path", "words"),
    [
        ("count: 4", "count: 4, role: bootnode", "spec.relaychain.groups", "no group has the role validator"),
        ("{model: {specName: canary, specVersion: 1}}", "{}", "spec.relaychain.runtime", "exactly one of model | file"),
        (
            "{model: {specName: canary, specVersion: 1}}",
            "{file: not-there.wasm}",
            "spec.relaychain.runtime.file",
            "no file",
        ),
        ("kind: Testnet", "kind: Castle", "kind", "known are Testnet"),
        ("apiVersion: coalmine.dev/v1alpha1\n", "", "apiVersion", "is missing"),
        ("    groups:", "    slot: 2\n    groups:", "spec.relaychain.slot", "is not a duration"),
        ("    groups:", "    slot: 9s\n    groups:", "spec.relaychain.slot", "less than or equal to 6"),
        ("name: small", "name: small, name: large", "metadata.name", "twice"),
        (
            "{name: validator, count: 4}",
            "{name: validator, count: 4}\n      - {name: validator, count: 1}",
            "spec.relaychain.groups[1].name",
            "two groups",
        ),
    ],
)
def test_a_mistake_is_named_where_it_stands(tmp_path, old, new, path, words):
    found = mistakes_of(tmp_path, TESTNET.replace(old, new))
    assert any(at == path and words in message for _, at, message in found), found


@pytest.mark.parametrize(
    ("old", "new", "path", "words"),
    [
        ("testnet: quickstart", "testnet: elsewhere", "spec.testnet", "no Testnet called elsewhere"),
        ("validator-3]", "validator-9]", "experiment.partition.sides[1].nodes[1]", "no node validator-9"),
        ("validator-3]", "validator-0]", "experiment.partition.sides", "is on two sides"),
        ("chain: nest\n        code", "chain: west\n        code", "upgrade.chain", "no chain west"),
        (
            "on: {chain: nest}, increasesBy: 3",
            "on: {chain: west}, increasesBy: 3",
            "gates[3].on.chain",
            "no chain west",
        ),
        ("role: validator}\n          window", "role: king}\n          window", "on.role", "no role king"),
        ("from: upgrade.applied, to", "from: inject.confirmed, to", "stages[3]", "but the stage has no experiment"),
        ("stalls: 1\n", "stalls: 1\n          atMost: 3\n", "gates[0]", "exactly one of"),
        ("recoversWithin: 2 sessions", "recoversWithin: 2 moons", "recoversWithin", "is not a length of time"),
    ],
)
def test_what_a_rehearsal_says_of_a_network_is_checked_against_it(tmp_path, old, new, path, words):
    assert old in QUICKSTART
    found = mistakes_of(tmp_path, QUICKSTART.replace(old, new, 1))
    assert any(at.endswith(path) and words in message for _, at, message in found), found


@pytest.mark.parametrize(
    "text",
    ["", "a: [", "- 1\n- 2\n", "just words", "a: &x {b: *x}", "\ttab: 1", "42", "---\n---\n", "!!python/object:x {}"],
)
def test_what_is_no_object_is_a_mistake_and_no_traceback(tmp_path, text):
    assert mistakes_of(tmp_path, text)


def test_a_file_that_cannot_be_read_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match="cannot read"):
        load([tmp_path / "absent.yaml"])


LINES = QUICKSTART.splitlines()


@settings(max_examples=schedules(50), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, len(LINES) - 1), st.sampled_from(["", "  x: [", "    ?: 1", "a: b", "- - -", "name: 1", "\x01"]))
def test_no_changed_line_gives_anything_but_objects_or_mistakes(tmp_path, number, line):
    file = tmp_path / "mutated.yaml"
    file.write_text("\n".join([*LINES[:number], line, *LINES[number + 1 :]]))
    with contextlib.suppress(SpecError):  # Any other error fails the test.
        load([file])
