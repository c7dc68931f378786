"""Finds, before the first stage, gates that would have no evidence because nobody has what they read.

Of metrics it reads one node of each group, because all nodes of a group run the same image; `metrics.exposed` compares.
Of runtimes it asks each chain (`runtime_names`). The result is shown to the user and recorded in the journal. Called by
`lifecycle`.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial

from orchestrator.errors import ChainError
from orchestrator.gates.names import CHECKED
from orchestrator.genesis.chainspec import Node
from orchestrator.inspection.reach import ask_all
from orchestrator.journal import Event
from orchestrator.journal import Node as JournalNode
from orchestrator.metrics.exposed import Doubt, Endpoint, Page, doubts, read_page
from orchestrator.readiness.access import Access
from orchestrator.run import runtime_names
from orchestrator.spec import Rehearsal
from orchestrator.spec.testnet import RELAY

_SHOWN = 12
"""How many doubts are shown to the user. The journal has all of them."""


def check(rehearsal: Rehearsal, nodes: tuple[JournalNode, ...], access: Access, say: Callable[[str], None]) -> Event:
    """Compares what the gates read with what there is. Shows what that means for the gates. Returns the event."""
    pages = _pages(access, nodes)
    gates = [(stage.name, gate) for stage in rehearsal.spec.stages for gate in stage.gates]
    found = (*doubts(gates, nodes, pages), *runtime_names.nobody(gates, nodes))
    runtime, lacking = runtime_names.check(gates, nodes, access)
    for line in (*_left_out(rehearsal), *_lines(len(gates), (*found, *lacking))):
        say(line)
    return Event(
        name=CHECKED,
        detail={
            "endpoints": [str(where) for where, page in pages.items() if isinstance(page, Page)],
            "versions": {str(where): page.version for where, page in pages.items() if isinstance(page, Page)},
            "unread": {str(where): page for where, page in pages.items() if isinstance(page, str)},
            "doubts": [asdict(doubt) for doubt in found],
            "runtime": [asdict(name) for name in runtime],
        },
    )


def _pages(access: Access, nodes: tuple[JournalNode, ...]) -> dict[Endpoint, Page | str]:
    """The metrics page of each group's first node, for each of its chains, or why there is none."""
    alone = {node.name for node in nodes if node.chain == RELAY or not node.embeds_relay}
    first: dict[str, Node] = {}
    for node in access.nodes:
        first.setdefault(node.group, node)
    pages: dict[Endpoint, Page | str] = {}
    for chain in (None, RELAY):
        asked = [node for node in first.values() if chain is None or node.name not in alone]
        found = ask_all(asked, partial(access.metrics, chain=chain))
        for node in asked:
            text = found[node.name]
            where = Endpoint(node.group, chain or node.chain)
            pages[where] = text.message if isinstance(text, ChainError) else read_page(text)
    return pages


def _left_out(rehearsal: Rehearsal) -> Iterator[str]:
    """Lines about the gates of the library that this network cannot answer, and which are therefore left out."""
    for stage in rehearsal.spec.stages:
        if stage.left_out:
            yield f"names: {stage.name} goes without {', '.join(stage.left_out)}, which this network cannot answer"


def _lines(gates: int, found: tuple[Doubt, ...]) -> Iterator[str]:
    """What the user must know before the run, line by line."""
    certain = sorted({(doubt.stage, doubt.gate) for doubt in found if doubt.certain})
    if not found:
        yield f"names: everything that the {gates} gates read exists"
        return
    told = dict.fromkeys(str(doubt) for doubt in sorted(found, key=lambda doubt: not doubt.certain))
    yield f"names: of {gates} gates, {len(certain)} will be inconclusive, because nodes lack what they read"
    yield from list(told)[:_SHOWN]
    if len(told) > _SHOWN:
        yield f"and {len(told) - _SHOWN} more, in the journal"
