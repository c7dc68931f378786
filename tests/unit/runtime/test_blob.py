"""Blobs say what they are: those of the model, real ones, and what is none."""

import hashlib

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import RuntimeBlobError
from orchestrator.runtime import blob
from orchestrator.spec.runtime import ModelRuntime

RUNTIMES = st.builds(
    # Hypothesis would add the fields once more under their aliases, were it shown the class itself.
    lambda **fields: ModelRuntime(**fields),  # noqa: PLW0108  For the reason above.
    spec_name=st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=200),
    spec_version=st.integers(1, 2**32 - 1),
    transaction_version=st.integers(1, 2**32 - 1),
    migration=st.sampled_from(["none", "succeeds", "panics"]),
    precheck=st.sampled_from(["accepted", "rejected"]),
)


@given(RUNTIMES)
def test_a_model_blob_says_all_that_its_description_says(runtime):
    code = blob.model_blob(runtime)
    found = blob.read(code)
    assert found.version.spec_name == runtime.spec_name
    assert found.version.spec_version == runtime.spec_version
    assert found.version.transaction_version == runtime.transaction_version
    assert found.behaviour["migration"] == runtime.migration
    assert found.behaviour["precheck"] == runtime.precheck
    assert found.code_hash == hashlib.blake2b(code, digest_size=32).digest()
    assert blob.model_blob(runtime) == code


@given(RUNTIMES)
def test_a_compressed_blob_reads_alike_and_hashes_as_given(runtime):
    code = blob.model_blob(runtime)
    packed = blob.COMPRESSED + zstandard.ZstdCompressor().compress(code)
    found = blob.read(packed)
    assert found.version == blob.read(code).version
    assert found.code_hash == hashlib.blake2b(packed, digest_size=32).digest()


@given(st.binary(max_size=200))
def test_what_is_no_runtime_is_refused_and_nothing_else_is_raised(data):
    for code in (data, b"\0asm\x01\0\0\0" + data, blob.COMPRESSED + data):
        with pytest.raises(RuntimeBlobError):
            blob.read(code)


@given(RUNTIMES, st.data())
def test_a_blob_cut_short_is_refused_or_reads_as_the_whole(runtime, data):
    code = blob.model_blob(runtime)
    cut = code[: data.draw(st.integers(0, len(code) - 1))]
    try:
        found = blob.read(cut)
    except RuntimeBlobError:
        return
    assert found.version.spec_version == runtime.spec_version, "only sections behind the version may be missing"


def test_wasm_of_another_kind_is_named_as_such():
    with pytest.raises(RuntimeBlobError, match="runtime_version"):
        blob.read(b"\0asm\x01\0\0\0")


def test_a_bomb_is_refused():
    bomb = blob.COMPRESSED + zstandard.ZstdCompressor().compress(b"\0asm\x01\0\0\0" + bytes(blob.BOMB_LIMIT))
    with pytest.raises(RuntimeBlobError, match="larger than"):
        blob.read(bomb)
