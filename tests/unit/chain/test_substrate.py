"""Events, values and transactions by the metadata of real runtimes, which `recorded/README.md` says how it was made."""

import pytest

from orchestrator.chain import SubstrateReader, events_between, runtime, runtimes, upgrader
from orchestrator.chain import storage_keys as keys
from orchestrator.chain.extrinsics import Circumstances, check, signed
from orchestrator.chain.metadata import Extension, Metadata
from orchestrator.chain.port import RuntimeVersion
from orchestrator.errors import ChainError, Refused
from orchestrator.genesis import keys as secrets
from orchestrator.genesis.header import blake2_256
from orchestrator.scale import Reader, compact, text

from .recordings import EVENTS, RecordedNode, block_hash, decoded, metadata

SUDO = secrets.sudo(bytes(32))
GENESIS = b"g" * 32


@pytest.fixture(scope="session")
def westend():
    return decoded(metadata("westend-1025002"))


@pytest.fixture(scope="session")
def penpal():
    return decoded(metadata("penpal-1"))


@pytest.fixture(autouse=True)
def _no_cache(monkeypatch):
    """Each test's nodes are asked for their metadata anew."""
    monkeypatch.setattr(runtimes, "_CACHE", runtimes._Cache())
    monkeypatch.setattr(runtimes, "Metadata", decoded)


def named(events, title):
    return [event for event in events if event.title == title]


# Events


def test_what_failed_as_root_shows_under_a_transaction_that_succeeded(westend):
    events = westend.events(EVENTS["root calls"])
    results = [event.data["sudo_result"] for event in named(events, "Sudo.Sudid")]
    assert results == [{"Ok": []}, {"Err": "System.FailedToExtractRuntimeVersion"}]
    transactions = {event.extrinsic for event in named(events, "Sudo.Sudid")}
    assert transactions <= {event.extrinsic for event in named(events, "System.ExtrinsicSuccess")}


def test_a_rejected_upgrade_names_code_and_reason(westend):
    (event,) = named(westend.events(EVENTS["rejected"]), "System.RejectedInvalidAuthorizedUpgrade")
    assert event.data["error"] == "System.SpecVersionNeedsToIncrease"
    assert len(event.data["code_hash"]) == 66


def test_the_steps_of_an_upgrade_are_told_by_both_chains(westend, penpal):
    (updated,) = named(westend.events(EVENTS["code updated"]), "System.CodeUpdated")
    assert updated.data["hash"].startswith("0x8f1f25ad")
    started = named(westend.events(EVENTS["pvf started"]), "Paras.PvfCheckStarted")
    accepted = named(westend.events(EVENTS["pvf accepted"]), "Paras.PvfCheckAccepted")
    assert [event.data for event in started] == [event.data for event in accepted]
    assert started[0].para_id == 2000
    assert started[0].data["code_hash"].startswith("0x624ec2ba")
    (included,) = named(westend.events(EVENTS["pvf accepted"]), "ParaInclusion.CandidateIncluded")
    assert included.para_id == 2000
    assert named(penpal.events(EVENTS["para stored"]), "ParachainSystem.ValidationFunctionStored")
    applied = penpal.events(EVENTS["para applied"])
    assert named(applied, "ParachainSystem.ValidationFunctionApplied")[0].data["relay_chain_block_num"] == 146
    assert named(applied, "System.CodeUpdated")


def test_code_updated_without_a_field_is_read_too(westend, monkeypatch):
    """Up to stable2603 the event has none; the record's shape is the library's."""
    record = {"module_id": "System", "event_id": "CodeUpdated", "attributes": None, "extrinsic_idx": 2}
    monkeypatch.setattr(westend, "storage_value", lambda *_: [record])
    (event,) = westend.events(b"")
    assert (event.title, event.data) == ("System.CodeUpdated", {})


def test_a_block_without_events_has_none(westend):
    assert westend.events(None) == ()


# Values


def test_keys_by_metadata_are_the_plain_ones(westend, penpal):
    assert westend.storage_key("Session", "CurrentIndex") == keys.SESSION
    assert westend.storage_key("Paras", "Heads", 2000) == keys.of_para("Paras", "Heads", 2000)
    channel = westend.storage_key("Hrmp", "HrmpChannels", {"sender": 2000, "recipient": 2001})
    assert channel == keys.hrmp_channel("HrmpChannels", 2000, 2001)
    assert westend.storage_key("Babe", "Authorities") == keys.BABE_AUTHORITIES
    assert penpal.storage_key("Aura", "Authorities") == keys.AURA_AUTHORITIES
    account = westend.storage_key("System", "Account", "0x" + SUDO.public.hex())
    assert account == keys.value("System", "Account") + keys.blake2_128_concat(SUDO.public)
    assert westend.storage_key("Sudo", "Key") == keys.SUDO
    assert westend.storage_key("MultiBlockMigrations", "Cursor") == keys.MIGRATIONS_CURSOR


