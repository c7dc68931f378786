"""Rules between the parts of a testnet. Each finding has its place in the file. Called by `cross`."""

import os
from collections.abc import Callable, Hashable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from orchestrator.spec.node import AUTHORITIES, NodeGroup
from orchestrator.spec.testnet import SIMULATED, Parachain, Relaychain, Testnet, TestnetSpec

Path_ = tuple[str | int, ...]
Finding = tuple[Path_, str]

_RELAY: Path_ = ("spec", "relaychain")
_PARAS: Path_ = ("spec", "parachains")
_CHANNELS: Path_ = ("spec", "hrmpChannels")


def check(testnet: Testnet, *, lost: AbstractSet[str] = frozenset()) -> Iterator[Finding]:
    """Everything that is wrong with the testnet as a whole.

    `lost` names fields of which something invalid was cut out. A rule that reads one of them is skipped, because its
    findings would be about a network that nobody wrote.
    """
    for rule in RULES:
        if not lost & (rule.reads | LISTS):
            yield from rule.check(testnet.spec)


LISTS = frozenset({"relaychain", "parachains", "groups"})
"""Fields that every rule reads. If a whole group or chain was cut out, no rule can be applied."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule, and the names of the fields that it reads."""

    check: Callable[[TestnetSpec], Iterator[Finding]]
    reads: frozenset[str]


def _chains(spec: TestnetSpec) -> Iterator[tuple[Path_, Relaychain | Parachain]]:
    yield _RELAY, spec.relaychain
    yield from (((*_PARAS, index), parachain) for index, parachain in enumerate(spec.parachains))


def _groups(spec: TestnetSpec) -> Iterator[tuple[Path_, Relaychain | Parachain, NodeGroup]]:
    for path, chain in _chains(spec):
        yield from (((*path, "groups", index), chain, group) for index, group in enumerate(chain.groups))


def _seconds(places: Iterable[tuple[Path_, Hashable]]) -> Iterator[tuple[Path_, Hashable]]:
    """The places whose value has appeared before."""
    seen: set[Hashable] = set()
    for path, word in places:
        if word in seen:
            yield path, word
        seen.add(word)


_TAKEN = frozenset({"prometheus", "coalmine-controller", "coalmine-agent", "controller"})
"""Names of coalmine's own objects and scrape jobs, which no group may have."""


def _names(spec: TestnetSpec) -> Iterator[Finding]:
    groups = (((*path, "name"), group.name) for path, _, group in _groups(spec))
    yield from ((path, f"two groups are called {name}") for path, name in _seconds(groups))
    taken = {*_TAKEN, *(f"{group.name}-relay" for path, _, group in _groups(spec) if path[:2] == _PARAS)}
    named = (((*path, "name"), group.name) for path, _, group in _groups(spec))
    yield from ((path, f"coalmine itself has objects called {name}") for path, name in named if name in taken)
    ids = (((*_PARAS, index, "id"), parachain.id) for index, parachain in enumerate(spec.parachains))
    yield from ((path, f"two parachains have the id {id_}") for path, id_ in _seconds(ids))
    names = (((*_PARAS, index, "name"), parachain.chain) for index, parachain in enumerate(spec.parachains))
    yield from ((path, f"two chains are called {n}") for path, n in _seconds([(_RELAY, "relay"), *names]))


def _authors(spec: TestnetSpec) -> Iterator[Finding]:
    validators = spec.relaychain.validators()
    if validators == 0:
        yield (*_RELAY, "groups"), "no group has the role validator, so no node would author blocks"
    cores = sum(parachain.cores for parachain in spec.parachains)
    if cores > validators > 0:
        yield _PARAS, f"{cores} cores need at least as many validators, there are {validators}"
    for index, parachain in enumerate(spec.parachains):
        if all(group.role != "collator" for group in parachain.groups):
            yield (*_PARAS, index, "groups"), f"no group of parachain {parachain.id} has the role collator"
        if parachain.cores > 1 and parachain.authoring != "slot-based":
            yield (*_PARAS, index, "cores"), f"{parachain.cores} cores need `authoring: slot-based`"


