"""Secret URIs: the well-known public keys, as `subkey inspect` prints them."""

import pytest

from orchestrator.errors import UsageError
from orchestrator.genesis import suri

PHRASE = "bottom drive obey lake curtain smoke basket hold race lonely fit walk"


@pytest.mark.parametrize(
    ("uri", "scheme", "public"),
    [
        ("//Alice", "sr25519", "d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d"),
        ("//Alice//stash", "sr25519", "be5ddb1579b72e84524fc29e78609e3caf42e85aa118ebfe0b0ad404b5bdd25f"),
        ("//Bob", "sr25519", "8eaf04151687736326c9fea17e25fc5287613693c912909cb226aa4794f26a48"),
        ("//Alice", "ed25519", "88dc3417d5058ec4b4503e0c12ea1a0a89be200fe98922423d4334014fa6b0ee"),
        ("//Alice", "ecdsa", "020a1091341fe5664bfa1782d5e04779689068c916b04cb365ec3153755684d9a1"),
    ],
)
@pytest.mark.parametrize("root", ["", PHRASE, "0x" + suri.DEV_SEED.hex()])
def test_public_keys_are_those_of_every_substrate_tool(root, uri, scheme, public):
    assert suri.public(root + uri, scheme).hex() == public


@pytest.mark.parametrize("uri", ["no phrase at all", "//Alice/soft", "0x12", "//Alice///password"])
def test_what_is_no_uri_is_refused_and_not_repeated(uri):
    with pytest.raises(UsageError) as refused:
        suri.public(uri, "sr25519")
    assert uri not in str(refused.value)