def test_a_map_with_two_keys_takes_one_or_both(westend):
    one = westend.storage_key("Dmp", "DownwardMessageQueuePages", 2000)
    assert westend.storage_key("Dmp", "DownwardMessageQueuePages", 2000, 7).startswith(one)
    with pytest.raises(ChainError, match="has 2 keys, not 3"):
        westend.storage_key("Dmp", "DownwardMessageQueuePages", 2000, 7, 8)


@pytest.mark.parametrize(
    ("pallet", "item", "said"),
    [("Nothing", "Key", "no pallet Nothing"), ("Sudo", "Nothing", "no storage Sudo.Nothing")],
)
def test_what_the_runtime_does_not_have_is_named(westend, pallet, item, said):
    with pytest.raises(ChainError, match=said):
        westend.storage_key(pallet, item)


def test_what_is_not_stored_is_the_default_or_none(westend):
    assert westend.storage_value("Session", "CurrentIndex", None) == 0
    assert westend.storage_value("Paras", "FutureCodeHash", None) is None
    assert westend.storage_value("MessageQueue", "BookStateFor", None)["message_count"] == 0


def test_values_are_decoded_through_a_node():
    node = RecordedNode(metadata("westend-1025002"))
    node.storage[2][keys.SESSION] = b"\7\0\0\0"
    node.storage[2][keys.SUDO] = SUDO.public
    for para_id, lifecycle in ((2000, b"\2"), (2001, b"\0")):
        node.storage[2][keys.of_para("Paras", "ParaLifecycles", para_id)] = lifecycle
    one = runtime(node)
    assert one.value("Session", "CurrentIndex", at=block_hash(2)) == 7
    assert one.value("Session", "CurrentIndex", at=block_hash(1)) == 0
    assert one.value("Sudo", "Key", at=block_hash(2)) == secrets.ss58(SUDO.public)
    assert one.value("Paras", "ParaLifecycles", 2000, at=block_hash(2)) == "Parachain"
    assert sorted(one.values("Paras", "ParaLifecycles", at=block_hash(2))) == ["Onboarding", "Parachain"]
    assert node.calls.count("state_getMetadata") == 1, "one for all reads of a runtime version"


@pytest.mark.parametrize("raw", [b"", b"meta", b"meta\x0f" + bytes(40), bytes(60)], ids=len)
def test_what_is_no_metadata_is_an_error_of_the_chain(raw):
    with pytest.raises(ChainError, match="the metadata cannot be read"):
        Metadata(raw)


# Blocks and their runtimes


def test_the_block_that_sets_code_is_read_by_the_code_before_it():
    """Its events are the old runtime's; only the blocks after it are the new one's."""
    node = RecordedNode(metadata("penpal-1"), spec_name="penpal", spec_version=1, blocks=4)
    node.runtimes[2:] = [(metadata("westend-1025002"), "penpal", 2)] * 2
    at = node.with_events(2, "para applied")
    assert named(runtime(node).events(at), "ParachainSystem.ValidationFunctionApplied")
    assert node.calls.count("state_getMetadata") == 1
    at = node.with_events(3, "rejected")
    assert named(runtime(node).events(at), "System.RejectedInvalidAuthorizedUpgrade")


def test_events_between_two_blocks_come_with_their_block():
    node = RecordedNode(metadata("westend-1025002"), blocks=5)
    node.with_events(1, "root calls")
    node.with_events(3, "rejected")
    found = list(events_between(SubstrateReader(node), runtime(node), 1, 4))
    assert {block for block, _ in found} == {1, 3}
    assert [block for block, event in found if event.name == "RejectedInvalidAuthorizedUpgrade"] == [3]


def test_a_block_that_is_not_there_is_no_absence_of_events():
    node = RecordedNode(metadata("westend-1025002"), blocks=3)
    with pytest.raises(ChainError, match="has no block 3"):
        list(events_between(SubstrateReader(node), runtime(node), 1, 3))


def test_few_runtimes_are_kept():
    cache, made = runtimes._Cache(), []
    for version in (1, 2, 3, 4, 1, 5, 1, 2):
        cache.get(("g", "n", version), lambda version=version: made.append(version))
    assert made == [1, 2, 3, 4, 5, 2]


# Transactions


