"""Runtime upgrades under the model: every refusal, and the whole way of a relay chain's and a parachain's upgrade."""

import pytest

from orchestrator.genesis import keys
from orchestrator.scale import Reader
from simnode import chainspec
from simnode.core.messages import blake2
from simnode.state import paras
from simnode.state.model import AUTHORIZED, last_upgrade
from simnode.state.para import PENDING_CODE
from simnode.state.port import Context, InvalidTransaction, RuntimePanic
from simnode.state.storage import CODE, item, para_item
from simnode.testing import explorer
from simnode.testing.specs import PARA_ID, SEED, loaded, para_spec, relay_spec, signed, sudo, unsigned


class Chain:
    """One chain's state transition, block by block, without consensus."""

    def __init__(self, rules):
        self.rules = rules
        self.state = rules.genesis()
        self.number = 0

    def block(self, *extrinsics):
        """Applies one block; the events without those of plain success."""
        self.number += 1
        execution = self.rules.begin(self.state, Context(self.number, "0x" + "00" * 32, self.number))
        for extrinsic in extrinsics:
            execution.apply(extrinsic)
        outcome = execution.finish()
        self.state = outcome.state
        return [(event["event"], event["data"]) for event in outcome.events if event["event"] != "ExtrinsicSuccess"]

    def sudo(self, name, /, pallet="System", **args):
        nonce = self.rules.nonce(self.state, keys.sudo(SEED).public)
        return sudo(pallet, name, genesis=self.rules.genesis_hash, nonce=nonce, **args)

    def spec_version(self):
        return self.rules.version(self.state).spec_version


@pytest.fixture
def relay(code):
    spec = loaded(relay_spec(validators=4, code=code()))
    return Chain(chainspec.relay_node(spec, authority=None).chain_rules)


def authorized(chain, new, name="authorize_upgrade"):
    return chain.block(chain.sudo(name, code_hash=blake2(new)))


def apply(new):
    return unsigned("System", "apply_authorized_upgrade", code="0x" + new.hex())


def test_an_authorised_upgrade_is_in_force_a_block_later(relay, code):
    new = code(version=2)
    assert ("UpgradeAuthorized", {"code_hash": blake2(new), "check_version": True}) in authorized(relay, new)
    assert relay.state.get(AUTHORIZED) == bytes.fromhex(blake2(new)[2:]) + b"\1"
    assert relay.block(apply(new)) == [("CodeUpdated", {"hash": blake2(new)})]
    assert relay.state.get(AUTHORIZED) is None
    assert relay.spec_version() == 2, "the version that RPC shows is that of the state after the block"
    assert last_upgrade(relay.state) == (1, "relay")
    relay.block()
    assert last_upgrade(relay.state) == (2, "relay")


def test_real_storage_values_of_an_upgrade_are_scale(relay):
    reader = Reader(relay.state.get(item("System", "LastRuntimeUpgrade")))
    assert (reader.compact(), reader.text()) == (1, "relay")
    assert relay.state.get(b":code") == relay.state.get(CODE)
    assert item("System", "AuthorizedUpgrade").hex().startswith("26aa394eea5630e07c48ae0c9558cef7")
    assert item("Session", "CurrentIndex").hex() == "cec5070d609dd3497f72bde07fc96ba072763800a36a99fdfc7c10f6415f6ee6"


@pytest.mark.parametrize(
    ("new", "error"),
    [
        ({"name": "other", "version": 2}, "System.InvalidSpecName"),
        ({"version": 1}, "System.SpecVersionNeedsToIncrease"),
        (b"no wasm", "System.FailedToExtractRuntimeVersion"),
    ],
    ids=["name", "version", "not-a-runtime"],
)
def test_bad_code_is_refused_with_success_and_loses_its_authorisation(relay, code, new, error):
    new = new if isinstance(new, bytes) else code(**new)
    authorized(relay, new)
    events = relay.block(apply(new))
    assert events == [("RejectedInvalidAuthorizedUpgrade", {"code_hash": blake2(new), "error": error})]
    assert relay.state.get(AUTHORIZED) is None
    assert relay.spec_version() == 1


