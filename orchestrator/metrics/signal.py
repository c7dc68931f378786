"""The type of a signal, and how its query is restricted to selected nodes.

The signals are in the tables beside this module; `signals` has all of them by name.
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
"""A kind of chain and a role whose nodes have the signal. None as role means all roles."""

EVERY: tuple[Carrier, ...] = (("relay", None), ("para", None))
VALIDATORS: tuple[Carrier, ...] = (("relay", "validator"),)
AUTHORS: tuple[Carrier, ...] = (("relay", "validator"), ("para", "collator"))
PARACHAINS: tuple[Carrier, ...] = (("para", None),)
COLLATORS: tuple[Carrier, ...] = (("para", "collator"),)
EMBEDDED: tuple[Carrier, ...] = (("relay", "collator"),)
"""The relay node inside a collator. It counts what the collator sends to validators."""
PROCESSES: tuple[Carrier, ...] = (*VALIDATORS, *EMBEDDED)
"""The nodes that report the memory of the whole process. A collator reports it on its relay node's page."""

Concern = Literal[
    "blocks",
    "finality",
    "parachains",
    "approval",
    "disputes",
    "validation",
    "network",
    "transactions",
    "node",
    "machine",
]
Direction = Literal["higher", "lower", "neither"]
Kind = Literal["gauge", "counter", "histogram"]


@dataclass(frozen=True, slots=True)
class Signal:
    """One thing that nodes report. `$selector` in the query stands for label matchers.

    `monotone`: it only grows while a node lives, so a fall is a reset. `climbs`: it grows in a healthy network, but may
    fall for a while. For a `histogram` its count is read. `derive` says how the samples are transformed before a
    threshold is applied.
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

        A node under load sometimes misses a scrape, and then Prometheus drops its value at once. If the value is held
        for two scrapes and no longer, every remaining gap in the answer is a real one.
        """
        text = self.promql
        if hold:
            text = _HELD.sub(rf"last_over_time(\1[{round(hold * 1000)}ms])", text)
        return select(text, selector)

    def carried_by(self, node: Node, chain: str) -> bool:
        """Whether the node has this signal for that chain."""
        kind = "relay" if chain == RELAY else "para"
        return any(kind == where and role in {None, node.role} for where, role in self.carriers)


def select(promql: str, selector: Selector) -> str:
    """The query with `$selector` replaced by label matchers. An empty selector matches all nodes."""
    given = [(name, getattr(selector, name)) for name in ("chain", "role", "group", "node")]
    matchers = ",".join(f'{name}="{_escaped(value)}"' for name, value in given if value is not None)
    return promql.replace("$selector", matchers or 'node=~".*"')


def gauge(name: str, matchers: str = "") -> str:
    """The query for a metric's plain value."""
    return f"{name}{{{matchers},$selector}}" if matchers else f"{name}{{$selector}}"


def summed(name: str, matchers: str = "") -> str:
    """The sum over the client's own labels, so that each node has one series."""
    return f"sum by ({_LABELS}) ({gauge(name, matchers)})"


def lazy(name: str, matchers: str) -> str:
    """A counter whose series appear only with their first use. Before that it is zero, if the node answers.

    The best height shows that a node answers, so a silent node has no value instead of zero. This does not show that
    the client has the counter at all; `exposed` checks that before the run.
    """
    return f"{summed(name, matchers)} or 0 * {summed('substrate_block_height', _BEST)}"


_BEST = 'status="best"'


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def about(concern: Concern) -> Callable[..., Signal]:
    """Makes signals of one concern, so that a table does not have to repeat it in each line."""
    return partial(Signal, concern)
