"""The Pulumi engine up to the CLI's door: what is asked of it, what is made of its answers, and what it never gets."""

import json
import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pulumi.automation import events

from orchestrator.engine import backend, inventory, program
from orchestrator.engine.automation import PulumiEngine, Steps
from orchestrator.engine.lock import HeldLock
from orchestrator.engine.port import Change, Stack
from orchestrator.errors import ProvisionError
from orchestrator.render import Manifest

STACK = Stack(program="testnet", name="net", namespace="coalmine-net")


@pytest.fixture
def cli(tmp_path, monkeypatch):
    """The double, in PATH as `pulumi`; returns what it was called with."""
    double = Path(__file__).with_name("pulumi_double.py")
    (tmp_path / "bin").mkdir()
    shim = tmp_path / "bin" / "pulumi"
    shim.write_text(f'#!/bin/sh\nexec {sys.executable} {double} "$@"\n')
    shim.chmod(0o755)
    record = tmp_path / "calls"
    monkeypatch.setenv("PATH", f"{shim.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("DOUBLE_RECORD", str(record))
    monkeypatch.setenv("KUBECONFIG", "/somebody/elses/config")
    return record


def manifest(kind, name, api="v1", **body):
    labels = {"app.kubernetes.io/managed-by": "coalmine", "coalmine.dev/network": "net"}
    return Manifest({"apiVersion": api, "kind": kind, "metadata": {"name": name, "labels": labels}, **body})


NAMESPACE = manifest("Namespace", "coalmine-net")
CONFIG = manifest("ConfigMap", "chain", data={"text": "a", "other.yml": "b"})
MOUNTED = {"spec": {"volumes": [{"name": "chain", "configMap": {"name": "chain"}}]}}
GROUP = manifest("StatefulSet", "a", "apps/v1", spec={"replicas": 2, "template": MOUNTED})
ALL = (NAMESPACE, GROUP, CONFIG)


@pytest.fixture
def up(cli, memory):
    def run(*manifests):
        return PulumiEngine(memory).up(STACK, manifests, HeldLock("l", "n", "1"), lambda _: None)

    return run


def actions(changes):
    return {change.key: change.action for change in changes}


def test_the_same_program_runs_through_the_sdks_front_door(memory, up):
    assert actions(up(*ALL)) == dict.fromkeys(("Namespace/coalmine-net", "ConfigMap/chain", "StatefulSet/a"), "create")
    assert set(actions(up(*ALL)).values()) == {"same"}  # The state came back from the cluster.
    changed = manifest("ConfigMap", "chain", data={"text": "a", "other.yml": "c"})
    assert up(NAMESPACE, GROUP, changed)[1] == Change("ConfigMap/chain", "update", ("data.other.yml",))
    assert [c.key for c in up(NAMESPACE) if c.action == "delete"] == ["StatefulSet/a", "ConfigMap/chain"]
    assert inventory.read(memory, "coalmine-net").objects == ("Namespace/coalmine-net",)
    assert inventory.read(memory, "coalmine-net").engine == "pulumi"


def test_preview_stores_nothing_but_its_passphrase(memory, cli):
    changes = PulumiEngine(memory).preview(STACK, ALL)
    assert set(actions(changes).values()) == {"create"}
    assert [name for _, name in memory.objects] == [backend.PASSPHRASE]


def test_the_program_gives_the_provider_its_orders_and_puts_things_in_order(memory, up):
    up(*ALL)
    resources = backend.read(memory, "coalmine-net")["deployment"]["resources"]
    by_type = {resource["type"]: resource for resource in resources}
    provider = by_type["pulumi:providers:kubernetes"]
    assert provider["inputs"]["enableServerSideApply"] == "true"
    assert provider["inputs"]["clusterIdentifier"] == memory.host
    assert "kubeconfig" not in provider["inputs"]
    assert provider["version"]
    group = by_type["kubernetes:apps/v1:StatefulSet"]
    assert provider["urn"] in group["provider"]
    assert by_type["kubernetes:core/v1:ConfigMap"]["urn"] in group["dependencies"]
    assert by_type["kubernetes:core/v1:Namespace"]["urn"] in group["dependencies"]
    assert group["inputs"]["metadata"]["annotations"]["pulumi.com/skipAwait"] == "true"
    # The embedded engine applies the same object without what only Pulumi's provider reads.
    assert program.declared("testnet", "net", ALL) == ALL


def test_down_takes_all_and_what_pulumi_never_heard_of(memory, up, cli):
    up(*ALL)
    memory.apply(manifest("ConfigMap", "lost").document)  # An operation was killed before its state was taken back.
    inventory.remember(memory, "coalmine-net", ["ConfigMap/lost", "ConfigMap/chain"], engine="pulumi")
    gone = PulumiEngine(memory).down(STACK, HeldLock("l", "n", "1"), lambda _: None)
    assert gone[0].key == "StatefulSet/a"
    assert "ConfigMap/lost" in {change.key for change in gone}
    assert memory.get("ConfigMap", "lost") is None


def test_no_secret_reaches_an_argument_a_state_or_an_event(memory, up, cli):
    up(*ALL)
    passphrase = backend.passphrase(memory, "coalmine-net")
    calls, state = cli.read_text(), json.dumps(backend.read(memory, "coalmine-net"))
    for secret in (passphrase, "hidden-token"):
        assert secret not in calls
        assert secret not in state
    assert [json.loads(line) for line in calls.splitlines()][-1][1:3] == ["stack", "export"]


def test_a_program_that_fails_is_an_error_in_its_own_words(memory, up):
    broken = Manifest({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"labels": {}}})
    with pytest.raises(ProvisionError, match=r"Pulumi: .*KeyError: 'name'"):
        up(NAMESPACE, broken_key(broken))


