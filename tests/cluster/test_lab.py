"""Labs of their own, each brought up to see one thing of it: it serves, and however it ends nothing stays.

What a lab could leave is looked for where it would be: processes, cgroups, links, routes, mounts and files.
"""

import dataclasses
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from orchestrator import lab as labs
from orchestrator.errors import ClusterError, LabError
from orchestrator.lab import building, cgroups, docker_engine, network, state, toolchain

STARTER = """
import os, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # A suite in the background has it ignored.
from orchestrator import lab
name, owned = sys.argv[1], sys.argv[2] == "owned"
say = lambda line: print(line, flush=True)
lab.up(name, owner=os.getpid() if owned else None, progress=say)
say("up")
if owned:
    time.sleep(600)
"""


def silent(line):
    pass


@pytest.fixture(scope="module", autouse=True)
def built():
    """All that is made once, so that what is timed below is the lab and not a compiler."""
    if os.geteuid() != 0:
        pytest.skip("a lab needs root")
    with labs.running("test-built", progress=lambda line: sys.stderr.write(line + "\n")):
        pass


@pytest.fixture
def name(request):
    """The name of a lab that no test leaves behind, not even a failing one."""
    chosen = f"test-{os.getpid()}"
    yield chosen
    labs.down(chosen, progress=silent)


@pytest.fixture
def lab(name):
    return labs.up(name, owner=os.getpid(), progress=silent)


def traces(lab):
    """Everything of a lab that can be found on this machine."""
    found = [f"cgroup {h / lab.cgroup}" for h in cgroups.hierarchies() if (h / lab.cgroup).exists()]
    found += [f"process {pid}: {line}" for pid, line in processes() if belongs(line, lab)]
    found += [f"link {lab.host_link}"] if Path("/sys/class/net", lab.host_link).exists() else []
    found += [] if network.free(lab.networks, network.used()) else ["an address or a route"]
    mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    found += [f"mount {line}" for line in mounts if f"{lab.directory}/" in line]
    found += [f"files in {lab.directory}"] if lab.directory.exists() else []
    return found


def processes():
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            yield int(folder.name), command + (folder / "cgroup").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue


def belongs(line, lab):
    own = (f"{lab.directory}/", f"/{lab.cgroup}/", f"guardian {lab.name} ", f"supervisor {lab.name} ")
    return any(word in line for word in own)


def gone(lab, within=30):
    """What is left of a lab after it had its time to go; nothing, one hopes."""
    deadline = time.monotonic() + within
    while (left := traces(lab)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def wait_for(condition, within=60):
    deadline = time.monotonic() + within
    while not (value := condition()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)
    return value


def pod(image, *command, **spec):
    container = {"name": "main", "image": image, "imagePullPolicy": "IfNotPresent", "command": list(command)}
    container |= spec.pop("container", {})
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "probe", "namespace": "default"},
        "spec": {"terminationGracePeriodSeconds": 0, "restartPolicy": "Never", "containers": [container], **spec},
    }


def run_pod(lab, document):
    """Runs a pod to its end and returns what it printed."""
    cluster = lab.cluster()
    cluster.apply(document)
    phase = wait_for(lambda: ended(cluster), within=60)
    said = cluster.logs("probe")
    assert phase == "Succeeded", said
    cluster.delete("Pod", "probe", "default")
    return said


def ended(cluster):
    phase = cluster.get("Pod", "probe", "default")["status"].get("phase")
    return phase if phase in {"Succeeded", "Failed"} else None


def start(name, owned="owned"):
    command = [sys.executable, "-c", STARTER, name, owned]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def reach(starter, words):
    """Reads what a starter tells until it tells this."""
    for line in starter.stdout:
        if words in line:
            return
    pytest.fail(f"the starter ended with {starter.wait()} before it said {words!r}")


def test_a_lab_is_up_in_seconds_once_everything_is_built(name):
    started = time.monotonic()
    lab = labs.up(name, owner=os.getpid(), progress=silent)
    assert lab.cluster().get("Node", f"lab-{name}") is not None
    assert time.monotonic() - started < 30  # Four seconds on two idle cores; ten is what was asked for.


def test_up_again_returns_the_lab_that_runs(lab):
    again = labs.up(lab.name, owner=os.getpid(), progress=silent)
    assert again.state == lab.state
    assert [status.name for status in labs.status()].count(lab.name) == 1


def test_two_labs_stand_side_by_side(lab):
    with labs.running(f"{lab.name}-b", progress=silent) as other:
        assert set(other.state.networks).isdisjoint(lab.state.networks)
        for one in (lab, other):
            assert one.cluster().get("Node", one.state.node) is not None
        assert lab.cluster().get("Node", other.state.node) is None
    assert lab.cluster().get("Node", lab.state.node) is not None
    assert gone(other.state) == []


