"""Reads from the nodes what a decision about an upgrade needs. Called by `reconciler` before each step.

In most steps one node represents the chain: of a few that are asked, authors first, the one that has finalised most.
Only the question whether the upgrade is enacted goes to all nodes. One view is read at one block.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from chaos.nodes import Node
from chaos.upgrades.view import ChainView, Code, RelayView, Spread
from orchestrator.chain import Head, ParachainReader, SubstrateReader
from orchestrator.errors import ChainError
from orchestrator.spec.status import UpgradeStatus
from orchestrator.spec.testnet import RELAY

_SAMPLE = 4
_ROUNDS = 5
"""How many samples are asked at most, because each silent node costs its time limit."""
_AUTHORS = frozenset({"validator", "collator"})


@dataclass(frozen=True, slots=True)
class Reference:
    """A node that answers, and its heads."""

    node: Node
    reader: SubstrateReader
    best: Head
    finalized: Head


@dataclass
class Observer:
    """Reads nodes through `reader_of`; `threads` wait for many at once."""

    reader_of: Callable[[Node], SubstrateReader]
    threads: ThreadPoolExecutor

    def reference(self, nodes: Iterable[Node]) -> Reference | None:
        """The node that has finalised most, of a sample. If no node of a sample answers, the next sample is asked."""
        ranked = sorted((n for n in nodes if n.running), key=lambda n: (n.role not in _AUTHORS, n.name))
        found: list[Reference] = []
        for start in range(0, min(len(ranked), _ROUNDS * _SAMPLE), _SAMPLE):
            sample = ranked[start : start + _SAMPLE]
            found = [reference for reference in self.threads.map(self._refer, sample) if reference is not None]
            if found:
                break
        return max(found, key=lambda r: (r.finalized.number, r.best.number), default=None)

    def chain(self, at: Reference, code: Code, status: UpgradeStatus, *, parachain: bool) -> ChainView:
        """The chain as the reference sees it.

        Raises:
            ChainError: the reference stops answering.
        """
        reader, best = at.reader, at.best.hash
        version = reader.runtime_version(best)
        pending = parachain and reader.pending_validation_code(best)
        built = reader.last_runtime_upgrade(at.finalized.hash)
        built_by = built.spec_version if built is not None else None
        low = status.applied_block if status.applied_block is not None else status.authorized_block
        changed = version.spec_version == code.spec_version
        changed_at = first_built = None
        if status.applied_block is not None and not parachain:
            changed_at = status.applied_block
        elif low is not None and (changed or (pending and status.applied_block is None)):
            changed_at = _first(reader, low, at.best.number, lambda block: _has_changed(reader, code, status, block))
        if low is not None and built_by == code.spec_version:
            first_built = _first(reader, low, at.finalized.number, lambda block: _built_by(reader, block) == built_by)
        return ChainView(
            node=at.node.name,
            best=at.best,
            finalized=at.finalized,
            version=version,
            authorized=reader.authorized_upgrade(best),
            pending=pending,
            built_by=built_by,
            migrating=reader.migrating(at.finalized.hash),
            undone=low is not None and at.finalized.number >= low and _is_undone(at, code, parachain=parachain),
            changed_at=changed_at,
            first_built=first_built,
        )

    def relay(self, at: Reference, para_id: int | None, code: Code) -> RelayView:
        """The relay chain as the reference sees it. Raises ChainError."""
        reader, best, final = at.reader, at.best.hash, at.finalized.hash
        session = reader.session(final)
        if para_id is None:
            return RelayView(at.node.name, at.best.number, session)
        return RelayView(
            node=at.node.name,
            best=at.best.number,
            session=session,
            current_code=reader.current_code_hash(para_id, final),
            future_code=reader.future_code_hash(para_id, best),
            checking=ParachainReader(reader).is_being_checked(code.hash, best),
            go_ahead=reader.go_ahead(para_id, best),
            restricted=reader.restricted(para_id, best),
            max_code_size=reader.max_code_size(best),
        )

    def spread(self, nodes: Sequence[Node], code: Code, block: int) -> Spread:
        """Asks every node which code built its finalised block, and its hash of the first block by the new code."""
        answers = dict(zip(nodes, self.threads.map(lambda n: self._ask(n, code, block), nodes), strict=True))
        hashes = Counter(answer for answer in answers.values() if isinstance(answer, str))
        common = hashes.most_common(1)[0][0] if hashes else None
        names: Mapping[str, list[str]] = {"new": [], "old": [], "silent": [], "forked": []}
        for node, answer in answers.items():
            kind = "silent" if answer is None else "old" if answer is False else "new" if answer == common else "forked"
            names[kind].append(node.name)
        return Spread(**{kind: tuple(found) for kind, found in names.items()})

    def _ask(self, node: Node, code: Code, block: int) -> str | bool | None:
        """The node's hash of the block. False while its finalised block is by the old code. None for no answer."""
        if not node.running:
            return None
        reader = self.reader_of(node)
        try:
            if _built_by(reader, reader.finalized().hash) != code.spec_version:
                return False
            return reader.hash_at(block) or False
        except ChainError:
            return None

    def _refer(self, node: Node) -> Reference | None:
        reader = self.reader_of(node)
        try:
            return Reference(node, reader, reader.best(), reader.finalized())
        except ChainError:
            return None


def of_chain(nodes: Iterable[Node], chain: str) -> tuple[Node, ...]:
    """The nodes of a chain. `chain` is `relay`, or a parachain's name or id."""
    return tuple(n for n in nodes if n.chain == chain or (n.chain != RELAY and str(n.para_id) == chain))


def authors(nodes: Iterable[Node]) -> tuple[Node, ...]:
    return tuple(node for node in nodes if node.role in _AUTHORS)


def _has_changed(reader: SubstrateReader, code: Code, status: UpgradeStatus, block: str) -> bool:
    if reader.runtime_version(block).spec_version == code.spec_version:
        return True
    return status.applied_block is None and reader.pending_validation_code(block)


def _is_undone(at: Reference, code: Code, *, parachain: bool) -> bool:
    """Whether the upgrade was lost. Only finalised state counts: another best block or a reorganisation is no loss."""
    reader, final = at.reader, at.finalized.hash
    return (
        reader.authorized_upgrade(final) is None
        and reader.runtime_version(final).spec_version != code.spec_version
        and not (parachain and reader.pending_validation_code(final))
    )


def _built_by(reader: SubstrateReader, block: str) -> int | None:
    found = reader.last_runtime_upgrade(block)
    return found.spec_version if found is not None else None


def _first(reader: SubstrateReader, low: int, high: int, holds: Callable[[str], bool]) -> int:
    """The first block in (low, high] for which `holds` is true. It must stay true up to `high`."""
    while low + 1 < high:
        middle = (low + high) // 2
        block = reader.hash_at(middle)
        if block is None:
            raise ChainError(f"{reader.rpc.node}: has no block {middle}")
        low, high = (low, middle) if holds(block) else (middle, high)
    return high
