"""Root gives a running relay chain two parachains and two cores: one late with two cores, one whose blocks are ordered.

Two real validators on loopback; no collator is needed to be registered. It takes some six sessions of a minute. One
validator has its keys as an init container writes imported ones: of two, both must vote for anything to be finalised.
"""

import time

import pytest

from orchestrator.chain import ParachainReader, rpc
from orchestrator.chain.port import POOL
from orchestrator.chain.reader import SubstrateReader
from orchestrator.chain.registration import Registrar
from orchestrator.errors import ReadinessError
from orchestrator.genesis.chainspec import ChainGenesis, NetworkGenesis
from orchestrator.genesis.timing import Timing
from orchestrator.nodeinit import write_keys
from orchestrator.readiness import onboarding as onboard
from orchestrator.readiness.onboarding import Onboarding
from orchestrator.spec import Testnet

from .native import PARA, RELAY_RUNTIME, SEED, SUDO, NativeNetwork, Programs, _free_ports, _network_key, specs_of

pytestmark = pytest.mark.timeout(1800)

LATE, ORDERED = 2001, 2002


class TwoValidators(NativeNetwork):
    """alice, and bob with imported keys."""

    def __enter__(self):
        ports = iter(_free_ports(6))
        first = next(ports)
        boot = f"/ip4/127.0.0.1/tcp/{first}/p2p/{onboard.keys.peer_id(_network_key('alice').public)}"
        self._start("alice", self._relay("alice", first), ports)
        write_keys(SEED, group="v", ordinal=0, types="relay", directory=self.folder / "keys", uri="//Bob")
        bob = ["--name", "bob", "--keystore-path", self.folder / "keys" / "keystore", "--bootnodes", boot]
        plain = [part for part in self._relay("bob", next(ports)) if part != "--bob"]
        self._start("bob", [*plain, *bob], ports)
        return self


@pytest.fixture(scope="module")
def network(real, polkadot, omni_node, tmp_path_factory):
    programs = Programs(real, polkadot, omni_node)
    specs = specs_of(programs, tmp_path_factory)
    with TwoValidators(programs, specs, tmp_path_factory.mktemp("onboarding")) as network:
        alice = network.nodes["alice"].reader()
        network.until(lambda: alice.finalized().number > 0, 600, "a finalised relay block")
        yield network


def spec_of(real):
    relay = {
        "client": "polkadot",
        "runtime": {"file": str(real / RELAY_RUNTIME)},
        "groups": [{"name": "validator", "count": 3}],
    }
    common = {"client": "polkadot-omni-node", "onboarding": "late", "runtime": {"file": "para.wasm"}}
    late = {"id": LATE, "cores": 2, "authoring": "slot-based", "groups": [{"name": "a"}], **common}
    ordered = {"id": ORDERED, "cores": 0, "groups": [{"name": "b"}], **common}
    spec = {"relaychain": relay, "parachains": [late, ordered]}
    return Testnet.model_validate({"kind": "Testnet", "metadata": {"name": "n"}, "spec": spec}).spec


def genesis_of(programs):
    """Any head serves: nobody collates."""
    chains = (
        ChainGenesis(f"para-{id_}", id_, b"", "", raw=True, head=bytes(98), code=programs.code(file))
        for id_, file in ((LATE, "penpal-2.wasm"), (ORDERED, "penpal-1.wasm"))
    )
    return NetworkGenesis(tuple(chains), (), Timing(6.0, 10))


def onboarding(network, spec):
    url = network.nodes["alice"].url
    reader = SubstrateReader(rpc.http(url, node="alice", timeout=60.0))
    return Onboarding(reader, spec, genesis_of(network.programs), SUDO)


def test_root_onboards_what_the_file_says_and_sends_nothing_twice(network, real):
    spec, said = spec_of(real), []
    rung, began = onboarding(network, spec), time.monotonic()

    def reached():
        missing = rung.missing()
        if not said or said[-1] != missing:
            print(round(time.monotonic() - began), missing)  # noqa: T201  Its progress is worth knowing.
            said.append(missing)
        return not missing

    network.until(reached, 1500, "all that the file says")
    reader = network.nodes["alice"].reader()
    assert ParachainReader(reader).lifecycle(LATE) == "Parachain"
    assert ParachainReader(reader).lifecycle(ORDERED) == "Parathread"
    held = Registrar(reader, SUDO).cores().held
    assert (held[LATE], held[POOL]) == (2, 1)
    sent = [look["relay"] for look in said if look.get("relay", "").startswith("sent: ")]
    assert len(sent) == 5, sent  # Two parachains, more cores, two assignments.

    nonce = reader.rpc.call("system_accountNextIndex", onboard.keys.ss58(SUDO.public))
    assert onboarding(network, spec).missing() == {}
    assert reader.rpc.call("system_accountNextIndex", onboard.keys.ss58(SUDO.public)) == nonce


def test_a_call_that_fails_as_root_is_told_by_the_pallets_error(network, real):
    """The parachain of the relay chain's genesis is registered anew."""
    rung = onboarding(network, spec_of(real))
    sent = rung._registrar.register(PARA, head=bytes(98), code=network.programs.code("penpal-1.wasm"), lease=True)
    rung._under_way = (onboard.Register(PARA, lease=True), sent)

    def looked():
        rung.missing()

    with pytest.raises(
        ReadinessError, match=r"parachain 2000 is registered failed: ParasSudoWrapper\.ParaAlreadyExists"
    ):
        network.until(looked, 120, "the failure")