def test_pods_resolve_names_and_reach_services_and_the_api_server(lab):
    coalmine, _ = lab.images(silent)
    check = """
import socket, ssl, urllib.request
print(socket.gethostbyname("kubernetes.default"), socket.gethostbyname("kube-dns.kube-system.svc.cluster.local"))
where = ssl.create_default_context(cafile="/var/run/secrets/kubernetes.io/serviceaccount/ca.crt")
print(urllib.request.urlopen("https://kubernetes.default/version", context=where).status)
import chaos, kopf, orchestrator, simnode
"""
    said = run_pod(lab, pod(coalmine.reference, "python3", "-c", check))
    assert said.split() == [lab.state.api_ip, lab.state.dns_ip, "200"]


def test_the_api_server_reaches_pods(lab):
    coalmine, _ = lab.images(silent)
    cluster = lab.cluster()
    cluster.apply(pod(coalmine.reference, "python3", "-m", "http.server", "8000", "--directory", "/etc"))

    def answer():
        try:
            return cluster.proxy("pods", "probe", 8000, "hostname")
        except ClusterError:
            return None

    assert wait_for(answer) == (200, b"probe\n")


def test_a_privileged_pod_sees_the_processes_and_network_of_the_node(lab):
    coalmine, _ = lab.images(silent)
    check = "cat /proc/[0-9]*/comm | sort -u; ip -o link; iptables -S INPUT"
    privileged = {"securityContext": {"privileged": True, "runAsUser": 0}}
    said = run_pod(
        lab, pod(coalmine.reference, "sh", "-ec", check, hostPID=True, hostNetwork=True, container=privileged)
    )
    assert "kubelet" in said
    assert "br0" in said
    assert "KUBE-FIREWALL" in said


def test_claims_get_volumes_that_anyone_can_write_and_that_go_with_them(lab):
    coalmine, _ = lab.images(silent)
    cluster = lab.cluster()
    cluster.apply(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": "data", "namespace": "default"},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
        }
    )
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    mounted = {"volumeMounts": [{"name": "data", "mountPath": "/data"}]}
    write = pod(coalmine.reference, "sh", "-ec", "id -u; echo kept >/data/file", volumes=volumes, container=mounted)
    assert run_pod(lab, write) == "65532\n"
    wait_for(lambda: cluster.get("Pod", "probe", "default") is None)
    assert run_pod(lab, {**write, "spec": {**write["spec"], "containers": [reading(write)]}}) == "kept\n"
    assert [file.read_text() for file in lab.state.directory.glob("volumes/*/file")] == ["kept\n"]
    wait_for(lambda: cluster.get("Pod", "probe", "default") is None)
    cluster.delete("PersistentVolumeClaim", "data", "default")
    wait_for(lambda: not list(lab.state.directory.glob("volumes/*")))
    wait_for(lambda: not cluster.list("PersistentVolume"))


def reading(document):
    return {**document["spec"]["containers"][0], "command": ["cat", "/data/file"]}


def test_a_component_that_dies_is_started_again(lab):
    pid = next(pid for pid, line in processes() if "kube-scheduler" in line and f"{lab.state.directory}/" in line)
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: any("kube-scheduler" in line and f"{lab.state.directory}/" in line for _, line in processes()))
    coalmine, _ = lab.images(silent)
    assert run_pod(lab, pod(coalmine.reference, "echo", "scheduled")) == "scheduled\n"


def test_images_are_loaded_once(lab):
    lab.images(silent)
    told = []
    lab.images(told.append)
    assert told == []


def test_an_archive_that_is_none_is_refused(lab, tmp_path):
    (tmp_path / "none.tar").write_bytes(b"not a tar")
    with pytest.raises(LabError, match="does not take"):
        lab.load_image(tmp_path / "none.tar")


def test_down_leaves_nothing(lab):
    coalmine, _ = lab.images(silent)
    lab.cluster().apply(pod(coalmine.reference, "sleep", "600"))
    wait_for(lambda: lab.cluster().get("Pod", "probe", "default")["status"].get("phase") == "Running")
    assert traces(lab.state)  # What is looked for below can be found while it is there.
    labs.down(lab.name, progress=silent)
    assert traces(lab.state) == []


def test_down_where_there_is_no_lab_says_so(name):
    told = []
    labs.down(name, progress=told.append)
    assert told == [f"there is no lab {name}"]


@pytest.mark.parametrize("stage", ["starting the control plane", "API server ready", "node ready"])
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_whoever_is_ended_while_starting_a_lab_leaves_nothing(name, stage, end):
    starter = start(name)
    reach(starter, stage)
    lab = state.load(name)
    starter.send_signal(end)
    assert starter.wait() != 0
    starter.stdout.close()
    assert gone(lab) == []


def test_a_lab_ends_with_its_owner(name):
    starter = start(name)
    reach(starter, "up")
    lab = state.load(name)
    assert labs.find(name) is not None
    starter.kill()
    starter.wait()
    starter.stdout.close()
    assert gone(lab) == []


def test_a_detached_lab_outlives_who_started_it(name):
    starter = start(name, owned="detached")
    reach(starter, "up")
    assert starter.wait() == 0
    starter.stdout.close()
    lab = labs.find(name)
    assert lab is not None
    assert lab.cluster().get("Node", lab.state.node) is not None
    labs.down(name, progress=silent)
    assert traces(lab.state) == []


