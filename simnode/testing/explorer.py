"""A network of whole nodes in virtual time.

Messages take random times, get lost and overtake each other. Nodes crash and come back with or without their database.
Partitions come and go. All of it follows from a seed: the same seed gives the same schedule.
"""

import heapq
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from simnode import chainspec
from simnode.chainspec import Spec
from simnode.core.chain import PeerInfo
from simnode.core.messages import Hash, Message
from simnode.core.outbox import Log, Persist, Record, Send
from simnode.core.para import ParaNode
from simnode.core.relay import RelayNode
from simnode.testing.specs import PARA_ID, loaded, para_spec, relay_spec


@dataclass
class Weather:
    """How bad the network is: how many seconds a message takes, and the share of messages that is lost."""

    fastest: float = 0.01
    slowest: float = 0.15
    loss: float = 0.0


@dataclass
class Site:
    """One process in virtual time: a relay node, and perhaps a parachain node."""

    name: str
    make: Callable[[], tuple[RelayNode, ParaNode | None]]
    relay: RelayNode = field(init=False)
    para: ParaNode | None = field(init=False)
    records: tuple[list[Record], list[Record]] = field(default_factory=lambda: ([], []))
    logs: list[str] = field(default_factory=list)
    up: bool = False
    life: int = 0
    paused_until: float = 0.0


class Explorer:
    """A network in virtual time. Checks at every step that no two sites have ever held different blocks final."""

    def __init__(self, seed: int, *, weather: Weather | None = None) -> None:
        self.random = random.Random(seed)  # noqa: S311  Seeded on purpose.
        self.now = 1_000_000.0
        self.weather = weather or Weather()
        self.sites: dict[str, Site] = {}
        self.final: dict[tuple[str, int], Hash] = {}
        """The block that any site has held final, by chain and height."""
        self.delivered = 0
        self._queue: list[tuple[float, int, str, int, Callable[[], None]]] = []
        self._order = 0
        self._sides: dict[str, int] = {}
        self._connected: set[tuple[str, str]] = set()
        self._wakeups: dict[str, float] = {}
        self._seen: dict[str, list[int]] = {}

    # Building

    def add(self, name: str, make: Callable[[], tuple[RelayNode, ParaNode | None]]) -> Site:
        site = Site(name, make)
        self.sites[name] = site
        self._boot(site)
        return site

    def _boot(self, site: Site) -> None:
        site.relay, site.para = site.make()
        site.life += 1
        site.up = True
        self._seen[site.name] = [0, 0]
        for node, records in zip((site.relay, site.para), site.records, strict=True):
            if node is not None:
                for record in records:
                    node.restore(record)
                node.start(self.now)
        for other in self.sites.values():
            if other is not site and other.up:
                self._connect(site, other)
        self._settle(site)

    def _connect(self, one: Site, other: Site) -> None:
        for here, there in ((one, other), (other, one)):
            here.relay.connected(there.name, PeerInfo("Authority", there.relay.authority), self.now)
            if here.para is not None and there.para is not None and here.para.para_id == there.para.para_id:
                here.para.connected(there.name, PeerInfo("Authority", None), self.now)
            self._settle(here)

    # Faults

    def crash(self, name: str, *, keep_database: bool = True) -> None:
        site = self.sites[name]
        site.up = False
        if not keep_database:
            site.records = ([], [])
        for other in self.sites.values():
            if other is not site and other.up:
                other.relay.disconnected(name, self.now)
                if other.para is not None:
                    other.para.disconnected(name, self.now)
                self._settle(other)

    def restart(self, name: str) -> None:
        self._boot(self.sites[name])

    def pause(self, name: str, seconds: float) -> None:
        """Stops a process. Its connections stay, and its messages wait for it."""
        self.sites[name].paused_until = self.now + seconds

    def partition(self, *sides: set[str]) -> None:
        """Loses messages between sides. Sites that are on no side reach all."""
        self._sides = {name: index for index, side in enumerate(sides) for name in side}

    def heal(self) -> None:
        self._sides = {}

    # Running

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while True:
            site, due = min(
                ((site, max(self._wake(site), site.paused_until)) for site in self.sites.values() if site.up),
                key=lambda pair: pair[1],
                default=(None, end + 1),
            )
            queued = self._queue[0][0] if self._queue else end + 1
            if min(due, queued) > end:
                break
            if queued <= due:
                self.now, _, name, life, deliver = heapq.heappop(self._queue)
                target = self.sites[name]
                if self.now < target.paused_until:
                    self._push(target.paused_until, name, life, deliver)
                elif target.up and target.life == life:
                    self.delivered += 1
                    deliver()
                    self._settle(target)
            else:
                assert site is not None
                self.now = max(self.now, due)
                for node in (site.relay, site.para):
                    if node is not None and node.wakeup() <= self.now:
                        node.tick(self.now)
                self._settle(site)
        self.now = end

    def _wake(self, site: Site) -> float:
        return self._wakeups[site.name]

    def _settle(self, site: Site) -> None:
        """Carries out a site's effects until there are no more."""
        while True:
            if site.para is not None:
                site.para.follow(self.now)
            effects = [
                (node, records, effect)
                for node, records in zip((site.relay, site.para), site.records, strict=True)
                if node is not None
                for effect in node.out.drain()
            ]
            for node, records, effect in effects:
                match effect:
                    case Persist():
                        records.append(json.loads(json.dumps(effect.record)))
                    case Send():
                        self._send(site.name, effect.peer, effect.message, para=node is site.para)
                    case Log():
                        site.logs.append(effect.line)
            if not effects:
                break
        times = [node.wakeup() for node in (site.relay, site.para) if node is not None]
        self._wakeups[site.name] = min(times)
        self._check(site)

    def _send(self, source: str, target: str, message: Message, *, para: bool) -> None:
        sides = self._sides
        apart = source in sides and target in sides and sides[source] != sides[target]
        site = self.sites[target]
        if apart or not site.up or self.random.random() < self.weather.loss:
            return
        due = self.now + self.random.uniform(self.weather.fastest, self.weather.slowest)

        def deliver() -> None:
            node = site.para if para else site.relay
            if node is not None:
                node.receive(source, message, self.now)

        self._push(due, target, site.life, deliver)

    def _push(self, due: float, name: str, life: int, deliver: Callable[[], None]) -> None:
        self._order += 1
        heapq.heappush(self._queue, (due, self._order, name, life, deliver))

    def _check(self, site: Site) -> None:
        """Checks safety: the final block at a height is the same everywhere and for ever."""
        for index, node in enumerate((site.relay, site.para)):
            if node is None:
                continue
            for number in range(self._seen[site.name][index] + 1, node.tree.finalized_number + 1):
                key = (node.genesis_hash, number)
                hash_ = node.tree.canonical[number]
                if self.final.setdefault(key, hash_) != hash_:
                    raise AssertionError(f"{site.name} holds {hash_} final at {key}, another site {self.final[key]}")
            self._seen[site.name][index] = node.tree.finalized_number


