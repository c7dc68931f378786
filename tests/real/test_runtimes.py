"""Real runtimes: what they say of themselves, and that they run in-process."""

import json

import pytest

from orchestrator.errors import RuntimePanicError
from orchestrator.genesis import chainspec, header, raw
from orchestrator.runtime import blob
from orchestrator.runtime.executor import Executor
from orchestrator.runtime.storage import Storage
from orchestrator.scale import Reader, compact, vector
from orchestrator.spec import Testnet


@pytest.mark.parametrize(
    ("file", "name", "version"),
    [
        ("penpal-1.wasm", "penpal-parachain", 1),
        ("penpal-2.wasm", "penpal-parachain", 2),
        ("penpal-3-panics.wasm", "penpal-parachain", 3),
        ("penpal-3-fixed.wasm", "penpal-parachain", 3),
        ("westend-fast-1025002.wasm", "westend", 1025002),
        ("westend-fast-1025003.wasm", "westend", 1025003),
    ],
)
def test_real_runtimes_say_what_they_are(file, name, version, real):
    found = blob.read((real / file).read_bytes())
    assert (found.version.spec_name, found.version.spec_version) == (name, version)
    assert found.behaviour is None
    assert len(found.version.apis) > 15


@pytest.mark.parametrize("file", ["westend-fast-1025002.wasm", "penpal-1.wasm"])
def test_a_real_runtime_answers_with_its_version_and_its_metadata(file, real):
    runtime = Executor((real / file).read_bytes())
    assert runtime.blob.version.spec_name.encode() in runtime.call("Core_version", b"", Storage()).output
    metadata = runtime.call("Metadata_metadata", b"", Storage()).output
    assert b"meta" in metadata[:8]
    assert len(metadata) > 100_000


def test_the_runtime_builds_blocks_upon_our_genesis_and_agrees_when_it_executes_them_again(real):
    """Twelve blocks, a session change among them. Execution compares the state and extrinsics roots with ours."""
    relay = {"client": "polkadot", "runtime": {"file": str(real / "westend-fast-1025002.wasm")}}
    relay["groups"] = [{"name": "validator", "count": 4}]
    document = {"kind": "Testnet", "metadata": {"name": "real"}, "spec": {"relaychain": relay}}
    genesis = chainspec.build(Testnet.model_validate(document), bytes(32)).chain("relay")
    storage, runtime = raw.storage_of(json.loads(genesis.spec), "genesis"), Executor(genesis.code)
    parent = header.Header.decode(genesis.head)
    for number in range(1, 13):
        before = Storage(storage.top)
        parent, extrinsics = _built(runtime, storage, parent, number)
        assert parent.state_root == storage.root(1)
        runtime.call("Core_execute_block", parent.encode() + _list(extrinsics), before)
        assert before.top == storage.top
    wrong = header.Header(parent.parent_hash, parent.number, bytes(32), parent.extrinsics_root, parent.digest)
    with pytest.raises(RuntimePanicError):
        runtime.call("Core_execute_block", wrong.encode() + _list(extrinsics), before)


def _built(runtime, storage, parent, number):
    """A block as a node makes it (`client/basic-authorship`), in a secondary plain slot, which needs no VRF."""
    slot = 300_000_000 + number
    claim = header.pre_runtime(b"BABE", b"\x02" + (0).to_bytes(4, "little") + slot.to_bytes(8, "little"))
    block = header.Header(parent.hash, number, bytes(32), bytes(32), (claim,))
    runtime.call("Core_initialize_block", block.encode(), storage)
    now, paras = (slot * 6000).to_bytes(8, "little"), bytes(3) + parent.encode()
    inherents = compact(2) + b"timstap0" + vector(now) + b"parachn0" + vector(paras)
    reader = Reader(runtime.call("BlockBuilder_inherent_extrinsics", inherents, storage).output)
    extrinsics = [reader.vector() for _ in range(reader.compact())]
    for extrinsic in extrinsics:
        assert runtime.call("BlockBuilder_apply_extrinsic", vector(extrinsic), storage).output == b"\0\0"
    return header.Header.decode(runtime.call("BlockBuilder_finalize_block", b"", storage).output), extrinsics


def _list(items):
    return compact(len(items)) + b"".join(vector(item) for item in items)