def broken_key(manifest):
    class Nameless(Manifest):
        name = "nameless"

    return Nameless(manifest.document)


def test_a_lost_lock_stops_it_before_it_begins(memory, cli):
    lost = HeldLock("l", "n", "1")
    lost.lose()
    with pytest.raises(ProvisionError, match="was lost"):
        PulumiEngine(memory).up(STACK, ALL, lost, lambda _: None)
    assert not cli.exists()


# The event stream


def pre(op, key="ConfigMap/x", kind="kubernetes:core/v1:ConfigMap", **more):
    metadata = {"op": op, "urn": f"urn:pulumi:s::p::{kind}::{key}", "type": kind, **more}
    return events.EngineEvent.from_json(
        {"sequence": 0, "timestamp": 0, "resourcePreEvent": {"metadata": metadata, "planning": True}}
    )


@pytest.mark.parametrize(
    ("ops", "expected"),
    [
        (["refresh", "same"], ["same"]),
        (["refresh", "update"], ["update"]),
        (["create-replacement", "replace", "delete-replaced"], ["replace"]),
        (["delete-replaced", "create"], ["replace"]),
        (["import"], ["create"]),
        (["refresh", "read", "discard"], []),
    ],
)
def test_steps_of_an_object_are_one_change(ops, expected):
    seen = Steps()
    for op in ops:
        seen.take(pre(op))
    assert [change.action for change in seen.changes()] == expected


def test_what_is_no_object_is_no_change():
    seen = Steps()
    seen.take(pre("create", kind="pulumi:providers:kubernetes"))
    seen.take(pre("create", kind="pulumi:pulumi:Stack"))
    assert seen.changes() == ()


def test_paths_are_written_as_the_other_engine_writes_them():
    detailed = {path: {"diffKind": "update", "inputDiff": True} for path in ('data["a.yml"]', "spec.x[0].y", "__meta")}
    seen = Steps()
    seen.take(pre("update", detailedDiff=detailed))
    assert seen.changes()[0].paths == ("data.a.yml", "spec.x[0].y")


# The state


@given(st.dictionaries(st.text(), st.text() | st.integers()))
def test_a_state_comes_back_as_it_was(state):
    memory = MemoryOf()
    backend.write(memory, "n", state)
    assert backend.read(memory, "n") == state


def MemoryOf():  # noqa: N802  Hypothesis wants a new one each time, which a fixture is not.
    from tests.unit.engine.conftest import MemoryCluster  # noqa: PLC0415

    return MemoryCluster()


def test_a_large_state_is_cut_and_a_smaller_one_leaves_no_piece(memory, monkeypatch):
    monkeypatch.setattr(backend, "CHUNK", 100)
    large = {"deployment": [os.urandom(60).hex() for _ in range(20)]}
    backend.write(memory, "n", large)
    assert len(memory.objects) > 3
    assert backend.read(memory, "n") == large
    backend.write(memory, "n", {})
    assert len(memory.objects) == 1
    assert backend.read(memory, "n") == {}


def test_a_state_that_was_cut_off_while_it_was_written_is_none(memory, monkeypatch):
    monkeypatch.setattr(backend, "CHUNK", 100)
    backend.write(memory, "n", {"deployment": [os.urandom(60).hex() for _ in range(20)]})
    memory.objects.popitem()
    assert backend.read(memory, "n") is None


def test_equal_objects_are_stored_once():
    memory = MemoryOf()
    chunk = os.urandom(200_000).hex()
    backend.write(memory, "n", {"inputs": chunk, "outputs": chunk, "live": chunk})
    stored = sum(len(found["data"]["state"]) for found in memory.objects.values())
    assert stored < 1.5 * len(chunk)


def test_the_kubeconfig_is_for_nobody_else(memory, tmp_path):
    file = backend.write_kubeconfig(memory, tmp_path / "config")
    assert file.stat().st_mode & 0o777 == 0o600
    written = json.loads(file.read_text())
    assert written["users"][0]["user"]["token"] == "hidden-token"
    assert written["clusters"][0]["cluster"]["server"] == memory.host