@pytest.mark.parametrize(
    ("new", "error"),
    [
        ({"name": "other", "version": 2}, "System.InvalidSpecName"),
        ({"version": 1}, "System.SpecVersionNeedsToIncrease"),
        (b"no wasm", "System.FailedToExtractRuntimeVersion"),
    ],
    ids=["name", "version", "not-a-runtime"],
)
def test_set_code_by_sudo_is_refused_inside_a_success(relay, code, new, error):
    new = new if isinstance(new, bytes) else code(**new)
    assert relay.block(relay.sudo("set_code", code="0x" + new.hex())) == [("Sudid", {"sudo_result": {"Err": error}})]
    assert relay.spec_version() == 1


def test_set_code_by_sudo_and_without_checks(relay, code):
    assert ("CodeUpdated", {"hash": blake2(code(version=2))}) in relay.block(
        relay.sudo("set_code", code="0x" + code(version=2).hex())
    )
    relay.block(relay.sudo("set_code_without_checks", code="0x" + code(version=1).hex()))
    assert relay.spec_version() == 1


def test_an_authorisation_without_checks_lets_the_version_fall(relay, code):
    old = code(name="relay", version=1, transaction_version=7)
    authorized(relay, old, "authorize_upgrade_without_checks")
    assert relay.block(apply(old)) == [("CodeUpdated", {"hash": blake2(old)})]


def test_code_that_nobody_authorised_does_not_even_enter_the_pool(relay, code):
    with pytest.raises(InvalidTransaction, match="Transaction call is not expected"):
        relay.rules.validate(relay.state, apply(code(version=2)))
    authorized(relay, code(version=2))
    with pytest.raises(InvalidTransaction, match="Transaction call is not expected"):
        relay.rules.validate(relay.state, apply(code(version=3)))
    assert relay.rules.validate(relay.state, apply(code(version=2))).ready


def test_code_larger_than_a_block_does_not_enter_the_pool(relay):
    with pytest.raises(InvalidTransaction, match="exhaust the block limits"):
        relay.rules.validate(relay.state, apply(bytes(5 * 1024 * 1024 + 1)))


def test_only_sudo_is_sudo(relay, code):
    mallory = keys.derive(SEED, "//mallory", "sr25519")
    inner = {"pallet": "System", "call": "authorize_upgrade", "args": {"code_hash": blake2(code(version=2))}}
    call = {"pallet": "Sudo", "call": "sudo", "args": {"call": inner}}
    wrong = signed(call, genesis=relay.rules.genesis_hash, nonce=0, pair=mallory)
    assert relay.block(wrong) == [("ExtrinsicFailed", {"dispatch_error": "Sudo.RequireSudo"})]
    direct = signed(inner, genesis=relay.rules.genesis_hash, nonce=1, pair=mallory)
    assert relay.block(direct) == [("ExtrinsicFailed", {"dispatch_error": "BadOrigin"})]
    assert relay.state.get(AUTHORIZED) is None


def test_signatures_nonces_and_forms_are_checked(relay):
    remark = {"pallet": "System", "call": "remark", "args": {"remark": "0x00"}}
    genesis = relay.rules.genesis_hash
    with pytest.raises(InvalidTransaction, match="bad signature"):
        relay.rules.validate(relay.state, signed(remark, genesis="0x" + "11" * 32, nonce=0))
    assert not relay.rules.validate(relay.state, signed(remark, genesis=genesis, nonce=1)).ready
    good = signed(remark, genesis=genesis, nonce=0)
    relay.block(good)
    with pytest.raises(InvalidTransaction, match="outdated"):
        relay.rules.validate(relay.state, good)
    for text in ("0x00", "0x7b7d", "zz", "0x" + b'{"call":[]}'.hex()):
        with pytest.raises(InvalidTransaction, match="bad format"):
            relay.rules.validate(relay.state, text)


