"""Real runtimes: what they say of themselves, and that they run in-process."""

import pytest

from orchestrator.runtime import blob
from orchestrator.runtime.executor import Executor
from orchestrator.runtime.storage import Storage


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
