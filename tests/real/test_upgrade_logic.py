"""Upgrades from object to end on real nodes: the controller's own plan, observation and calls, without a cluster.

Three upgrades one after another: the relay chain's, the parachain's, and one of the parachain whose migration panics,
which every checklist calls good. The controller is started anew whenever an upgrade reaches its next phase.
"""

import base64
import hashlib
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from chaos.nodes import Node
from chaos.upgrades import plan
from chaos.upgrades.observe import Observer
from chaos.upgrades.reconciler import UpgradeTools, reconciler
from orchestrator.chain import ParachainReader, SubstrateReader, rpc, runtime
from orchestrator.genesis.header import blake2_256

from .native import PARA, SUDO, NativeNetwork, Programs, specs_of

pytestmark = pytest.mark.timeout(3600)

PODS = {"validator-0": "alice", "validator-1": "bob", "collator-0": "collator"}


class NativeCluster:
    """Of a cluster what upgrades touch: one object's status, ConfigMaps, and logs, which here are files."""

    def __init__(self, network):
        self.network = network
        self.status = {}
        self.config_maps = {}

    def patch(self, kind, _name, _namespace, patch, *, subresource):
        assert (kind, subresource) == ("RuntimeUpgrade", "status")
        self.status = {k: v for k, v in {**self.status, **patch["status"]}.items() if v is not None}

    def get(self, kind, name):
        assert kind == "ConfigMap"
        return self.config_maps.get(name)

    def logs(self, pod, *, container, since_seconds, tail):
        """The file's end: what was said long ago is not in its last lines, for nodes say something each second."""
        assert (container, since_seconds > 0) == ("node", True)
        lines = self.network.nodes[PODS[pod]].log.read_text(errors="replace").splitlines(keepends=True)
        return "".join(lines[-tail:])


class Controller:
    """Follows one upgrade at a time, as the controller in a cluster does."""

    def __init__(self, network, threads):
        self.network = network
        self.threads = threads
        self.nodes = {
            name: Node(
                name, name.rpartition("-")[0], "collator" if own == "collator" else "validator",
                "nest" if own == "collator" else "relay", PARA if own == "collator" else None,
                name, "m", ("127.0.0.1",), "c", ready=True,
            )
            for name, own in PODS.items()
        }  # fmt: skip

    def upgrade(self, chain, code):
        """The status at the end."""
        cluster = NativeCluster(self.network)
        half = len(code) // 2
        for name, piece in (("a", code[:half]), ("b", code[half:])):
            cluster.config_maps[name] = {"binaryData": {"chunk": base64.b64encode(piece).decode()}}
        chunks = {"configMaps": ["a", "b"], "sha256": hashlib.sha256(code).hexdigest()}
        spec = {"chain": chain, "code": {"chunks": chunks}, "settleSessions": 0, "enactTimeout": "900s"}
        one = self._start(cluster, spec)
        while one.phase not in plan.ENDS:
            before = one.phase
            time.sleep(one.step(self.nodes))
            if one.phase != before:
                one = self._start(cluster, spec)
        return one.status

    def _start(self, cluster, spec):
        observer = Observer(self._reader, self.threads)
        tools = UpgradeTools(cluster, observer, lambda: SUDO, self.threads)
        metadata = {"name": "up", "uid": "u", "generation": 1}
        return reconciler({"metadata": metadata, "spec": spec, "status": cluster.status}, tools)

    def _reader(self, node):
        return SubstrateReader(rpc.http(self.network.nodes[PODS[node.name]].url, node=node.name))


