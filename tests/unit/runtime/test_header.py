"""Headers in SCALE, and the genesis that follows from a spec."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.genesis.header import Header, genesis_header, pre_runtime, runtime_updated

HASHES = st.binary(min_size=32, max_size=32)
LOGS = st.one_of(
    st.builds(pre_runtime, st.binary(min_size=4, max_size=4), st.binary(max_size=100)),
    st.just(runtime_updated()),
    st.binary(max_size=20).map(lambda data: bytes([0, len(data) << 2]) + data),
)
HEADERS = st.builds(Header, HASHES, st.integers(0, 2**32 - 1), HASHES, HASHES, st.lists(LOGS, max_size=4).map(tuple))


@given(HEADERS)
def test_a_header_reads_back(header):
    assert Header.decode(header.encode()) == header
    assert Header.decode(header.encode()).hash == header.hash


@given(HEADERS, st.data())
def test_a_header_cut_short_is_refused(header, data):
    encoded = header.encode()
    with pytest.raises(ValueError):  # noqa: PT011  Whatever it says.
        Header.decode(encoded[: data.draw(st.integers(0, len(encoded) - 1))])


def test_a_genesis_head_has_98_bytes_as_real_ones_and_follows_from_the_genesis_alone():
    spec = {"name": "a", "genesis": {"runtimeGenesis": {"code": "0x00", "config": {"x": 1}}}}
    header = genesis_header(spec)
    assert len(header.encode()) == 98
    assert genesis_header({**spec, "name": "b", "bootNodes": ["x"]}).hash == header.hash
    other = {"genesis": {"runtimeGenesis": {"code": "0x00", "config": {"x": 2}}}}
    assert genesis_header(other).hash != header.hash