def test_inherents_come_from_authors_alone(relay):
    for call in (unsigned("Timestamp", "set", now=1), unsigned("ParaInherent", "enter", bitfields=[], backed=[])):
        with pytest.raises(InvalidTransaction):
            relay.rules.validate(relay.state, call)


def test_a_migration_that_panics_lets_no_block_be_built(relay, code):
    broken = code(version=2, migration="panics")
    authorized(relay, broken)
    relay.block(apply(broken))
    assert relay.spec_version() == 2
    with pytest.raises(RuntimePanic, match="panicked at"):
        relay.block()


def test_a_migration_that_succeeds_runs_in_the_block_after(relay, code):
    new = code(version=2, migration="succeeds")
    authorized(relay, new)
    relay.block(apply(new))
    relay.block()
    assert last_upgrade(relay.state) == (2, "relay")


# Whole networks


def relay_of(net):
    return net.sites["v0"].relay


def para_of(net):
    return net.sites["c0"].para


def upgrade(net, node, new):
    """Authorises and applies, as the production path does, and waits for neither longer than needed."""
    nonce = node.rules.nonce(node.best_state, keys.sudo(SEED).public)
    node.submit(sudo("System", "authorize_upgrade", genesis=node.genesis_hash, nonce=nonce, code_hash=blake2(new)))
    wait(net, lambda: node.best_state.get(AUTHORIZED) is not None)
    node.submit(apply(new))


def wait(net, condition, seconds=60):
    for _ in range(seconds * 10):
        for site in net.sites.values():
            net._settle(site)
        net.run(0.1)
        if condition():
            return
    raise AssertionError("it did not come about")


def events(node):
    return [event["event"] for entry in node.tree.entries.values() for event in entry.content.events]


def test_a_relay_chain_is_upgraded_and_goes_on(code):
    net = explorer.network(1, validators=4, code=code())
    net.run(5)
    upgrade(net, relay_of(net), code(version=2))
    wait(net, lambda: last_upgrade(relay_of(net).best_state) == (2, "relay"))
    height = relay_of(net).best_number
    net.run(10)
    assert relay_of(net).tree.finalized_number > height + 4


def test_a_relay_chain_bricked_by_its_upgrade_stands_for_good_and_finality_reaches_the_block_before(code):
    net = explorer.network(1, validators=4, code=code())
    net.run(5)
    upgrade(net, relay_of(net), code(version=2, migration="panics"))
    wait(net, lambda: relay_of(net).rules.version(relay_of(net).best_state).spec_version == 2)
    height = relay_of(net).best_number
    net.run(30)
    for site in net.sites.values():
        assert site.relay.best_number <= height + 1
        assert site.relay.tree.finalized_number >= site.relay.best_number - 2
    panics = [line for site in net.sites.values() for line in site.logs if "panicked at" in line]
    assert len(panics) >= 20, "every author says so in each of its slots"


def test_a_bricked_relay_chain_comes_back_by_a_substitute_of_the_same_version(code):
    net = explorer.network(1, validators=4, code=code())
    net.run(5)
    upgrade(net, relay_of(net), code(version=2, migration="panics"))
    wait(net, lambda: relay_of(net).rules.version(relay_of(net).best_state).spec_version == 2)
    net.run(10)
    stood = relay_of(net).best_number
    spec = relay_spec(validators=4, code=code())
    spec["codeSubstitutes"] = {str(stood - 1): "0x" + code(version=2).hex()}
    for index in range(4):
        site = net.sites[f"v{index}"]
        net.crash(site.name)
        site.make = lambda index=index: (chainspec.relay_node(loaded(spec), authority=index), None)
        net.restart(site.name)
    net.run(15)
    assert relay_of(net).tree.finalized_number > stood + 5
    assert last_upgrade(relay_of(net).best_state) == (2, "relay")


