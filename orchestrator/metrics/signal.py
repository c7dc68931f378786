"""What a signal is, and how its query is put to chosen nodes.

The tables beside this module hold the signals themselves; `signals` has them all by name.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from orchestrator.journal import Node
from orchestrator.spec import Selector
from orchestrator.spec.testnet import RELAY

_LABELS = "instance, node, chain, group, role, network"
_HELD = re.compile(r"([a-z_0-9]+\{[^{}]*\$selector[^{}]*\})")

Carrier = tuple[Literal["relay", "para"], str | None]
"""A kind of chain and a role on it (None: all) whose nodes have the signal."""

EVERY: tuple[Carrier, ...] = (("relay", None), ("para", None))
VALIDATORS: tuple[Carrier, ...] = (("relay", "validator"),)
AUTHORS: tuple[Carrier, ...] = (("relay", "validator"), ("para", "collator"))
PARACHAINS: tuple[Carrier, ...] = (("para", None),)
COLLATORS: tuple[Carrier, ...] = (("para", "collator"),)
EMBEDDED: tuple[Carrier, ...] = (("relay", "collator"),)
"""The relay node that runs inside a collator: it counts what the collator hands to validators."""
PROCESSES: tuple[Carrier, ...] = (*VALIDATORS, *EMBEDDED)
"""Who tells the memory of the whole process: a collator on its relay node's page."""

Concern = Literal[
    "blocks", "finality", "parachains", "approval", "disputes", "validation", "network", "transactions", "node"
]
Direction = Literal["higher", "lower", "neither"]
Kind = Literal["gauge", "counter", "histogram"]


@dataclass(frozen=True, slots=True)
class Signal:
    """One thing that a node says. `$selector` in the query stands for label matchers.

    `monotone` says that it only grows in the life of a node, so that a fall is a reset; `climbs` that it grows in a
    healthy network, even if it may fall for a while. A `histogram` is asked for its count. `derive` says what the
    samples are turned into before a threshold is applied.
    """

    concern: Concern
    name: str
    title: str
    sentence: str
    unit: str
    direction: Direction
    kind: Kind
    promql: str
    carriers: tuple[Carrier, ...] = EVERY
    monotone: bool = False
    climbs: bool = False
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


def gauge(name: str, matchers: str = "") -> str:
    """The query for a metric's value as it stands."""
    return f"{name}{{{matchers},$selector}}" if matchers else f"{name}{{$selector}}"


def summed(name: str, matchers: str = "") -> str:
    """The sum over the labels that are a client's own, so that one series is left for each node."""
    return f"sum by ({_LABELS}) ({gauge(name, matchers)})"


def lazy(name: str, matchers: str) -> str:
    """A counter whose label values exist only once they were counted: without it, zero where the node answers.

    That a node answers is shown by its best height, so silence stays silence and never turns into zero. That the
    client has the counter at all is not shown by this; `exposed` looks after it before the run.
    """
    return f"{summed(name, matchers)} or 0 * {summed('substrate_block_height', _BEST)}"


_BEST = 'status="best"'


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def about(concern: Concern) -> Callable[..., Signal]:
    """Signals of one concern, which a table need not say again in each line."""
    return partial(Signal, concern)