def network(  # noqa: PLR0913  All but four have defaults.
    seed: int,
    *,
    validators: int,
    code: bytes,
    para_code: bytes | None = None,
    parachains: int = 1,
    collators: int = 0,
    followers: int = 0,
    weather: Weather | None = None,
    preparation: float = 1.0,
    threshold: int | None = None,
    **config: Any,
) -> Explorer:
    """A network: sites v0… are validators, c0… are collators, by parachain, and f0… only follow."""
    ids = range(PARA_ID, PARA_ID + parachains) if para_code is not None else ()
    paras = {one: loaded(para_spec(collators=collators, code=para_code or b"", para_id=one)) for one in ids}
    data = {one: spec.data for one, spec in paras.items()}
    relay = loaded(relay_spec(validators=validators, code=code, paras=data, **config))
    explorer = Explorer(seed, weather=weather)

    def site(authority: int | None, aura: int | None, para: Spec | None) -> Callable[[], Any]:
        def make() -> tuple[RelayNode, ParaNode | None]:
            node = chainspec.relay_node(
                relay, authority=authority, preparation=preparation, grandpa_threshold=threshold
            )
            beside = chainspec.para_node(para, node, authority=aura) if para is not None else None
            return node, beside

        return make

    for index in range(validators):
        explorer.add(f"v{index}", site(index, None, None))
    for offset, para in enumerate(paras.values()):
        for index in range(collators):
            explorer.add(f"c{offset * collators + index}", site(None, index, para))
    for index in range(followers):
        explorer.add(f"f{index}", site(None, None, paras.get(PARA_ID)))
    return explorer