def test_a_parachain_is_upgraded_after_pre_checking_and_the_go_ahead(code):
    new = code("para", 2)
    net = explorer.network(1, validators=4, code=code(), para_code=code("para"), collators=2)
    net.run(8)
    relay, para = relay_of(net), para_of(net)
    upgrade(net, para, new)
    wait(net, lambda: para.best_state.get(PENDING_CODE) == new)
    wait(net, lambda: paras.future_code_hash(relay.best_state, PARA_ID) == blake2(new))
    assert paras.active_votes(relay.best_state) == [blake2(new)]
    assert paras.restricted(relay.best_state, PARA_ID)
    wait(net, lambda: relay.best_state.get(para_item("Paras", "FutureCodeUpgrades", PARA_ID)) is not None)
    wait(net, lambda: paras.go_ahead(relay.best_state, PARA_ID) == paras.GO_AHEAD)
    assert not paras.restricted(relay.best_state, PARA_ID), "the cooldown is over long before the go-ahead"
    assert para.rules.version(para.best_state).spec_version == 1
    wait(net, lambda: para.rules.version(para.best_state).spec_version == 2)
    wait(net, lambda: paras.current_code_hash(relay.best_state, PARA_ID) == blake2(new))
    assert para.best_state.get(PENDING_CODE) is None
    wait(net, lambda: last_upgrade(para.best_state) == (2, "para"))
    height = para.tree.finalized_number
    net.run(15)
    assert para.tree.finalized_number > height + 9
    assert {"ValidationFunctionStored", "ValidationFunctionApplied", "CodeUpdated"} <= set(events(para))
    assert {"PvfCheckStarted", "PvfCheckAccepted"} <= set(events(relay))
    assert "CurrentCodeUpdated" not in events(relay), "as on a real relay chain, which says so of forced code alone"
    assert sum(site.relay.candidates.counters.precheck_votes for site in net.sites.values()) >= 3
    assert all(net.sites[f"v{i}"].relay.candidates.counters.prepare_concluded == 2 for i in range(4))


def test_code_that_validators_reject_is_aborted_and_the_parachain_goes_on(code):
    net = explorer.network(1, validators=4, code=code(), para_code=code("para"), collators=2)
    net.run(8)
    relay, para = relay_of(net), para_of(net)
    upgrade(net, para, code("para", 2, precheck="rejected"))
    wait(net, lambda: "PvfCheckRejected" in events(relay))
    wait(net, lambda: "ValidationFunctionDiscarded" in events(para))
    wait(net, lambda: para.best_state.get(PENDING_CODE) is None)
    assert paras.future_code_hash(relay.best_state, PARA_ID) is None
    height = para.tree.finalized_number
    net.run(15)
    assert para.tree.finalized_number > height + 9
    assert para.rules.version(para.best_state).spec_version == 1
    upgrade(net, para, code("para", 2))
    wait(net, lambda: para.rules.version(para.best_state).spec_version == 2)


def test_a_parachain_refuses_a_second_upgrade_under_way_and_code_too_large(code):
    net = explorer.network(1, validators=4, code=code(), para_code=code("para"), collators=1, max_code_size=1000)
    net.run(8)
    para = para_of(net)
    large = code("para", 2) + b"\0\x8d\x27\4junk" + bytes(5000)
    upgrade(net, para, code("para", 2))
    wait(net, lambda: para.best_state.get(PENDING_CODE) is not None)
    upgrade(net, para, code("para", 3))
    wait(net, lambda: failure(para) is not None)
    assert failure(para) == "ParachainSystem.OverlappingUpgrades"
    fresh = explorer.network(1, validators=4, code=code(), para_code=code("para"), collators=1, max_code_size=1000)
    fresh.run(8)
    para = para_of(fresh)
    upgrade(fresh, para, large)
    wait(fresh, lambda: failure(para) is not None)
    assert failure(para) == "ParachainSystem.TooBig"


