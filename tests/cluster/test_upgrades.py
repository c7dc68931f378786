"""Upgrades on a running network: both kinds to their end, what is refused, what fails silently, and a restart.

The network is this module's own, for its versions rise from test to test; a test takes them as it finds them.
"""

import base64
import hashlib

import pytest

from orchestrator.engine.embedded import EmbeddedEngine
from orchestrator.errors import ClusterError
from orchestrator.genesis.header import blake2_256
from orchestrator.provision import network as networks
from orchestrator.readiness import ladder
from orchestrator.readiness.access import Access
from orchestrator.runtime import blob
from orchestrator.spec import API_VERSION, ModelRuntime

from .conftest import small
from .custom import objects, until


@pytest.fixture(scope="module")
def own(cluster, images):
    engine = EmbeddedEngine(cluster)
    planned = networks.up(cluster, engine, small("upgrades"), images, lambda _: None)
    try:
        ladder.climb(cluster, planned, lambda _: None)
        yield planned
    finally:
        networks.down(cluster, engine, "upgrades", lambda _: None)


@pytest.fixture
def create(cluster, own):
    with objects(cluster, own.testnet.namespace) as made:
        yield lambda name, **spec: made.create("RuntimeUpgrade", name, **spec)


class Chain:
    """One chain of the network, through one of its nodes."""

    def __init__(self, access, chain):
        self.name = chain
        self.nodes = [node for node in access.nodes if node.chain == chain]
        self.readers = [access.reader(node) for node in self.nodes]

    @property
    def version(self):
        return self.readers[0].runtime_version()

    def code(self, step=1, **more):
        version = self.version
        description = {"specName": version.spec_name, "specVersion": version.spec_version + step, **more}
        return {"model": description}

    def bytes_of(self, code):
        return blob.model_blob(ModelRuntime.model_validate(code["model"]))


@pytest.fixture
def relay(cluster, own):
    return Chain(Access(cluster, own), "relay")


@pytest.fixture
def nest(cluster, own):
    return Chain(Access(cluster, own), "nest")


def test_a_relay_upgrade_is_enacted_on_every_node(create, relay):
    code = relay.code(migration="succeeds")
    old = relay.version.spec_version
    status = create("relay", chain="relay", code=code, settleSessions=1).wait("Completed", "Failed", seconds=120)
    assert status["phase"] == "Completed", status
    assert (status["specVersionFrom"], status["specVersionTo"]) == (old, old + 1)
    assert status["enactedBlock"] == status["appliedBlock"] + 1
    for reader in relay.readers:
        final = reader.finalized()
        assert reader.last_runtime_upgrade(final.hash).spec_version == old + 1
    assert len({reader.hash_at(status["enactedBlock"]) for reader in relay.readers}) == 1
    assert relay.readers[0].code_hash() == status["codeHash"] == "0x" + blake2_256(relay.bytes_of(code)).hex()


def test_a_parachain_upgrade_takes_the_production_path(create, nest, relay):
    code = nest.code(migration="succeeds")
    status = create("nest", chain="2000", code=code, settleSessions=0).wait("Completed", "Failed", seconds=240)
    assert status["phase"] == "Completed", status
    seen = [step["name"] for step in status["steps"]]
    expected = ["PendingValidationCode", "FutureCodeHash", "VersionChanged", "CurrentCodeHash"]
    assert [name for name in seen if name in expected] == expected
    assert relay.readers[0].current_code_hash(2000).hex() == status["codeHash"].removeprefix("0x")
    assert nest.version.spec_version == status["specVersionTo"]


def test_a_controller_that_is_replaced_under_way_goes_on_and_sends_nothing_twice(create, cluster, own, relay):
    namespace = own.testnet.namespace
    one = create("restart", chain="relay", code=relay.code(), settleSessions=1)
    one.wait("Authorized", "Applied", "Enacted", "Settling", seconds=60)
    (pod,) = cluster.list("Pod", namespace, "app.kubernetes.io/component=controller")
    cluster.delete("Pod", pod["metadata"]["name"], namespace, grace=0)
    status = one.wait("Completed", "Failed", seconds=120)
    assert status["phase"] == "Completed", status
    sent = [step["name"] for step in status["steps"] if step["name"] in {"Authorizing", "Applying"}]
    assert sent == ["Authorizing", "Applying"]


