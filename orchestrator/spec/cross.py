"""Checks references between objects: nodes, groups, chains and code that must exist. Called by `load`."""

import contextlib
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel

from orchestrator.spec import testnet_rules
from orchestrator.spec.experiment import ChaosExperimentSpec, Target
from orchestrator.spec.node import ROLES
from orchestrator.spec.rehearsal import Rehearsal
from orchestrator.spec.runtime import RuntimeCode
from orchestrator.spec.source import Selector
from orchestrator.spec.testnet import Testnet
from orchestrator.spec.upgrade import RuntimeUpgrade, RuntimeUpgradeSpec

Finding = tuple[tuple[str | int, ...], str]


@dataclass(slots=True)
class Testnets:
    """The testnets of the given files.

    The nodes and chains of `whole` testnets are known. Of `broken` ones only the names are known, because of mistakes
    in the file. `unnamed` means that there may be another testnet whose name cannot be read.
    """

    __test__ = False

    whole: dict[str, Testnet] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    unnamed: bool = False

    def add(self, testnet: Testnet, *, lost: AbstractSet[str]) -> None:
        if lost & _TELLING:
            self.broken.add(testnet.name)
        else:
            self.whole[testnet.name] = testnet


_TELLING = testnet_rules.LISTS | {"name", "id", "count", "role"}
"""Fields of a testnet to which other objects refer."""


def check(item: BaseModel, testnets: Testnets, *, lost: AbstractSet[str] = frozenset()) -> Iterator[Finding]:
    """What is wrong with the object's references. Nothing is reported that depends on `lost` fields."""
    if isinstance(item, Testnet):
        yield from testnet_rules.check(item, lost=lost)
        if not lost & testnet_rules.LISTS:
            yield from _runtimes(item)
    elif isinstance(item, RuntimeUpgrade):
        yield from _code(("spec", "code"), item.spec.code)
    elif isinstance(item, Rehearsal):
        yield from _rehearsal(item, testnets)


def _runtimes(testnet: Testnet) -> Iterator[Finding]:
    yield from _code(("spec", "relaychain", "runtime"), testnet.spec.relaychain.runtime)
    for index, parachain in enumerate(testnet.spec.parachains):
        yield from _code(("spec", "parachains", index, "runtime"), parachain.runtime)


def _code(path: tuple[str | int, ...], code: RuntimeCode | None) -> Iterator[Finding]:
    if code is None:
        return
    yield from testnet_rules.absent((*path, "file"), code.file)
    if code.file is not None and not _begins_as_wasm(Path(code.file)):
        yield (*path, "file"), f"{code.file} is not a runtime: it is neither wasm nor compressed wasm"
    if code.chunks is not None:
        yield (*path, "chunks"), "chunks are for objects in a cluster; name a file or a model here"


_WASM = (b"\0asm", bytes.fromhex("52bc537646db8e05"))
"""The first bytes of runtime code, plain or compressed (`substrate/primitives/maybe-compressed-blob`)."""


def _begins_as_wasm(file: Path) -> bool:
    """Whether the file begins like wasm. Also true for a missing file, which another rule reports."""
    with contextlib.suppress(OSError, ValueError), file.open("rb") as stream:
        return stream.read(8).startswith(_WASM)
    return True


def _rehearsal(rehearsal: Rehearsal, testnets: Testnets) -> Iterator[Finding]:
    name = rehearsal.spec.testnet
    testnet = testnets.whole.get(name)
    if testnet is None and name not in testnets.broken and not testnets.unnamed:
        known = ", ".join(sorted({*testnets.whole, *testnets.broken})) or "none"
        yield ("spec", "testnet"), f"no Testnet called {name} in the files given (there: {known})"
    for index, stage in enumerate(rehearsal.spec.stages):
        path = ("spec", "stages", index)
        if stage.upgrade is not None:
            yield from _code((*path, "upgrade", "code"), stage.upgrade.code)
        if testnet is None:
            continue
        if stage.upgrade is not None:
            yield from _upgrade((*path, "upgrade"), stage.upgrade, testnet)
        if stage.experiment is not None:
            yield from _experiment((*path, "experiment"), stage.experiment, testnet)
        for number, gate in enumerate(stage.gates):
            yield from _selector((*path, "gates", number, "on"), gate.on, testnet)


def _upgrade(path: tuple[str | int, ...], upgrade: RuntimeUpgradeSpec, testnet: Testnet) -> Iterator[Finding]:
    if upgrade.chain not in chains(testnet):
        yield (*path, "chain"), f"no chain {upgrade.chain}; there are {', '.join(sorted(chains(testnet)))}"


def _experiment(path: tuple[str | int, ...], experiment: ChaosExperimentSpec, testnet: Testnet) -> Iterator[Finding]:
    kind = experiment.chosen()
    fault = getattr(experiment, kind)
    if experiment.partition is not None:
        for index, side in enumerate(experiment.partition.sides):
            yield from _target((*path, kind, "sides", index), side, testnet)
        named = [node for side in experiment.partition.sides for node in side.nodes or ()]
        for node in sorted({node for node in named if named.count(node) > 1}):
            yield (*path, kind, "sides"), f"{node} is on two sides"
    else:
        yield from _target((*path, kind, "target"), fault.target, testnet)


def _target(path: tuple[str | int, ...], target: Target, testnet: Testnet) -> Iterator[Finding]:
    for index, node in enumerate(target.nodes or ()):
        if node not in nodes(testnet):
            yield (*path, "nodes", index), f"no node {node}"
    if target.group is not None and target.group not in groups(testnet):
        yield (*path, "group"), f"no group {target.group}; there are {', '.join(sorted(groups(testnet)))}"
    if target.parachain is not None and target.parachain not in {p.id for p in testnet.spec.parachains}:
        yield (*path, "parachain"), f"no parachain {target.parachain}"


def _selector(path: tuple[str | int, ...], selector: Selector, testnet: Testnet) -> Iterator[Finding]:
    if selector.chain is not None and selector.chain not in {"relay", *(p.chain for p in testnet.spec.parachains)}:
        yield (*path, "chain"), f"no chain {selector.chain}"
    if selector.group is not None and selector.group not in groups(testnet):
        yield (*path, "group"), f"no group {selector.group}"
    if selector.node is not None and selector.node not in nodes(testnet):
        yield (*path, "node"), f"no node {selector.node}"
    if selector.role is not None and selector.role not in ROLES:
        yield (*path, "role"), f"no role {selector.role}; there are {', '.join(ROLES)}"


def chains(testnet: Testnet) -> set[str]:
    """All names and ids by which the network's chains may be referred to."""
    return {"relay"} | {word for p in testnet.spec.parachains for word in (p.chain, str(p.id))}


def groups(testnet: Testnet) -> set[str]:
    return {group.name for _, group in testnet.spec.groups()}


def nodes(testnet: Testnet) -> set[str]:
    return {node for _, group in testnet.spec.groups() for node in group.nodes()}
