"""Shows nodes with their chain heights and resource use, once or repeatedly. Called by `top`."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import rich.box
import rich.console
import rich.live
import rich.markup
import rich.table

from orchestrator.cli import listing
from orchestrator.cluster import Cluster
from orchestrator.errors import ChainError, ClusterError
from orchestrator.inspection import live, networks
from orchestrator.inspection.live import Usage, View
from orchestrator.inspection.networks import NodeState, Selection

_HEADER = ("node", "role", "chain", "best", "finalised", "lag", "peers", "cpu", "memory", "restarts", "status")
_LATE = 10
"""A node with at least this many blocks of lag is shown in red."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A node, its answer and its resource use."""

    node: NodeState
    view: View | None
    usage: Usage | None
    silence: str | None
    """Why it did not answer; None if it did."""


def look(cluster: Cluster, testnet: str, selection: Selection) -> list[Seen]:
    """All selected nodes as they are now. They are asked in parallel."""
    chosen = networks.select(networks.testnet(cluster, testnet).nodes, selection)
    with ThreadPoolExecutor(1) as pool:
        usage = pool.submit(live.usage, cluster, chosen)
        views = live.look(cluster, chosen)
        used = usage.result()
    return [_seen(node, views[node.name], used.get(node.name)) for node in chosen]


def _seen(node: NodeState, view: View | ChainError, usage: Usage | None) -> Seen:
    if isinstance(view, ChainError):
        return Seen(node, None, usage, view.message)
    return Seen(node, view, usage, None)


def written(seen: list[Seen]) -> str:
    """The nodes as plain text: a header, then a line for each node."""
    return listing.columns(_HEADER, [_row(one) for one in seen])


def live_table(cluster: Cluster, testnet: str, selection: Selection, seen: list[Seen], period: float) -> None:
    """Shows `seen`, then looks again every `period` seconds. Never returns; Ctrl-C ends it."""
    with rich.live.Live(_table(testnet, seen), console=rich.console.Console(), auto_refresh=False, screen=True) as live:
        while True:
            live.update(_table(testnet, seen), refresh=True)
            time.sleep(period)
            try:
                seen = look(cluster, testnet, selection)
            except ClusterError as error:
                live.update(f"{error.message}; the API server is asked again in a moment", refresh=True)


def _table(testnet: str, seen: list[Seen]) -> rich.table.Table:
    ready = sum(one.node.ready for one in seen)
    title = f"{testnet}: {ready} of {len(seen)} ready, {time.strftime('%H:%M:%S')}"
    grid = rich.table.Table(title=title, title_justify="left", box=rich.box.SIMPLE_HEAD)
    for name in _HEADER:
        grid.add_column(name, justify="right" if name in _HEADER[3:10] else "left", no_wrap=name != "status")
    for one in seen:
        style = "red" if one.view is None or one.view.lag >= _LATE else "" if one.node.ready else "yellow"
        grid.add_row(*map(rich.markup.escape, _row(one)), style=style)
    return grid


def _row(one: Seen) -> list[str]:
    node, view, use = one.node, one.view, one.usage
    heights = [str(n) for n in (view.best, view.finalized, view.lag, view.peers)] if view else [""] * 4
    status = node.trouble or ("no answer" if view is None else "syncing" if view.syncing else "Ready")
    used = [f"{use.cpu * 1000:.0f}m", listing.size(use.memory)] if use else ["", ""]
    return [node.name, node.role, node.chain, *heights, *used, str(node.restarts), status]


def document(one: Seen) -> dict[str, Any]:
    node, view, use = one.node, one.view, one.usage
    return {
        "node": node.name,
        "group": node.group,
        "role": node.role,
        "chain": node.chain,
        "ready": node.ready,
        "trouble": node.trouble or one.silence,
        "best": view.best if view else None,
        "finalized": view.finalized if view else None,
        "lag": view.lag if view else None,
        "peers": view.peers if view else None,
        "cpu": use.cpu if use else None,
        "memory": use.memory if use else None,
        "restarts": node.restarts,
    }