def test_a_version_that_does_not_rise_is_refused_before_anything_is_sent(create, relay):
    status = create("stale", chain="relay", code=relay.code(step=0)).wait("Failed")
    assert "spec_version must rise" in status["cause"]
    assert status["failedPhase"] == "Preflight"
    assert not status.get("steps")
    assert relay.readers[0].authorized_upgrade() is None


def test_another_spec_name_is_refused(create, nest):
    code = nest.code(specName="somebody-else")
    status = create("foreign", chain="nest", code=code).wait("Failed")
    assert status["cause"] == "spec_name is nest on chain and somebody-else in the code"


def test_code_in_chunks_is_taken(create, cluster, own, relay):
    code = relay.bytes_of(relay.code())
    pieces = [code[:100], code[100:]]
    for index, piece in enumerate(pieces):
        metadata = {"name": f"code-{index}", "namespace": own.testnet.namespace}
        data = {"chunk": base64.b64encode(piece).decode()}
        cluster.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "binaryData": data})
    chunks = {"configMaps": ["code-0", "code-1"], "sha256": hashlib.sha256(code).hexdigest()}
    status = create("chunks", chain="relay", code={"chunks": chunks}, settleSessions=0).wait("Completed", "Failed")
    assert status["phase"] == "Completed", status
    wrong = create("wrong", chain="relay", code={"chunks": {**chunks, "sha256": "0" * 64}}).wait("Failed")
    assert "sha256" in wrong["cause"]


def test_code_that_validators_reject_is_aborted_and_the_parachain_goes_on(create, nest):
    old = nest.version.spec_version
    status = create("rejected", chain="nest", code=nest.code(precheck="rejected")).wait("Failed", seconds=240)
    assert status["failedPhase"] == "Applied"
    assert "relay chain" in status["cause"]
    assert nest.version.spec_version == old
    before = nest.readers[0].finalized().number
    until(lambda: nest.readers[0].finalized().number > before, 60, "the parachain goes on")


def test_deleting_an_upgrade_lets_it_go_at_once(create, relay):
    one = create("dropped", chain="relay", code=relay.code(), settleSessions=10)
    one.wait("Settling", seconds=60)
    one.delete()
    one.gone(seconds=20)


@pytest.mark.parametrize(
    "code",
    [
        pytest.param({}, id="none"),
        pytest.param({"model": {"specName": "x", "specVersion": 1}, "file": "y"}, id="two"),
        pytest.param({"model": {"specName": "x", "specVersion": 0}}, id="version 0"),
    ],
)
def test_the_api_server_refuses_what_the_models_refuse(cluster, own, code):
    metadata = {"name": "x", "namespace": own.testnet.namespace}
    document = {"apiVersion": API_VERSION, "kind": "RuntimeUpgrade", "metadata": metadata, "spec": {"code": code}}
    with pytest.raises(ClusterError):
        cluster.apply(document, dry_run=True)


def test_a_bricked_parachain_is_named_with_its_block_and_its_collators_words(cluster, images):
    engine = EmbeddedEngine(cluster)
    planned = networks.up(cluster, engine, small("bricked"), images, lambda _: None)
    try:
        ladder.climb(cluster, planned, lambda _: None)
        nest, relay = (Chain(Access(cluster, planned), name) for name in ("nest", "relay"))
        with objects(cluster, planned.testnet.namespace) as made:
            code = nest.code(migration="panics")
            one = made.create("RuntimeUpgrade", "bricked", chain="nest", code=code, enactTimeout="4m")
            status = one.wait("Failed", "Completed", seconds=300)
        assert status["phase"] == "Failed"
        assert status["failedPhase"] == "Applied"
        assert "2 of 2 authors panic" in status["cause"]
        assert "panicked at" in status["cause"]
        assert nest.version.spec_version == status["specVersionTo"], "the version alone says that all is well"
        assert {reader.best().number for reader in nest.readers} == {status["block"]}
        before = relay.readers[0].finalized().number
        until(lambda: relay.readers[0].finalized().number > before, 20, "the relay chain does not mind")
    finally:
        networks.down(cluster, engine, "bricked", lambda _: None)