def test_authorise_is_a_signed_call_under_sudo(penpal):
    """The bytes that are signed and sent, field by field, in the order of penpal's extensions."""
    call = penpal.call("System", "remark", remark="0x01")
    version = RuntimeVersion("penpal-parachain", 1, 3)
    raw = signed(penpal, call, SUDO, Circumstances(GENESIS, version, 300))
    reader = Reader(raw)
    assert reader.compact() == len(raw) - reader.at
    assert reader.take(1) == b"\x84"
    assert reader.take(33) == b"\0" + SUDO.public
    assert reader.take(1) == b"\1"
    signature = reader.take(64)
    extra = b"\0" + compact(300) + b"\0\0" + b"\0"  # mortality, nonce, tip and no asset, no metadata hash
    assert raw[reader.at :] == extra + call
    additional = (1).to_bytes(4, "little") + (3).to_bytes(4, "little") + GENESIS + GENESIS + b"\0"
    assert secrets.verify(SUDO.public, call + extra + additional, signature)


def test_what_is_signed_is_hashed_when_it_is_long(westend):
    call = westend.call("System", "remark", remark="0x" + "ab" * 300)
    raw = signed(westend, call, SUDO, Circumstances(GENESIS, RuntimeVersion("w", 9, 8), 0))
    extra = b"\0\0\0\0"
    additional = (9).to_bytes(4, "little") + (8).to_bytes(4, "little") + GENESIS + GENESIS + b"\0"
    reader = Reader(raw)
    reader.compact()
    signature = reader.take(1 + 33 + 1 + 64)[-64:]
    assert secrets.verify(SUDO.public, blake2_256(call + extra + additional), signature)


def test_an_upgrade_is_authorised_by_root_and_applied_by_nobody():
    node = RecordedNode(metadata("westend-1025002"))
    node.nonce = 5
    one, code = upgrader(node, SUDO), b"\0asm" + bytes(100)
    assert one.authorize(blake2_256(code)) == "0x" + blake2_256(node.sent[0]).hex()
    westend = decoded(metadata("westend-1025002"))
    inner = westend.call("System", "authorize_upgrade", code_hash="0x" + blake2_256(code).hex())
    assert inner == b"\x00\x09" + blake2_256(code)
    extra = b"\0" + compact(5) + b"\0\0"
    assert node.sent[0].endswith(extra + westend._index("Sudo", "sudo") + inner)
    one.apply(code)
    apply = b"\x04\x00\x0b" + compact(len(code)) + code
    assert node.sent[1] == compact(len(apply)) + apply


def test_a_root_call_that_waits_in_the_pool_is_not_sent_again():
    """It would be carried out twice, the second time after the upgrade; another call stands in line behind it."""
    node = RecordedNode(metadata("westend-1025002"))
    one = upgrader(node, SUDO)
    first = one.authorize(b"h" * 32)
    node.pool, node.nonce = list(node.sent), 1
    assert one.authorize(b"h" * 32) == first
    assert len(node.sent) == 1
    one.authorize(b"i" * 32)
    node.pool = []
    one.authorize(b"h" * 32)
    extras = [raw[len(compact(len(raw))) + 1 + 33 + 65 :][:4] for raw in node.sent]
    assert extras == [b"\0\0\0\0", b"\0\4\0\0", b"\0\4\0\0"]


def test_five_mebibytes_of_code_are_composed():
    node = RecordedNode(metadata("penpal-1"), spec_name="penpal", spec_version=1)
    upgrader(node, SUDO).apply(bytes(5 * 1024 * 1024))
    assert len(node.sent[0]) > 5 * 1024 * 1024


def test_a_call_with_wrong_names_is_refused_before_it_is_sent(westend):
    with pytest.raises(ChainError, match=r"System.remark takes remark, not note"):
        westend.call("System", "remark", note="0x00")
    with pytest.raises(ChainError, match=r"no call System.nothing"):
        westend.call("System", "nothing")


@pytest.mark.parametrize("name", ["westend-1025002", "penpal-1"])
def test_the_extensions_of_real_runtimes_are_known(name):
    check(decoded(metadata(name)))


@pytest.mark.parametrize("extension", [("extra", "u32"), ("additional", "H256")])
def test_an_unknown_extension_with_data_is_refused_by_name(westend, monkeypatch, extension):
    """One that is empty is none of our business; one that is not would make each of our transactions invalid."""
    place, _ = extension
    empty = next(one for one in westend.extensions if one.name == "CheckWeight").extra
    full = next(one for one in westend.extensions if one.name == "CheckNonce").extra
    spare = Extension("CheckSomething", empty, empty)
    monkeypatch.setattr(westend, "extensions", (*westend.extensions, spare))
    check(westend)
    kinds = {"extra": empty, "additional": empty, place: full}
    monkeypatch.setattr(westend, "extensions", (*westend.extensions[:-1], Extension("CheckSomething", **kinds)))
    with pytest.raises(Refused, match="data that coalmine does not know: CheckSomething"):
        check(westend)


def test_the_upgrade_that_the_first_block_notes_has_its_real_shape(westend):
    noted = compact(1025003) + text("westend")
    found = westend.storage_value("System", "LastRuntimeUpgrade", noted)
    assert found == {"spec_version": 1025003, "spec_name": "westend"}