@pytest.fixture(scope="module")
def story(real, polkadot, omni_node, tmp_path_factory):
    programs = Programs(real, polkadot, omni_node)
    specs, folder = specs_of(programs, tmp_path_factory), tmp_path_factory.mktemp("logic")
    with NativeNetwork(programs, specs, folder) as network, ThreadPoolExecutor(8) as threads:
        seen = SimpleNamespace(programs=programs, network=network)
        seen.relay, seen.para = network.nodes["alice"].reader(), network.nodes["collator"].reader()
        controller = Controller(network, threads)
        network.until(lambda: seen.relay.finalized().number > 0, 400, "a finalised relay block")
        seen.relay_upgrade = controller.upgrade("relay", programs.code("westend-fast-1025003.wasm"))
        network.until(lambda: (ParachainReader(seen.relay).included(PARA) or 0) > 0, 900, "an included candidate")
        seen.good = controller.upgrade("nest", programs.code("penpal-2.wasm"))
        seen.bricked = controller.upgrade("nest", programs.code("penpal-3-panics.wasm"))
        # What was built before the panic is still included: so the checklist's last item says yes, too.
        held = blake2_256(programs.code("penpal-3-panics.wasm"))
        final = seen.relay.finalized
        network.until(
            lambda: seen.relay.current_code_hash(PARA, final().hash) == held, 300, "the relay chain's new code"
        )
        seen.changed = seen.para.best()
        for name, status in (("relay", seen.relay_upgrade), ("good", seen.good), ("bricked", seen.bricked)):
            steps = [(step.name, step.block, step.at.strftime("%H:%M:%S")) for step in status.steps]
            print(f"\n{name}: {status.phase}, {status.cause}, {steps}")  # noqa: T201  What it costs is worth knowing.
        yield seen


def names(status):
    return [step.name for step in status.steps if not step.name.startswith("Session")]


def test_a_relay_chains_upgrade_completes_with_two_calls(story):
    status = story.relay_upgrade
    assert status.phase == "Completed", status.cause
    assert list(dict.fromkeys(names(status))) == ["Authorizing", "Applying"]
    at = story.relay.finalized().hash
    account = runtime(story.relay.rpc).value("System", "Account", "0x" + SUDO.public.hex(), at=at)
    assert account["nonce"] == 1, "each call is carried out once, though the controller was started anew"
    assert story.relay.authorized_upgrade() is None
    assert (status.spec_version_from, status.spec_version_to) == (1025002, 1025003)
    assert status.enacted_block == status.applied_block + 1
    built = [
        story.relay.last_runtime_upgrade(story.relay.hash_at(number)).spec_version
        for number in (status.applied_block, status.enacted_block)
    ]
    assert built == [1025002, 1025003]


def test_a_parachains_upgrade_completes_step_by_step(story):
    status = story.good
    assert status.phase == "Completed", status.cause
    steps = list(dict.fromkeys(names(status)))
    assert steps[:3] == ["Authorizing", "Applying", "PendingValidationCode"]
    assert set(steps) == {
        "Authorizing", "Applying", "PendingValidationCode", "FutureCodeHash", "PvfCheck", "GoAhead", "VersionChanged",
        "CurrentCodeHash",
    }  # fmt: skip
    assert steps.index("FutureCodeHash") < steps.index("GoAhead") < steps.index("CurrentCodeHash")
    built = [
        story.para.last_runtime_upgrade(story.para.hash_at(number)).spec_version
        for number in (status.enacted_block - 1, status.enacted_block)
    ]
    assert built == [1, 2]


def test_a_bricked_parachain_is_a_failure_though_each_item_of_a_checklist_says_yes(story):
    status, code = story.bricked, story.programs.code("penpal-3-panics.wasm")
    assert story.para.runtime_version().spec_version == 3
    assert story.relay.current_code_hash(PARA) == blake2_256(code)
    assert story.relay.future_code_hash(PARA) is None
    assert {"PvfCheck", "GoAhead", "VersionChanged"} <= set(names(status))
    assert (status.phase, status.failed_phase) == ("Failed", "Applied")
    assert status.enacted_at is None
    assert story.para.last_runtime_upgrade().spec_version == 2, "nothing was ever built by it"
    assert story.para.best() == story.changed


def test_its_cause_is_what_the_collator_said(story):
    cause = story.bricked.cause
    assert "1 of 1 authors panic; collator-0:" in cause
    assert "panicked at" in cause
    assert "rehearsal: this migration panics" in cause
    assert "finality stands at block" in cause
