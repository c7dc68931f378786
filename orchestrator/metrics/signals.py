"""The one catalogue of signals: what may be asked of a node, in which words, and what a healthy answer looks like.

Gates, charts, dashboards and rules all read it, so a metric's name stands in this file and nowhere else. Queries are
raw values per node; growth, rates and recovery are derived in `gates.evaluate`, because `rate()` hides resets and gaps.
The simulated client serves the real client's names, so one query serves both.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from orchestrator.journal import Node, Target
from orchestrator.spec import Selector

RELAY = "relay"
_LABELS = "instance, node, chain, group, role, network"
_HELD = re.compile(r"([a-z_0-9]+\{[^{}]*\$selector[^{}]*\})")

Carrier = tuple[Literal["relay", "para"], str | None]
"""A kind of chain and a role on it (None: all) whose nodes have the signal."""

EVERY: tuple[Carrier, ...] = (("relay", None), ("para", None))
VALIDATORS: tuple[Carrier, ...] = (("relay", "validator"),)
AUTHORS: tuple[Carrier, ...] = (("relay", "validator"), ("para", "collator"))
PARACHAINS: tuple[Carrier, ...] = (("para", None),)


@dataclass(frozen=True, slots=True)
class Signal:
    """One thing that a node says. `$selector` in the query stands for label matchers.

    `monotone` says that it only grows in the life of a node, so that a fall is a reset. A `histogram` is asked for its
    count. `derive` says what the samples are turned into before a threshold is applied.
    """

    name: str
    title: str
    sentence: str
    unit: str
    direction: Literal["higher", "lower", "neither"]
    kind: Literal["gauge", "counter", "histogram"]
    promql: str
    carriers: tuple[Carrier, ...] = EVERY
    monotone: bool = False
    derive: Literal["samples", "seconds-per-growth"] = "samples"

    def query(self, selector: Selector, *, hold: float = 0.0) -> str:
        """The PromQL for the nodes of a selector. With `hold`, a value counts for that many seconds.

        A node under load misses a scrape now and then, and Prometheus then forgets its value at once. Holding it for
        two scrapes, and no longer, is what makes every further hole in the answer a real one.
        """
        text = self.promql
        if hold:
            text = _HELD.sub(rf"last_over_time(\1[{round(hold * 1000)}ms])", text)
        return select(text, selector)

    def carried_by(self, node: Node, chain: str) -> bool:
        """Whether the node has this signal where it takes part in that chain."""
        kind = "relay" if chain == RELAY else "para"
        return any(kind == where and role in {None, node.role} for where, role in self.carriers)


def select(promql: str, selector: Selector) -> str:
    """The query with `$selector` replaced by label matchers; by one that all nodes match where none are given."""
    given = [(name, getattr(selector, name)) for name in ("chain", "role", "group", "node")]
    matchers = ",".join(f'{name}="{_escaped(value)}"' for name, value in given if value is not None)
    return promql.replace("$selector", matchers or 'node=~".*"')


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def targets(nodes: Iterable[Node], selector: Selector, signal: Signal | None = None) -> tuple[Target, ...]:
    """The endpoints that ought to answer: those selected, of those that have the signal.

    A node of a parachain is two, for a relay node runs inside it.
    """
    found = []
    for node in nodes:
        for chain in dict.fromkeys((node.chain, RELAY)):
            wanted = {"chain": chain, "role": node.role, "group": node.group, "node": node.name}
            if any(getattr(selector, key) not in {None, value} for key, value in wanted.items()):
                continue
            if signal is None or signal.carried_by(node, chain):
                found.append(Target(node=node.name, chain=chain))
    return tuple(found)


def _lazy(counter: str) -> str:
    """A counter whose label values exist only once they were counted: without it, zero where the node answers.

    That a node answers is shown by its best height, so silence stays silence and never turns into zero.
    """
    base = 'substrate_block_height{status="best",$selector}'
    return f"sum by ({_LABELS}) ({counter}) or 0 * sum by ({_LABELS}) ({base})"


_BEST = 'substrate_block_height{status="best",$selector}'
_FINAL = 'substrate_block_height{status="finalized",$selector}'

CATALOGUE: dict[str, Signal] = {
    signal.name: signal
    for signal in (
        Signal(
            "up", "Scrapes answered", "1 when the node answered Prometheus' last scrape, 0 when it did not.",
            "", "higher", "gauge", "up{$selector}",
        ),
        Signal(
            "best-height", "Best block", "The height of the best block that the node knows; falls in a reorganisation.",
            "blocks", "higher", "gauge", _BEST,
        ),
        Signal(
            "finalized-height", "Finalised block", "The height up to which the node holds the chain final.",
            "blocks", "higher", "gauge", _FINAL, monotone=True,
        ),
        Signal(
            "finality-lag", "Finality lag", "How many blocks the node's best block is ahead of its finalised one.",
            "blocks", "lower", "gauge", f"{_BEST} - ignoring (status) {_FINAL}",
        ),
        Signal(
            "block-time", "Block time",
            "Seconds per block over the window, from the growth of the best height; infinite when no block came.",
            "s", "lower", "gauge", _BEST, derive="seconds-per-growth",
        ),
        Signal(
            "parachain-height", "Included parachain block",
            "The height of a parachain that the relay chain has included and finalised, as its own nodes see it.",
            "blocks", "higher", "gauge", _FINAL, PARACHAINS, monotone=True,
        ),
        Signal(
            "authored-blocks", "Blocks authored", "Blocks that this node has built since it started.",
            "blocks", "higher", "histogram", "substrate_proposer_block_constructed_count{$selector}",
            AUTHORS, monotone=True,
        ),
        Signal(
            "leaves", "Leaves", "Heads of the block tree that the node knows: 1 without forks.",
            "", "lower", "gauge", "substrate_number_leaves{$selector}",
        ),
        Signal(
            "peers", "Peers", "Peers that the node syncs with. Slow to notice a partition: it is no proof of one.",
            "", "higher", "gauge", "substrate_sync_peers{$selector}",
        ),
        Signal(
            "grandpa-round", "GRANDPA round", "The round that the node votes in; starts again with each authority set.",
            "", "neither", "gauge", "substrate_finality_grandpa_round{$selector}", VALIDATORS,
        ),
        Signal(
            "import-failures", "Failed imports",
            "Blocks that the node refused: verification failed, bad, or not executable.",
            "blocks", "lower", "counter",
            _lazy('substrate_import_queue_processed_total{result=~"verification_failed|bad_block|failed",$selector}'),
            monotone=True,
        ),
        Signal(
            "task-panics", "Panicked tasks", "Tasks of the node that ended in a panic since it started.",
            "", "lower", "counter", _lazy('substrate_tasks_ended_total{reason="panic",$selector}'), monotone=True,
        ),
        Signal(
            "active-validators", "In the active set", "1 when the validator is in the active set of this session.",
            "", "higher", "gauge", "polkadot_node_is_active_validator{$selector}", VALIDATORS,
        ),
        Signal(
            "approval-lag", "Approval lag", "Blocks by which unfinished approval checking holds finality back.",
            "blocks", "lower", "gauge", "polkadot_parachain_approval_checking_finality_lag{$selector}", VALIDATORS,
        ),
        Signal(
            "disputes", "Disputes", "Disputes over parachain candidates that the validator has seen since it started.",
            "", "lower", "counter", "polkadot_parachain_candidate_disputes_total{$selector}", VALIDATORS, monotone=True,
        ),
        Signal(
            "no-shows", "No-shows", "Approval checkers that did not answer in time, as the validator counts them.",
            "", "lower", "counter", "polkadot_parachain_approvals_no_shows_total{$selector}", VALIDATORS, monotone=True,
        ),
        Signal(
            "pvf-prepared", "Prepared PVFs",
            "Parachain validation functions that the validator has finished preparing.",
            "", "higher", "counter", "polkadot_pvf_prepare_concluded{$selector}", VALIDATORS, monotone=True,
        ),
    )
}  # fmt: skip  # A table reads better with a signal's words on one line.
"""All signals by name."""
