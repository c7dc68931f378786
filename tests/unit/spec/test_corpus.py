"""Files that are wrong in ways somebody thought of: all their mistakes and no others, each in the line that says so.

In `corpus/`, `#! path: words` at the end of a line is a mistake that must be told of this line.
"""

import re
from pathlib import Path

import pytest

from orchestrator.errors import SpecError
from orchestrator.gates.library import expand
from orchestrator.metrics.check import check
from orchestrator.spec import testnet_rules
from orchestrator.spec.document import parse
from orchestrator.spec.explain import explain
from orchestrator.spec.kinds import KINDS
from orchestrator.spec.load import load
from tests.unit.spec import good

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.yaml"))


def read(*files):
    return load(files, checks=[check], expand=expand)


def mistakes_of(*files):
    with pytest.raises(SpecError) as caught:
        read(*files)
    return caught.value.mistakes


def expected(file):
    """Line, path and words of each mistake that the file announces."""
    return [
        (number, *(part.strip() for part in one.split(":", 1)))
        for number, line in enumerate(file.read_text().splitlines(), start=1)
        for one in line.split("#!")[1:]
    ]


@pytest.mark.parametrize("file", CORPUS, ids=lambda file: file.stem)
def test_all_mistakes_of_a_file_are_told_and_no_others(file):
    told = list(mistakes_of(file))
    for line, path, words in expected(file):
        fitting = [one for one in told if (one.line, one.path) == (line, path) and words in one.message]
        assert fitting, (line, path, words, [str(one) for one in told])
        told.remove(fitting[0])
    assert told == []


def test_mistakes_of_several_files_come_in_one_go(tmp_path):
    (tmp_path / "latin.yaml").write_bytes(b"a: 1\nb: \xff\n")
    (tmp_path / "control.yaml").write_bytes(b"a: 1\nb: 2\nc: \x01\n")
    told = mistakes_of(CORPUS[0], tmp_path / "latin.yaml", tmp_path / "control.yaml")
    assert {one.file for one in told} == {str(CORPUS[0]), str(tmp_path / "latin.yaml"), str(tmp_path / "control.yaml")}
    lines = {Path(one.file).name: one.line for one in told}
    assert (lines["latin.yaml"], lines["control.yaml"]) == (2, 3)


def test_what_a_use_brings_in_does_not_move_the_paths_behind_it(tmp_path):
    text = (good.MAXIMAL / "rehearsal.yaml").read_text().replace("signal: finality-lag", "signal: finality-leg")
    text = text.replace("              atMost: 9", "              atMost: much")
    file = tmp_path / "moved.yaml"
    good.brought(tmp_path)
    file.write_text(text)
    assert [one.path for one in mistakes_of(file)] == [
        "spec.stages[0].gates[0].override.finality-close.atMost",
        "spec.stages[0].gates[1].signal",
    ]


def test_a_date_in_free_text_is_text(tmp_path):
    good.copied(tmp_path)
    (document,), _ = parse(tmp_path / "simnode.yaml")
    assert document.data["metadata"]["annotations"]["since"] == "2026-01-01"


NESTS = {
    "lists in a line": lambda depth: "[" * depth,
    "maps in a line": lambda depth: "{a: " * depth,
    "items in a line": lambda depth: "- " * depth + "x",
    "closed": lambda depth: f"a: {'[' * depth}{']' * depth}",
    "line by line": lambda depth: "".join(f"{' ' * level}a:\n" for level in range(depth)),
}


@pytest.mark.parametrize("depth", [51, 999, 1000, 1001, 1500])
@pytest.mark.parametrize("nest", NESTS.values(), ids=NESTS)
def test_our_limit_of_nesting_speaks_before_any_parsers(nest, depth, tmp_path):
    """Newer releases of libyaml have a limit of their own, and meet it while they look ahead, before we are told."""
    file = tmp_path / "deep.yaml"
    file.write_text(nest(depth))
    (mistake,) = mistakes_of(file)
    assert "nested deeper than 50 levels" in mistake.message


class Watched:
    """Anything, with the names of all fields that are read of it and of what it holds."""

    def __init__(self, inner, names):
        self.inner = inner
        self.names = names

    def __getattribute__(self, name):
        inner, names = (object.__getattribute__(self, each) for each in ("inner", "names"))
        if name == "__class__":
            return type(inner)
        if name in type(inner).model_fields:
            names.add(name)
            return watched(getattr(inner, name), names)
        found = getattr(type(inner), name, None)
        if isinstance(found, property):
            return watched(found.fget(self), names)
        return found.__get__(self) if callable(found) else getattr(inner, name)


def watched(value, names):
    if hasattr(type(value), "model_fields"):
        return Watched(value, names)
    return tuple(watched(item, names) for item in value) if isinstance(value, tuple) else value


@pytest.mark.parametrize("rule", testnet_rules.RULES, ids=lambda rule: rule.check.__name__)
def test_a_rule_reads_no_other_fields_than_it_says(rule, tmp_path):
    """So that a rule keeps silent when a field that it reads was wrong, instead of speaking of its default."""
    seen = set()
    for file in good.copied(tmp_path):
        for testnet in read(file).testnets.values():
            list(rule.check(watched(testnet.spec, seen)))
    assert seen - testnet_rules.LISTS - {"model", "file", "dev"} == seen & rule.reads


def test_the_maximal_specs_use_every_field_there_is(tmp_path):
    def below(path):
        for name, _, _ in explain(path).fields:
            yield f"{path}.{name}"
            yield from below(f"{path}.{name}")

    used = set()
    for file in good.copied(tmp_path):
        for document in parse(file)[0]:
            paths = (".".join(part for part in path if isinstance(part, str)) for path in document.lines)
            used |= {f"{document.data['kind']}.{path}" for path in paths}
    everything = {path for kind in KINDS for path in below(kind)}
    left = {path for path in everything - used if not re.search(r"chunks|leftOut|\.status|Span|\.gates\.", path)}
    assert {path.rpartition(".")[2] for path in left} <= {path.rpartition(".")[2] for path in used}, left
