"""Traps of other systems that are none of gates: faults, readiness, upgrades, manifests.

Each case names the module that keeps us out of the trap and shows it there; those modules have tests of their own.
"""

from datetime import timedelta
from types import SimpleNamespace

import pytest

from chaos.scene import Place
from chaos.upgrades import preflight
from chaos.upgrades.view import Failure
from orchestrator.chain import Upgrader
from orchestrator.errors import ReadinessError
from orchestrator.genesis import chainspec
from orchestrator.readiness import rungs
from orchestrator.readiness.ladder import climb_rungs
from orchestrator.run.pods import PodLogs, PodWatch
from tests.controller.simulation import KILL, PARTITION, PAUSE, quickstart, spec
from tests.unit.gates.asking import Logs, Stage1
from tests.unit.gates.building import START, gate, measured, series
from tests.unit.render.test_render import network, rendered


def condition(status, name):
    return next((c for c in status.conditions if c.type == name), None)


def test_6_a_duration_that_counts_from_the_objects_creation():
    """Chaos Mesh's short faults can expire before they are in. `chaos.experiments` counts from confirmation."""
    simulation = quickstart(spec(**PAUSE))
    created = simulation.now
    agents, simulation.agents = simulation.agents, {}
    for _ in range(50):  # No agent is there for 25 seconds: longer than the fault is meant to last.
        simulation.tick()
    naive = simulation.phases[-1] == "Pending" and simulation.now >= created + timedelta(seconds=20)
    assert naive  # By the clock of the object it would be over now, and was never in.
    simulation.agents = agents
    status = simulation.run()
    assert "Active" in simulation.phases
    assert status.recover_started_at - status.confirmed_at >= timedelta(seconds=20)


def test_7_targets_that_are_frozen_at_the_first_look():
    """A pod that restarts is without its fault in Chaos Mesh. `chaos.faults.held` places it again on the new one."""
    simulation = quickstart(spec(**PARTITION))
    simulation.run(until={"Active"})
    first = simulation.nodes["validator-0"].pod_uid
    naive = {held.pod_uid for held in simulation.in_place().values()}
    simulation.replace_pod("validator-0")
    second = simulation.nodes["validator-0"].pod_uid
    assert first != second
    assert second not in naive
    for _ in range(12):
        simulation.tick()
    assert second in {held.pod_uid for held in simulation.in_place().values()}


def test_8_a_fault_that_selects_nothing():
    """It looks created elsewhere. `chaos.targets` finds nobody: the experiment has failed before anything is done."""
    simulation = quickstart(spec(pause={"target": {"group": "archive"}}))
    simulation.tick()
    naive = bool(simulation.written)  # The object is there, and that is all that a naive runner looks at.
    assert naive
    status = simulation.run()
    assert (status.phase, condition(status, "Selected").reason) == ("Failed", "NothingSelected")
    assert simulation.log == []


def test_9_two_faults_on_one_queue():
    """Kill and network faults together break recovery elsewhere. `chaos.experiments` refuses what is claimed."""
    simulation = quickstart(spec(**PARTITION))
    simulation.claims = {"other": frozenset({"validator-2"})}
    status = simulation.run()
    assert status.phase == "Failed"
    assert "other" in status.cause
    assert not any(isinstance(action, Place) for action in simulation.log)
    simulation = quickstart(spec(**KILL))  # And a kill waits for the successors before it calls itself recovered.
    assert simulation.run().phase == "Recovered"
    assert all(node.ready for node in simulation.nodes.values())


class Test13EvidenceThatIsDestroyed:
    """Others restart stalled nodes, or tear down restarted ones. We do neither, and count over the restart."""

    @staticmethod
    def pod(uid, restarts=0, reason=None):
        ended = (
            {"lastState": {"terminated": {"reason": reason, "finishedAt": "2026-01-01T00:00:00Z"}}} if reason else {}
        )
        status = {
            "containerStatuses": [{"name": "node", "restartCount": restarts, **ended}],
            "conditions": [{"type": "Ready", "status": "True"}],
        }
        return {"metadata": {"name": "validator-0", "uid": uid}, "status": status}

    def test_a_restart_is_counted_though_the_pod_was_replaced(self):
        cluster = SimpleNamespace(list=lambda *_: [self.now])
        watch = PodWatch(cluster, "n", frozenset({"validator-0"}))
        seen = []
        killed = self.pod("a", 1, "OOMKilled")
        for pod in (self.pod("a"), killed, killed, self.pod("b"), self.pod("b", 1)):
            self.now = pod
            fact = watch.facts()["validator-0"]
            seen.append((fact.restarts, fact.oom_kills))
        naive = self.now["status"]["containerStatuses"][0]["restartCount"]
        assert naive == 1
        assert seen == [(0, 0), (1, 1), (1, 1), (2, 1), (3, 1)]

    def test_a_restart_in_the_window_fails_its_gate(self):
        quiet = [3, 3, 3, 3, 4, 4]
        found = measured(gate(pods="restarts", equals=0), series(quiet)).judged()
        assert (found.verdict, found.value) == ("FAILED", 1.0)

    def test_the_log_of_the_container_before_is_read_too(self):
        class Cluster:
            def log_stream(self, *_, previous, **__):
                stamp = "1970-01-01T00:16:30.000000001Z" if previous else "1970-01-01T00:16:45Z"
                yield f"{stamp} thread panicked at runtime.rs" if previous else f"{stamp} started"

        lines = PodLogs(Cluster(), "n").matching("validator-0", "panicked", START - 15, START + 30)
        assert len(lines.hits) == 1
        panics = gate(logs={"pattern": "panicked"}, on={"node": "validator-0"}, atMost=0)
        assert Stage1(panics, logs=Logs(validator_0=(START + 1,))).finish()[0].verdict == "FAILED"