def test_a_killed_supervisor_leaves_nothing(lab):
    os.kill(int(lab.state.noted("supervisor")), signal.SIGKILL)
    assert gone(lab.state) == []
    assert labs.find(lab.name) is None


def test_a_killed_guardian_takes_the_lab_along_and_the_next_command_sweeps(lab):
    handle = os.pidfd_open(int(lab.state.noted("supervisor")))
    os.kill(lab.state.guardian(), signal.SIGKILL)
    assert select.select([handle], [], [], 30)[0], "the supervisor lives on"
    os.close(handle)
    labs.status()
    assert traces(lab.state) == []


def test_who_comes_second_gets_the_lab_that_another_is_starting(name):
    starter = start(name)
    reach(starter, "starting the control plane")
    lab = labs.up(name, owner=os.getpid(), progress=silent)
    assert lab.state.owner == starter.pid
    assert lab.cluster().get("Node", lab.state.node) is not None
    starter.kill()
    starter.wait()
    starter.stdout.close()


def fails_to_start(name, *prefix, **environment):
    """What a starter is told on a machine that lacks something."""
    code = f"""
from orchestrator import errors, lab
try:
    lab.up({name!r}, owner=None, progress=lambda line: None)
except errors.LabError as error:
    print(error.message, "--", error.hint)
"""
    command = [*prefix, sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, **environment}).stdout


def nothing_stays(name):
    left = [line for _, line in processes() if f"coalmine-lab-{name}/" in line or f"guardian {name} " in line]
    left += [str(h) for h in cgroups.hierarchies() if (h / f"coalmine-lab-{name}").exists()]
    return not left and state.load(name) is None


def test_where_namespaces_are_refused_the_remedy_is_told(name):
    said = fails_to_start(name, "setpriv", "--bounding-set=-sys_admin")
    assert "unshare" in said
    assert "Operation not permitted" in said
    assert "--context" in said
    assert nothing_stays(name)


def test_where_the_kernel_has_no_veth_the_remedy_is_told(name, tmp_path):
    tool = tmp_path / "ip"
    tool.write_text(
        '#!/bin/sh\ncase "$*" in *veth*) echo "Error: Unknown device type." >&2; exit 2;; esac\nexec /sbin/ip "$@"\n'
    )
    tool.chmod(0o755)
    said = fails_to_start(name, PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert "Unknown device type" in said
    assert "no veth links" in said
    assert nothing_stays(name)


def test_a_build_ends_with_who_asked_for_it(tmp_path):
    code = "from orchestrator.lab import contained; contained.run('sh', '-c', 'sleep 4711; true', hint='')"
    asker = subprocess.Popen([sys.executable, "-c", code], cwd=toolchain.sources().parents[2])
    builder = wait_for(lambda: [pid for pid, line in processes() if line.startswith("sleep 4711")])[0]
    handle = os.pidfd_open(builder)
    asker.kill()
    asker.wait()
    assert select.select([handle], [], [], 10)[0]
    os.close(handle)


def test_a_build_that_was_killed_goes_on_where_it_was(monkeypatch, tmp_path):
    monkeypatch.setenv("GOCACHE", str(tmp_path / "go"))
    pause = building.Program("pause", "-s -w", takes="a moment")

    def lacking():
        return len(building.packages(toolchain._go(), toolchain.sources(), pause).lacking)

    whole = lacking()
    code = f"""
from pathlib import Path
from orchestrator.lab import building, toolchain
pause = building.Program(**{dataclasses.asdict(pause)})
building.build(toolchain._go(), toolchain.sources(), pause, Path({str(tmp_path)!r}, "pause"), print)
"""
    asker = subprocess.Popen([sys.executable, "-c", code], cwd=toolchain.sources().parents[2])
    wait_for(lambda: lacking() < whole)
    asker.kill()
    asker.wait()
    assert lacking() < whole
    assert not (tmp_path / "pause").exists()


def engine_traces():
    found = [str(path) for path in docker_engine.ROOT.glob("*")]
    found += [str(path) for h in cgroups.hierarchies() for path in h.glob("coalmine-engine-*")]
    return found + [line for _, line in processes() if str(docker_engine.ROOT) in line]


def test_a_killed_user_of_a_docker_engine_leaves_nothing_of_it(monkeypatch):
    if docker_engine.answering() is not None:
        pytest.skip("this machine has an engine of its own")
    before = set(engine_traces())
    code = """
import time
from orchestrator.lab import docker_engine
with docker_engine.engine(lambda line: None) as engine:
    print(engine.url, flush=True)
    time.sleep(600)
"""
    user = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    folder = str(Path(user.stdout.readline().strip().removeprefix("unix://")).parent)
    ours = [trace for trace in engine_traces() if folder in trace]
    assert any("dockerd" in trace for trace in ours)
    user.kill()
    user.wait()
    user.stdout.close()
    wait_for(lambda: not [trace for trace in engine_traces() if folder in trace])
    wait_for(lambda: set(engine_traces()) <= before)
