"""Checks a code for what the runtime would refuse, before anything is sent. Pure. Called by `plan`."""

from chaos.upgrades.draft import Draft
from chaos.upgrades.view import ChainView, Code, Failure, RelayView, UpgradeWorld

MAX_CODE_SIZE = 5 * 1024 * 1024
"""Bytes that fit into a relay chain's block (`BlockLength`). Also a parachain's limit if the relay chain names none."""


def check_code(world: UpgradeWorld) -> None:
    if world.refused_for_good:
        raise Failure(world.refused_for_good)
    if world.code_error:
        raise Failure(f"the code cannot be used: {world.code_error}")


def note_versions(draft: Draft, code: Code, chain: ChainView) -> None:
    """Records the old and new versions. If the transaction version changes, signers must be rebuilt."""
    draft.set(
        chain=draft.upgrade.spec.chain,
        spec_name=chain.version.spec_name,
        spec_version_from=chain.version.spec_version,
        spec_version_to=code.spec_version,
        transaction_version_from=chain.version.transaction_version,
        transaction_version_to=code.transaction_version,
        code_hash="0x" + code.hash.hex(),
        code_bytes=code.size,
        observed_generation=draft.upgrade.generation,
    )


def judge(world: UpgradeWorld, code: Code, chain: ChainView, relay: RelayView) -> None:
    """Raises Failure if `frame_system::can_set_code` or the relay chain's limits would refuse the code."""
    if code.spec_name != chain.version.spec_name:
        raise Failure(f"spec_name is {chain.version.spec_name} on chain and {code.spec_name} in the code")
    if code.spec_version <= chain.version.spec_version:
        found = f"{chain.version.spec_version} on chain and {code.spec_version} in the code"
        raise Failure(f"spec_version must rise, it is {found}")
    limit = (relay.max_code_size if world.is_parachain else None) or MAX_CODE_SIZE
    if code.size > limit:
        raise Failure(f"the code has {code.size} bytes, the chain takes {limit}")