def failure(node):
    found = [
        event["data"]["dispatch_error"]
        for entry in node.tree.entries.values()
        for event in entry.content.events
        if event["event"] == "ExtrinsicFailed"
    ]
    return found[-1] if found else None


def test_a_bricked_parachain_says_that_all_is_well_and_comes_back_by_both_remedies_only(code):
    broken, fixed = code("para", 3, migration="panics"), code("para", 3)
    net = explorer.network(1, validators=4, code=code(), para_code=code("para"), collators=1)
    net.run(8)
    relay, para = relay_of(net), para_of(net)
    upgrade(net, para, broken)
    wait(net, lambda: paras.current_code_hash(relay.best_state, PARA_ID) == blake2(broken))
    net.run(10)
    stood = para.best_number
    assert para.rules.version(para.best_state).spec_version == 3
    assert para.tree.finalized_number == stood
    assert paras.future_code_hash(relay.best_state, PARA_ID) is None
    net.run(10)
    assert para.best_number == stood
    assert any("panicked at" in line for line in net.sites["c0"].logs)
    # The first remedy alone helps nothing: the collator builds with the code in its own state.
    nonce = relay.rules.nonce(relay.best_state, keys.sudo(SEED).public)
    relay.submit(
        sudo(
            "Paras", "force_set_current_code", genesis=relay.genesis_hash, nonce=nonce, para=PARA_ID,
            new_code="0x" + fixed.hex(),
        )
    )  # fmt: skip
    wait(net, lambda: paras.current_code_hash(relay.best_state, PARA_ID) == blake2(fixed))
    net.run(10)
    assert para.best_number == stood
    # The second: collators restarted with `codeSubstitutes` for that height.
    restart_with_substitute(net, code, stood, fixed)
    net.run(20)
    para = para_of(net)
    assert para.tree.finalized_number > stood + 8
    assert para.tree.canonical[stood] == para.tree.ancestor(para.best, stood)


def restart_with_substitute(net, code, number, fixed):
    spec = para_spec(collators=1, code=code("para"))
    spec["codeSubstitutes"] = {str(number): "0x" + fixed.hex()}
    site = net.sites["c0"]
    make = site.make

    def remade():
        node, _ = make()
        return node, chainspec.para_node(loaded(spec), node, authority=0)

    net.crash("c0")
    site.make = remade
    net.restart("c0")


def test_a_substitute_alone_is_refused_by_validators(code):
    """They execute with the relay chain's code, which still is the broken one."""
    broken, fixed = code("para", 3, migration="panics"), code("para", 3)
    net = explorer.network(1, validators=4, code=code(), para_code=code("para"), collators=1)
    net.run(8)
    upgrade(net, para_of(net), broken)
    wait(net, lambda: paras.current_code_hash(relay_of(net).best_state, PARA_ID) == blake2(broken))
    net.run(8)
    stood = para_of(net).tree.finalized_number
    restart_with_substitute(net, code, stood, fixed)
    net.run(20)
    assert para_of(net).tree.finalized_number == stood
    assert any("is invalid" in line for name in net.sites for line in net.sites[name].logs)


def test_a_go_ahead_without_pending_code_brings_the_parachain_down(code):
    spec = loaded(para_spec(collators=1, code=code("para")))
    relay = chainspec.relay_node(loaded(relay_spec(validators=1, code=code(), paras={PARA_ID: spec.data})), authority=0)
    chain = Chain(chainspec.para_node(spec, relay, authority=0).rules)
    data = {"relay_parent": "0x", "relay_parent_number": 1, "go_ahead": 1, "restricted": False, "included": 0}
    with pytest.raises(RuntimePanic, match="GoAhead signal is not expected"):
        chain.block(unsigned("ParachainSystem", "set_validation_data", **data))
