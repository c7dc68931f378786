import pytest

from orchestrator.genesis import accounts, keys, suri


def test_an_ethereum_account_is_the_hash_of_its_key():
    # The first account of the phrase of development that every Ethereum tool knows (Hardhat, Foundry).
    secret = bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
    account = accounts.account(keys.ecdsa_public(secret))
    assert accounts.address(account) == "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"


def test_a_substrate_account_is_its_key():
    alice = suri.public("//Alice", "sr25519")
    assert accounts.account(alice) == alice
    assert accounts.address(alice) == "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"


@pytest.mark.parametrize(
    "address",
    [
        "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY",  # Alice
        "5GNJqTPyNqANBkUVMN1LPPrxXnFouWXoe2wNSmmEoLctxiZY",  # Alice//stash
        "5FA9nQDVg267DEd8m1ZypXLBnvN7SFxYwV7ndqSYGiN9TTpu",  # Alice, ed25519
        "KW39r9CJjAVzmkf9zQ4YDb2hqfAVGdRqn53eRqyruqpxAP5YL",  # Alice, ecdsa
        "0xf24FF3a9CF04c71Dbc94D0b566f7A27B94566cac",  # Alith
    ],
)
def test_accounts_that_anybody_can_sign_for_are_known(address):
    assert accounts.well_known(address)


def test_our_own_are_not():
    assert not accounts.well_known(keys.ss58(keys.sudo(bytes(32)).public))