class Test15ReadinessByMetrics:
    """`/metrics` answers as soon as the process runs. The ladder asks for what a network does."""

    def rungs(self):
        spec_ = network()
        net = SimpleNamespace(testnet=spec_, genesis=chainspec.build(spec_, bytes(32)))
        access = SimpleNamespace(nodes=())
        return rungs.rungs(None, net, access), access

    def test_is_not_the_end_of_the_ladder(self):
        names = [rung.name for rung in self.rungs()[0]]
        naive = names.index("all pods are ready")
        for later in (
            "all authorities hold their session keys",
            "finality advances on all nodes, and hashes agree",
            "each parachain had its first candidate included",
            "validators have prepared the parachains' code",
        ):
            assert names.index(later) > naive

    def test_a_network_that_only_runs_is_never_called_ready(self):
        standing = rungs.Rung("finality advances on all nodes", 0.0, lambda: {"validator-0": "finalised block stands"})
        with pytest.raises(ReadinessError, match=r"finality advances on all nodes: .*validator-0"):
            climb_rungs([standing], self.rungs()[1], lambda _: None)


class Test16UpgradesByASideDoor:
    """Sudo with `set_code_without_checks` passes where production fails. Our upgrader has no such call to send."""

    def test_there_are_only_the_calls_of_production(self):
        sends = {name for name in vars(Upgrader) if not name.startswith("_")}
        assert sends == {"authorize", "apply", "events"}

    @pytest.mark.parametrize(
        ("name", "version", "said"), [("other", 2, "spec_name is canary"), ("canary", 1, "spec_version must rise")]
    )
    def test_what_the_checks_would_refuse_is_refused(self, name, version, said):
        code = SimpleNamespace(spec_name=name, spec_version=version, size=1)
        chain = SimpleNamespace(version=SimpleNamespace(spec_name="canary", spec_version=1))

        def naive(chain, code):  # `set_code_without_checks` puts in its place whatever it is given.
            return SimpleNamespace(**{**vars(chain), "version": code})

        assert naive(chain, code).version is code
        with pytest.raises(Failure, match=said):
            preflight.judge(SimpleNamespace(is_parachain=False), code, chain, SimpleNamespace(max_code_size=None))


class Test17PodsThatAreUnsafeByDefault:
    """zombienet mounts the host's logs, pulls always, uses `latest` and opens unsafe RPC. `render` does not."""

    @pytest.fixture
    def pods(self):
        sets = [m.document for m in rendered(network()) if m.document["kind"] == "StatefulSet"]
        return {document["metadata"]["name"]: document["spec"]["template"]["spec"] for document in sets}

    def containers(self, pods):
        return [c for pod in pods.values() for c in (*pod["containers"], *pod.get("initContainers", []))]

    def test_mount_nothing_of_the_host(self, pods):
        assert not [volume for pod in pods.values() for volume in pod.get("volumes", []) if "hostPath" in volume]

    def test_run_the_image_that_was_named_and_do_not_pull_it_anew(self, pods):
        for container in self.containers(pods):
            assert container.get("imagePullPolicy") != "Always"
            assert not container["image"].endswith(":latest")

    def test_open_no_unsafe_rpc(self, pods):
        words = [word for c in self.containers(pods) for word in (*c.get("command", []), *c.get("args", []))]
        assert "--validator" in words
        for open_ in ("--unsafe-rpc-external", "--rpc-methods=unsafe", "--rpc-methods=Unsafe", "unsafe", "Unsafe"):
            assert open_ not in words


def test_18_a_fault_that_silently_does_nothing():
    """With the wrong runtime socket Chaos Mesh's faults fail in silence. `chaos.faults` measures the effect first."""
    simulation = quickstart(spec(**PARTITION))
    simulation.leaking.update(node.ip for node in simulation.nodes.values())  # Rules are in, and packets pass.
    naive = "Active"
    status = simulation.run()
    assert naive not in simulation.phases
    assert status.phase == "Failed"
    assert "reaches" in status.cause
    unsupported = quickstart(spec(**PARTITION))
    unsupported.agents["m1"].unsupported["partition"] = "iptables: no such module"
    assert "no such module" in unsupported.run().cause
