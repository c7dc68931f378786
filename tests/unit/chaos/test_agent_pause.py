"""Pausing real processes. Not covered: a process in an uninterruptible wait, which needs a broken disk."""

import os
import signal

import pytest

from chaos.agent.containers import Machine
from chaos.agent.faults import Gone
from chaos.agent.pause import ProcessStopper
from chaos.wire import PauseOrder


def order(container, **more):
    return PauseOrder(pod_uid=container.pod_uid, container_id=container.container_id, ttl_seconds=60, **more)


def states(bench, container):
    pids = bench.machine.container_processes(container.pod_uid, container.container_id)
    return {bench.machine.state(pid) for pid in pids}


def test_all_processes_of_the_container_stop_and_run_again(bench):
    container = bench.start("sleep 1000 & sleep 1000 & wait")
    pause = ProcessStopper(bench.machine)
    assert pause.inject("x", order(container)) == "3 of 3 processes stopped, read from the kernel"
    assert states(bench, container) == {"T"}
    assert pause.recover("x", order(container)) == "3 of 3 processes running again, read from the kernel"
    assert "T" not in states(bench, container)


def test_processes_that_keep_forking_are_all_caught(bench):
    container = bench.start("while true; do (sleep 0.01 &) ; sleep 0.005; done")
    ProcessStopper(bench.machine).inject("x", order(container))
    assert states(bench, container) == {"T"}


def test_another_container_of_the_same_pod_goes_on(bench):
    node = bench.start("exec sleep 1000")
    sidecar = bench.start("exec sleep 1000", pod_uid=node.pod_uid)
    ProcessStopper(bench.machine).inject("x", order(node))
    assert node.state() == "T"
    assert sidecar.state() == "S"


def test_pausing_twice_and_recovering_twice_is_the_same_as_once(bench):
    container = bench.start("exec sleep 1000")
    pause = ProcessStopper(bench.machine)
    assert pause.inject("x", order(container)) == pause.inject("x", order(container))
    assert pause.recover("x", order(container)) == pause.recover("x", order(container))
    assert container.state() == "S"


def test_recovering_what_was_never_paused_does_no_harm(bench):
    container = bench.start("exec sleep 1000")
    ProcessStopper(bench.machine).recover("x", order(container))
    assert container.state() in {"R", "S"}  # It may not have come to sleep yet.


def test_a_container_that_is_gone_cannot_be_paused_and_need_not_be_recovered(bench):
    container = bench.start("exec sleep 1000")
    os.kill(container.pid, signal.SIGKILL)
    container.process.wait()
    with pytest.raises(Gone):
        ProcessStopper(bench.machine).inject("x", order(container))
    assert "gone" in ProcessStopper(bench.machine).recover("x", order(container))


def test_pods_of_another_namespace_are_refused(bench):
    container = bench.start("exec sleep 1000")
    bench.machine.check_ours(container.pod_uid)
    with pytest.raises(Gone, match="has no pod"):
        Machine("kube-system").check_ours(container.pod_uid)


@pytest.mark.parametrize("uid", ["*", "../../etc", "", "00000000*"])
def test_a_pod_uid_that_is_a_pattern_or_a_path_is_refused(bench, uid):
    bench.start("exec sleep 1000")
    with pytest.raises(Gone):
        bench.machine.check_ours(uid)


@pytest.mark.parametrize(
    ("cgroup", "found"),
    [
        pytest.param("4:pids:/kubepods/besteffort/podUID/CID", True, id="cgroupfs-v1"),
        pytest.param("0::/../../podUID/CID", True, id="cgroupfs-v2-seen-from-a-cgroup-namespace"),
        pytest.param(
            "0::/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-podUI_D.slice/cri-containerd-CID.scope",
            True,
            id="systemd-containerd",
        ),
        pytest.param("0::/kubepods.slice/kubepods-podUI_D.slice/crio-conmon-CID.scope", False, id="crio-monitor"),
        pytest.param("0::/kubepods/podUID/OTHER", False, id="another-container"),
        pytest.param("0::/kubepods/podOTHER/CID", False, id="another-pod"),
        pytest.param("0::/kubepods/podUID/CID/init.scope", True, id="a-cgroup-inside-the-container"),
    ],
)
def test_processes_are_found_by_cgroup(tmp_path, cgroup, found):
    uid, container = "11111111-2222", "ab" * 32
    path = cgroup.replace("UI_D", uid.replace("-", "_")).replace("UID", uid).replace("CID", container)
    process = tmp_path / "42"
    process.mkdir()
    (process / "cgroup").write_text(path + "\n")
    (process / "stat").write_text("42 (a ) b) S 1 1")
    assert bool(Machine("x", proc=tmp_path).container_processes(uid, container)) is found
