"""What a machine lacks is named, with what helps, before anything is started."""

import os
import shutil
import subprocess
import types

import pytest

from orchestrator.errors import LabError
from orchestrator.lab import bringup, contained, native, network, state, toolchain
from orchestrator.lab.state import LabState
from orchestrator.progress import silent


@pytest.fixture
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("COALMINE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(state, "ROOT", tmp_path / "labs")
    return tmp_path / "cache"


def nothing(program, path=None):
    return None


def nearly_full(path):
    return types.SimpleNamespace(free=10**9)


def refused(action, *words):
    with pytest.raises(LabError) as caught:
        action()
    assert caught.value.hint
    said = f"{caught.value.message}; {caught.value.hint}"
    assert [word for word in words if word not in said] == []


@pytest.mark.parametrize("name", ["", "A", "-a", "a-", "a b", "../x", "a" * 33])
def test_names_that_cannot_be_paths_or_hosts_are_refused(name):
    refused(lambda: native.up(name, owner=None, progress=silent), "cannot name a lab", "lower-case")


def test_without_root(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    refused(lambda: native.up("a", owner=None, progress=silent), "needs root", "--context")


def test_without_util_linux(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda program: None if program == "setpriv" else "/bin/x")
    refused(lambda: native.up("a", owner=None, progress=silent), "no setpriv", "util-linux")


def test_without_go(monkeypatch, cache):
    monkeypatch.setattr(shutil, "which", nothing)
    monkeypatch.setattr(toolchain, "_GO_HOME", cache / "no-go")
    refused(lambda: toolchain.binaries(silent), "Go is needed", "install Go", "--context")


def test_go_is_not_asked_for_when_all_is_built(monkeypatch, cache):
    built = cache / "binaries" / toolchain.key()
    built.mkdir(parents=True)
    (built / "done").touch()
    monkeypatch.setattr(shutil, "which", nothing)
    assert toolchain.binaries(silent) == built


def test_a_build_that_fails_says_why_and_leaves_no_binary(monkeypatch, cache, tmp_path):
    go = tmp_path / "go"
    go.write_text("#!/bin/sh\necho 'no required module provides package' >&2\nexit 1\n")
    go.chmod(0o755)
    monkeypatch.setattr(toolchain, "_go", lambda: str(go))
    refused(lambda: toolchain.binaries(silent), "no required module", "Go modules")
    assert not (cache / "binaries" / toolchain.key() / "done").exists()


def test_without_apt(monkeypatch):
    monkeypatch.setattr(shutil, "which", nothing)
    refused(lambda: toolchain.packages(silent), "etcd-server", "apt-get", "--context")


def test_an_apt_that_fails_is_quoted(monkeypatch, cache):
    def fails(command, **_):
        return subprocess.CompletedProcess(command, 100, "", "E: Unable to locate package\n")

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda program: "/usr/bin/apt-get" if program == "apt-get" else None)
    monkeypatch.setattr(toolchain, "_POLICY_FILE", cache.parent / "policy-rc.d")
    monkeypatch.setattr(subprocess, "run", fails)
    refused(lambda: toolchain.packages(silent), "Unable to locate package", "apt-get update")
    assert not (cache.parent / "policy-rc.d").exists()


def test_a_policy_of_the_machine_stays_as_it_is(monkeypatch, tmp_path):
    policy = tmp_path / "policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    monkeypatch.setattr(toolchain, "_POLICY_FILE", policy)
    with toolchain._no_daemons():
        pass
    assert policy.read_text() == "#!/bin/sh\nexit 101\n"


def test_a_policy_of_ours_that_an_earlier_run_left_goes(monkeypatch, tmp_path):
    policy = tmp_path / "policy-rc.d"
    policy.write_text(toolchain._POLICY)
    monkeypatch.setattr(toolchain, "_POLICY_FILE", policy)
    with toolchain._no_daemons():
        assert policy.exists()
    assert not policy.exists()


def test_without_disk_space(monkeypatch, cache, tmp_path):
    monkeypatch.setattr(shutil, "disk_usage", nearly_full)
    monkeypatch.setattr(network, "used", lambda: ())
    refused(lambda: native._claim("a", tmp_path, owner=1), "only 1.0 GB", "3 GB")


@pytest.mark.parametrize(
    ("said", "helps"),
    [
        ("ip link add x type veth peer name y: Error: Unknown device type.", "veth"),
        ("etcd ended with 1; listen tcp 127.0.0.1:2379: bind: address already in use", "another program"),
        ("unshare: unshare failed: Operation not permitted", "CAP_SYS_ADMIN"),
        ("write /x: no space left on device", "disk space"),
        ("mount: Operation not permitted", "capabilities"),
        ("something else", "logs"),
    ],
)
def test_what_a_lab_said_before_it_ended_leads_to_a_remedy(said, helps):
    assert helps in bringup.remedy(said)


def test_a_lab_that_ends_while_it_starts_says_what_it_said_last(cache):
    lab = LabState(name="a", index=0, binaries="", owner=1)
    lab.logs.mkdir(parents=True)
    lab.fail("kubelet ended with 1; no cpuset")
    refused(lambda: bringup.until(lab, lambda: False, "the node", 5), "kubelet ended with 1", "logs")


def test_a_number_that_went_to_another_program_is_no_guardian(cache):
    lab = LabState(name="a", index=0, binaries="", owner=1)
    lab.save()
    assert lab.guardian() is None
    lab.note("guardian", str(os.getpid()))
    assert lab.guardian() is None


def test_a_command_that_fails_is_quoted_with_its_name():
    refused(lambda: contained.run("sh", "-c", "echo one; echo two >&2; exit 3", hint="try"), "sh failed: two", "try")


def test_what_is_told_of_progress_is_no_last_word():
    said = []
    script = "echo a/package >&2; echo wrong >&2; echo other/package >&2; exit 1"

    def takes(line):
        said.append(line)
        return "/" in line

    with pytest.raises(LabError, match=r"^sh failed: wrong$"):
        contained.run("sh", "-c", script, takes=takes, hint="try")
    assert said == ["a/package", "wrong", "other/package"]


def test_what_a_command_prints_is_returned_however_long():
    assert contained.run("sh", "-c", "seq 100000; echo loud >&2", hint="").splitlines()[-1] == "100000"
