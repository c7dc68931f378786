"""What the model's runtimes have: storage items and events, under the real pallets' names.

A real node tells it in its metadata, and the model by RPC. Whatever a runtime stores or deposits must be listed here
(`storage.Overlay`, `model.ModelExecution.deposit`), so the list is true.
"""

from collections.abc import Iterable, Iterator

from simnode.state.port import Names


def _names(*, storage: str, events: str) -> Names:
    """Names from texts with a pallet's names in each line: `Pallet.First Second`."""
    return Names(*(frozenset(_titles(text.split("\n"))) for text in (storage, events)))


def _titles(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        pallet, _, members = line.strip().partition(".")
        yield from (f"{pallet}.{member}" for member in members.split())


COMMON = _names(
    storage="""
        Session.Validators
        Sudo.Key
        System.Account AuthorizedUpgrade LastRuntimeUpgrade
        Timestamp.Now
    """,
    events="""
        Sudo.Sudid
        System.CodeUpdated ExtrinsicFailed ExtrinsicSuccess
        System.RejectedInvalidAuthorizedUpgrade Remarked UpgradeAuthorized
    """,
)
"""Of every chain."""

RELAY = _names(
    storage="""
        Babe.Authorities CurrentSlot EpochIndex GenesisSlot
        CoalmineModel.SignalledAt
        ParaInclusion.V1
        ParaScheduler.SessionStartBlock
        Paras.CodeByHash CurrentCodeHash FutureCodeHash FutureCodeUpgrades Heads ParaLifecycles
        Paras.PvfActiveVoteList PvfActiveVoteMap UpgradeCooldowns UpgradeGoAheadSignal UpgradeRestrictionSignal
        ParasShared.AllowedRelayParents
        Session.CurrentIndex
    """,
    events="""
        ParaInclusion.CandidateBacked CandidateIncluded CandidateTimedOut
        Paras.CurrentCodeUpdated PvfCheckAccepted PvfCheckRejected PvfCheckStarted
        Session.NewSession
    """,
)
"""Of relay chains only."""

PARACHAIN = _names(
    storage="""
        Aura.Authorities
        ParachainInfo.ParachainId
        ParachainSystem.LastRelayChainBlockNumber NewValidationCode PendingValidationCode UnincludedSegment
        ParachainSystem.UpgradeRestrictionSignal
        Session.CurrentIndex
    """,
    events="""
        ParachainSystem.ValidationFunctionApplied ValidationFunctionDiscarded ValidationFunctionStored
    """,
)
"""Of parachains only."""
