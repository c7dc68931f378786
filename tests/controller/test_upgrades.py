"""An upgrade from object to end: the real plan, observation and reconciler, against chains that are driven by hand.

`Rig.go` lets a second pass, both chains build a block, and the controller take a step. Faults of chains and nodes are
put in between.
"""

import base64
import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from chaos.nodes import Node
from chaos.upgrades import plan
from chaos.upgrades.observe import Observer
from chaos.upgrades.reconciler import UpgradeTools, reconciler
from orchestrator.chain import SubstrateReader
from orchestrator.chain import storage_keys as keys
from orchestrator.chain.rpc import Refusal
from orchestrator.errors import ClusterError
from orchestrator.genesis import keys as secrets
from orchestrator.genesis.header import blake2_256
from orchestrator.runtime import blob
from orchestrator.spec import ModelRuntime

from .fake_chain import FakeChain, FakeNode, Panic

START = datetime(2026, 1, 1, tzinfo=UTC)
SUDO = secrets.sudo(bytes(32))
PARA = 2000


def model(version, name="canary", **more):
    return ModelRuntime(spec_name=name, spec_version=version, **more)


class FakeCluster:
    """Keeps the one object's status and the pods' logs."""

    def __init__(self):
        self.status = {}
        self.logs_of = {}
        self.config_maps = {}
        self.down = False
        self.writes = 0

    def patch(self, kind, _name, _namespace, patch, *, subresource=None):
        assert (kind, subresource) == ("RuntimeUpgrade", "status")
        if self.down:
            raise ClusterError("no answer", status=0)
        self.writes += 1
        self.status = {k: v for k, v in {**self.status, **patch["status"]}.items() if v is not None}

    def logs(self, pod, *, container, since_seconds, tail):
        assert container == "node"
        assert since_seconds > 0
        assert tail > 0
        return self.logs_of.get(pod, "")

    def get(self, kind, name):
        assert kind == "ConfigMap"
        return self.config_maps.get(name)