def _channels(spec: TestnetSpec) -> Iterator[Finding]:
    ids = {parachain.id for parachain in spec.parachains if parachain.onboarding == "genesis"}
    for index, channel in enumerate(spec.hrmp_channels):
        for end, id_ in (("sender", channel.sender), ("recipient", channel.recipient)):
            if id_ not in ids:
                yield (*_CHANNELS, index, end), f"{id_} is not a parachain that is registered in genesis"
        if channel.sender == channel.recipient:
            yield (*_CHANNELS, index), f"the channel leads from {channel.sender} to itself"
    pairs = (((*_CHANNELS, i), (channel.sender, channel.recipient)) for i, channel in enumerate(spec.hrmp_channels))
    yield from ((path, f"a second channel between the same two: {pair}") for path, pair in _seconds(pairs))


def _clients(spec: TestnetSpec) -> Iterator[Finding]:
    """Simnode can only talk to other simnodes, and each real client runs one kind of chain."""
    simulated = spec.relaychain.simulated
    for path, chain, group in _groups(spec):
        client = chain.client_of(group)
        where = (*path, "client") if group.client else (*path[:-2], "client")
        if (client == SIMULATED) != simulated:
            yield where, f"{client} and {spec.relaychain.client} cannot be in one network: simnode is a simulation"
        elif client in (_NOT_OF_PARACHAINS if isinstance(chain, Parachain) else _NOT_OF_RELAYCHAINS):
            kind = "parachain" if isinstance(chain, Parachain) else "relaychain"
            yield where, f"{client} is not a client of a {kind}"
        if client == "command" and (group.program is None or (group.image or chain.image) is None):
            yield path, "client command needs a program and an image"


_NOT_OF_RELAYCHAINS = frozenset({"polkadot-omni-node", "polkadot-parachain"})
_NOT_OF_PARACHAINS = frozenset({"polkadot"})


def _sources(spec: TestnetSpec) -> Iterator[Finding]:
    for path, chain in _chains(spec):
        yield from _source(path, chain)


def _source(path: Path_, chain: Relaychain | Parachain) -> Iterator[Finding]:
    if chain.simulated and chain.runtime is None:
        yield path, "a simulated chain needs a `runtime`"
    if not chain.simulated and chain.runtime is not None and chain.runtime.model is not None:
        yield (*path, "runtime", "model"), f"only simnode executes a model; {chain.client} needs a `file`"
    yield from absent((*path, "specFile"), chain.spec_file)
    if isinstance(chain, Parachain) and chain.simulated and chain.onboarding == "late":
        yield (*path, "onboarding"), "simnode's model registers parachains in genesis only"
    if isinstance(chain, Parachain) and chain.simulated and chain.cores != 1:
        yield (*path, "cores"), "simnode's model has one core for each parachain"
    if isinstance(chain, Parachain) and chain.builtin is not None and chain.onboarding != "none":
        yield (*path, "builtin"), "this chain's head is not known, so it cannot be registered: set `onboarding: none`"
    for field in ("genesis", "balances"):
        if chain.runtime is None and getattr(chain, field):
            yield (*path, field), "this has an effect only if genesis is built from a `runtime`"


def _keys(spec: TestnetSpec) -> Iterator[Finding]:
    for path, _, group in _groups(spec):
        yield from _keys_of(path, group, dev_keys=spec.dev_keys)


def _keys_of(path: Path_, group: NodeGroup, *, dev_keys: bool) -> Iterator[Finding]:
    if group.keys is None:
        return
    if getattr(group, "role", None) not in AUTHORITIES:
        yield (*path, "keys"), "only validators and collators have session keys"
    if group.keys.dev is not None and not dev_keys:
        yield (*path, "keys", "dev"), "anybody has a development account's keys; set `devKeys: true` if you mean it"
    yield from absent((*path, "keys", "file"), group.keys.file)


def absent(path: Path_, file: str | None) -> Iterator[Finding]:
    """A finding if the file does not exist."""
    # Unlike Path.is_file, this also works for impossible names (too long, or with a zero byte).
    if file is not None and not os.path.isfile(file):  # noqa: PTH113
        yield path, f"there is no file {file}"


RULES = (
    Rule(_names, frozenset({"name", "id"})),
    Rule(_authors, frozenset({"role", "count", "cores", "authoring", "id"})),
    Rule(_channels, frozenset({"id", "onboarding", "hrmp_channels", "sender", "recipient"})),
    Rule(_clients, frozenset({"client", "program", "image"})),
    Rule(
        _sources, frozenset({"client", "runtime", "spec_file", "builtin", "onboarding", "genesis", "balances", "cores"})
    ),
    Rule(_keys, frozenset({"keys", "role", "dev_keys"})),
)