class Rig:
    def __init__(self, code, *, chain="relay", **spec):
        self.relay = FakeChain(blob.model_blob(model(1)), SUDO)
        self.para = FakeChain(blob.model_blob(model(1, "nest")), SUDO)
        self.para.para_id = PARA
        self.cluster = FakeCluster()
        self.now = START
        self.nodes, self.rpcs = {}, {}
        for index in range(4):
            self._add(f"validator-{index}", "validator", "relay", None, self.relay)
        self._add("bootnode-0", "bootnode", "relay", None, self.relay)
        for index in range(2):
            self._add(f"collator-{index}", "collator", "nest", PARA, self.para)
        self.body = {
            "metadata": {"name": "up", "uid": "u", "generation": 1},
            "spec": {"chain": chain, "code": code, **spec},
        }
        self.session_blocks = 6
        self.panicking = set()
        self.frozen = set()
        self.threads = ThreadPoolExecutor(4)
        self.restart()

    def _add(self, name, role, chain, para_id, behind):
        group = name.rpartition("-")[0]
        self.nodes[name] = Node(name, group, role, chain, para_id, name, "m", ("10.0.0.1",), "c" * 64, ready=True)
        self.rpcs[name] = FakeNode(name, behind)

    def restart(self):
        """A new controller: it knows the object and its status, nothing else."""
        observer = Observer(lambda node: SubstrateReader(self.rpcs[node.name]), self.threads)
        tools = UpgradeTools(self.cluster, observer, lambda: SUDO, self.threads)
        body = {**self.body, "status": self.cluster.status}
        self.one = reconciler(body, tools)
        self.one.clock = lambda: self.now

    def blocks(self):
        for name, chain, authors in (
            ("relay", self.relay, ("validator-0", "validator-1", "validator-2", "validator-3")),
            ("nest", self.para, ("collator-0", "collator-1")),
        ):
            if name in self.frozen:
                continue
            session = ((self.relay.best + 1) // self.session_blocks).to_bytes(4, "little")
            try:
                chain.author(put={keys.SESSION: session})
            except Panic:
                for author in authors:
                    self.cluster.logs_of[author] = "INFO building\nthread panicked at migrations.rs: boom\nINFO sorry\n"

    def go(self, steps=1, *, seconds=1.0):
        for _ in range(steps):
            self.now += timedelta(seconds=seconds)
            self.blocks()
            self.one.step(self.nodes)

    def run(self, *until, limit=400):
        for _ in range(limit):
            if self.one.phase in (until or plan.ENDS):
                break
            self.go()
        return self.one.status

    def submitted(self):
        return [rpc.calls.count("author_submitExtrinsic") for rpc in self.rpcs.values()]


def code_of(runtime):
    return {"model": runtime.model_dump(mode="json", by_alias=True)}


@pytest.fixture
def rig():
    rigs = []

    def make(runtime, **more):
        rigs.append(Rig(code_of(runtime), **more))
        return rigs[-1]

    yield make
    for one in rigs:
        one.threads.shutdown()


def relay_side(rig, **values):
    """What the relay chain holds of the parachain, from its next block on."""
    items = {"current": "CurrentCodeHash", "future": "FutureCodeHash", "signal": "UpgradeGoAheadSignal"}
    put = {keys.of_para("Paras", items[name], PARA): value for name, value in values.items()}
    for key, value in put.items():
        if value is None:
            rig.relay.states[-1].pop(key, None)
    rig.relay.author(put={key: value for key, value in put.items() if value is not None})


# The relay chain


def test_a_relay_upgrade_goes_through_all_phases(rig):
    it = rig(model(2))
    status = it.run()
    assert status.phase == "Completed", status.cause
    assert (status.spec_version_from, status.spec_version_to, status.spec_name) == (1, 2, "canary")
    assert status.code_hash == "0x" + blake2_256(blob.model_blob(model(2))).hex()
    assert status.enacted_block == status.applied_block + 1, "the first block built by the new code is the next"
    assert status.authorized_at < status.applied_at < status.enacted_at < status.completed_at
    assert status.session >= status.session_at_enactment + 2
    assert {c.type: c.status for c in status.conditions} == dict.fromkeys(
        ("Authorized", "Applied", "Enacted", "Completed"), "True"
    )
    assert sum(it.submitted()) == 2


def test_a_new_version_alone_is_not_enactment(rig):
    it = rig(model(2))
    it.run("Applied")
    it.frozen = {"relay"}  # The version has changed, and nobody builds the next block.
    it.go(20)
    assert it.one.phase == "Applied"
    assert it.relay.call("state_getRuntimeVersion", [])["specVersion"] == 2
    it.frozen = set()
    assert it.run().phase == "Completed"


def test_a_migration_that_panics_fails_with_block_and_log_line(rig):
    it = rig(model(2, migration="panics"))
    status = it.run()
    assert status.phase == "Failed"
    assert status.failed_phase == "Applied"
    assert "panicked at migrations.rs: boom" in status.cause
    assert status.block == it.relay.best == status.applied_block
    assert status.enacted_at is None
    assert (it.now - status.applied_at).total_seconds() < 60, "long before the time limit"
    assert (it.now - status.block_at).total_seconds() >= 15, "not before it has stood for a while"


def test_silence_is_no_standing_while_authors_panic(rig):
    """A parachain's nodes compile, say nothing for a while, panic once, and finalise the blocks built before."""
    it = rig(model(2))
    it.run("Applied")
    it.frozen = {"relay"}
    for rpc in it.rpcs.values():
        rpc.silent = True
    it.go(40)
    for author in ("validator-0", "validator-1", "validator-2", "validator-3"):
        it.cluster.logs_of[author] = "thread panicked at somewhere.rs: once\n"
    for rpc in it.rpcs.values():
        rpc.silent = False
    it.go(3)
    assert it.one.phase == "Applied"
    it.frozen = set()
    assert it.run().phase == "Completed"


def test_a_chain_that_stands_without_a_panic_fails_at_its_time_limit(rig):
    it = rig(model(2), enactTimeout="40s")
    it.run("Applied")
    it.frozen = {"relay"}
    status = it.run()
    assert status.phase == "Failed"
    assert "not enacted within 40s" in status.cause
    assert f"best stands at {it.relay.best}" in status.cause


def test_one_author_that_panics_is_no_verdict_on_the_chain(rig):
    it = rig(model(2))
    it.run("Applied")
    it.frozen = {"relay"}
    it.cluster.logs_of["validator-2"] = "thread panicked at somewhere.rs: mine alone\n"
    it.go(40)
    assert it.one.phase == "Applied"
    it.frozen = set()
    assert it.run().phase == "Completed"


def test_at_the_time_limit_even_one_panic_is_told(rig):
    it = rig(model(2), enactTimeout="30s")
    it.run("Applied")
    it.frozen = {"relay"}
    it.cluster.logs_of["validator-2"] = "thread panicked at somewhere.rs: mine alone\n"
    assert "1 of 4 authors panic; validator-2: thread panicked" in it.run().cause


def test_one_node_that_has_not_finalised_it_holds_enactment_up(rig):
    it = rig(model(2))
    old = FakeChain(blob.model_blob(model(1)), SUDO)
    old.author(20)
    it.rpcs["bootnode-0"].chain = old
    it.run("Applied")
    it.go(15)
    assert it.one.phase == "Applied"
    assert "bootnode-0" in next(c.message for c in it.one.status.conditions if c.type == "Enacted")
    it.rpcs["bootnode-0"].chain = it.relay
    assert it.run().phase == "Completed"


def test_nodes_that_disagree_about_the_block_hold_enactment_up(rig):
    it = rig(model(2))
    it.run("Applied")
    fork = FakeChain(blob.model_blob(model(1)), SUDO)
    fork.__dict__.update({**it.relay.__dict__, "tag": "b", "states": list(it.relay.states)})
    it.rpcs["validator-3"].chain = fork
    for _ in range(15):
        fork.author()
        it.go()
    assert it.one.phase == "Applied"
    assert "disagree" in next(c.message for c in it.one.status.conditions if c.type == "Enacted")
    assert "validator-3" in next(c.message for c in it.one.status.conditions if c.type == "Enacted")


def test_silent_nodes_do_not_hold_it_up_and_are_named(rig):
    it = rig(model(2))
    it.rpcs["validator-1"].silent = True
    status = it.run()
    assert status.phase == "Completed"
    assert "validator-1 did not answer" in next(c.message for c in status.conditions if c.type == "Enacted")


def test_with_all_nodes_silent_it_waits_and_then_says_so(rig):
    it = rig(model(2))
    for rpc in it.rpcs.values():
        rpc.silent = True
    it.go(30)
    assert it.one.phase == "Preflight"
    for rpc in it.rpcs.values():
        rpc.silent = False
    assert it.run().phase == "Completed"

    it = rig(model(2))
    for rpc in it.rpcs.values():
        rpc.silent = True
    assert "no node of relay answers" in it.run().cause


def test_nodes_that_all_compile_the_new_code_are_waited_for(rig):
    """Real ones answer nothing for half a minute and more after the block that sets the code."""
    it = rig(model(2))
    while not it.one.status.steps or it.one.status.steps[-1].name != "Applying":
        it.go()
    it.frozen = {"relay"}
    for rpc in it.rpcs.values():
        rpc.silent = True
    it.go(100)
    assert it.one.phase == "Authorized"
    it.frozen = set()
    for rpc in it.rpcs.values():
        rpc.silent = False
    assert it.run().phase == "Completed"


def test_migrations_of_several_blocks_hold_enactment_up(rig):
    it = rig(model(2))
    it.run("Applied")
    it.relay.states[-1][keys.MIGRATIONS_CURSOR] = b"\0"
    it.go(12)
    assert it.one.phase == "Applied"
    assert "a migration over several blocks" in next(c.message for c in it.one.status.conditions if c.type == "Enacted")
    it.relay.states[-1].pop(keys.MIGRATIONS_CURSOR)
    assert it.run().phase == "Completed"


def test_a_failure_in_a_block_that_replaced_another_is_seen(rig):
    """What was read above the finalised block is read again."""
    it = rig(model(2))
    it.relay.deaf = True
    it.go(5)
    it.relay.events[-1] = [{"pallet": "Sudo", "event": "Sudid", "data": {"sudo_result": {"Err": "BadOrigin"}}}]
    assert "the call as root failed: BadOrigin" in it.run().cause


# What is refused before anything is sent


@pytest.mark.parametrize(
    ("runtime", "cause"),
    [
        pytest.param(model(1), "spec_version must rise, it is 1 on chain and 1 in the code", id="same version"),
        pytest.param(model(5, "kanary"), "spec_name is canary on chain and kanary in the code", id="other name"),
    ],
)
def test_what_the_runtime_would_reject_is_found_before_anything_is_sent(rig, runtime, cause):
    it = rig(runtime)
    status = it.run()
    assert (status.phase, status.cause) == ("Failed", cause)
    assert sum(it.submitted()) == 0


def test_a_file_is_refused_in_the_cluster():
    it = Rig({"file": "new.wasm"})
    assert "store it in the cluster as chunks" in it.run().cause
    it.threads.shutdown()


def test_code_in_chunks_is_put_together_and_checked():
    code = blob.model_blob(model(2))
    pieces = {"a": code[:20], "b": code[20:]}
    chunks = {"configMaps": ["a", "b"], "sha256": hashlib.sha256(code).hexdigest()}
    for wrong in (None, "0" * 64):
        it = Rig({"chunks": {**chunks, "sha256": wrong or chunks["sha256"]}})
        it.cluster.config_maps = {
            name: {"binaryData": {"chunk": base64.b64encode(piece).decode()}} for name, piece in pieces.items()
        }
        status = it.run()
        assert status.phase == ("Failed" if wrong else "Completed")
        assert ("sha256" in (status.cause or "")) is bool(wrong)
        it.threads.shutdown()


def test_a_missing_chunk_is_named():
    it = Rig({"chunks": {"configMaps": ["a"], "sha256": "0" * 64}})
    assert "there is no ConfigMap a" in it.run().cause
    it.threads.shutdown()


def test_a_chain_that_is_not_there_is_named(rig):
    assert "there is no chain moon here" in rig(model(2), chain="moon").run().cause


def test_a_client_whose_transactions_are_unknown_is_refused(rig):
    it = rig(model(2))
    it.relay._rpc_methods = lambda: {"methods": []}
    status = it.run()
    assert "Fake" in status.cause
    assert "neither simnode nor Substrate" in status.cause


# Silent failures


def test_a_rejected_authorised_upgrade_is_a_failure(rig):
    it = rig(model(2))
    it.run("Authorized")
    # Somebody is faster with another version 2, so that ours is none that rises any more.
    it.relay.states[-1][keys.CODE] = blob.model_blob(model(3))
    it.relay.states[-1][keys.LAST_RUNTIME_UPGRADE] = blob_note(3)
    status = it.run()
    assert status.phase == "Failed"
    assert "RejectedInvalidAuthorizedUpgrade" in status.cause


def blob_note(version):
    from orchestrator.scale import compact, text  # noqa: PLC0415

    return compact(version) + text("canary")


def test_an_authorisation_that_vanishes_is_a_failure_without_any_event(rig):
    it = rig(model(2))
    it.run("Authorized")
    it.relay.deaf = True
    it.go()
    it.relay.states[-1].pop(keys.AUTHORIZED_UPGRADE)
    it.go()
    assert it.one.phase == "Authorized", "not before that block is finalised"
    status = it.run()
    assert (status.phase, status.failed_phase) == ("Failed", "Authorized")
    assert "rejected the code" in status.cause


def test_a_call_that_failed_as_root_is_a_failure(rig):
    it = rig(model(2))
    it.relay.deaf = True
    it.go(3)
    it.relay.author()
    it.relay.events[-1] = [{"pallet": "Sudo", "event": "Sudid", "data": {"sudo_result": {"Err": "BadOrigin"}}}]
    status = it.run()
    assert "the call as root failed: BadOrigin" in status.cause


def test_another_authorisation_in_between_is_a_failure(rig):
    it = rig(model(2))
    it.run("Authorized")
    it.relay.states[-1][keys.AUTHORIZED_UPGRADE] = b"x" * 32 + b"\1"
    it.relay.deaf = True
    assert "another code has been authorised" in it.run().cause


def test_a_transaction_that_a_restarted_node_forgot_is_sent_again(rig):
    it = rig(model(2))
    it.relay.deaf = True
    it.go(3)
    it.relay.deaf = False
    status = it.run()
    assert status.phase == "Completed"
    assert sum(step.name == "Authorizing" for step in status.steps) == 2


def test_a_call_that_never_shows_is_given_up(rig):
    it = rig(model(2))
    it.relay.deaf = True
    status = it.run()
    assert status.phase == "Failed"
    assert "authorize was sent and is in no block yet" in status.cause
    assert sum(it.submitted()) <= 4


def test_what_a_node_refused_is_told(rig):
    it = rig(model(2))
    it.relay.sudo = secrets.sudo(b"x" * 32)  # The network has another sudo key than our seed gives.
    assert "Invalid Transaction" in it.run().cause


@pytest.mark.parametrize(("code", "told"), [(1013, False), (1014, False), (1010, True)])
def test_that_a_call_waits_in_the_pool_already_is_no_refusal(rig, code, told):
    it = rig(model(2))

    def refuse(_):
        raise Refusal("no", code)

    it.relay._author_submitExtrinsic = refuse
    assert ("authorize was refused: no" in it.run().cause) is told


def test_a_node_that_lags_behind_is_not_taken_for_a_lost_authorisation(rig):
    it = rig(model(2))
    it.relay.deaf = True
    it.go(1)
    it.relay.deaf = False
    it.run("Authorized")
    it.relay.deaf = True
    behind = FakeChain(blob.model_blob(model(1)), SUDO)
    behind.author(2)
    for name in it.rpcs:
        it.rpcs[name].chain = behind
    it.go(3)
    assert it.one.phase == "Authorized"
    for name in it.rpcs:
        it.rpcs[name].chain = it.relay
    it.relay.deaf = False
    assert it.run().phase == "Completed"


# Restarts


@pytest.mark.parametrize("at", range(0, 40, 1))
def test_a_controller_that_restarts_at_any_step_repeats_no_call(rig, at):
    it = rig(model(2))
    for _ in range(at):
        it.go()
    it.restart()
    assert it.run().phase == "Completed"
    assert sum(it.submitted()) == 2


def test_nothing_is_sent_while_the_status_cannot_be_written(rig):
    it = rig(model(2))
    it.cluster.down = True
    it.go(10)
    assert sum(it.submitted()) == 0
    it.cluster.down = False
    it.restart()
    assert it.run().phase == "Completed"


# Parachains


def test_a_parachain_upgrade_notes_each_step(rig):
    it = rig(model(2, "nest"), chain="nest")
    code = blob.model_blob(model(2, "nest"))
    hash_ = blake2_256(code)
    status = it.run("Applied")
    assert status.applied_block is not None
    it.go(2)
    relay_side(it, future=hash_)
    it.go(2)
    relay_side(it, signal=b"\1")
    it.go(2)
    state = it.para.states[-1]
    state.pop(keys.PENDING_VALIDATION_CODE)
    state[keys.CODE] = code
    it.go(8)
    assert it.one.phase == "Applied", "built and finalised, but not yet the relay chain's current code"
    relay_side(it, future=None, signal=None, current=hash_)
    status = it.run()
    assert status.phase == "Completed", status.cause
    assert [s.name for s in status.steps if not s.name.startswith("Session")] == [
        "Authorizing",
        "Applying",
        "PendingValidationCode",
        "FutureCodeHash",
        "GoAhead",
        "VersionChanged",
        "CurrentCodeHash",
    ]


@pytest.mark.parametrize("chain", ["nest", "2000"])
def test_a_parachain_is_called_by_name_or_id(rig, chain):
    it = rig(model(2, "nest"), chain=chain)
    assert it.run("Applied").spec_name == "nest"


def test_an_abort_by_the_relay_chain_is_a_failure(rig):
    it = rig(model(2, "nest"), chain="nest")
    it.run("Applied")
    relay_side(it, future=blake2_256(blob.model_blob(model(2, "nest"))))
    it.go(2)
    relay_side(it, signal=b"\0")
    status = it.run()
    assert (status.phase, status.failed_phase) == ("Failed", "Applied")
    assert "aborts" in status.cause


def test_an_abort_between_two_looks_is_seen_by_what_is_gone(rig):
    it = rig(model(2, "nest"), chain="nest")
    it.run("Applied")
    it.go(2)
    it.para.states[-1].pop(keys.PENDING_VALIDATION_CODE)
    assert "dropped the upgrade" in it.run().cause


def test_a_parachain_waits_for_an_earlier_upgrade_to_be_over(rig):
    it = rig(model(2, "nest"), chain="nest")
    relay_side(it, future=b"y" * 32)
    it.go(10)
    assert it.one.phase == "Preflight"
    assert sum(it.submitted()) == 0
    relay_side(it, future=None)
    it.run("Applied")


def test_code_larger_than_the_relay_chain_takes_is_refused(rig):
    it = rig(model(2, "nest"), chain="nest")
    it.relay.author(put={keys.ACTIVE_CONFIGURATION: (100).to_bytes(4, "little")})
    assert "the chain takes 100" in it.run().cause


def test_a_bricked_parachain_fails_with_its_collators_words(rig):
    it = rig(model(2, "nest", migration="panics"), chain="nest")
    code = blob.model_blob(model(2, "nest", migration="panics"))
    it.run("Applied")
    it.go()
    relay_side(it, future=blake2_256(code))
    it.go()
    state = it.para.states[-1]
    state.pop(keys.PENDING_VALIDATION_CODE)
    state[keys.CODE] = code
    relay_side(it, future=None, current=blake2_256(code))
    status = it.run()
    assert status.phase == "Failed"
    assert "2 of 2 authors panic; collator-0: thread panicked at" in status.cause
    assert status.chain == "nest"
    assert status.block == it.para.best
