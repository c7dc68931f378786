"""Connects one chain's pure core with its sockets, its clock and its disk."""

import asyncio
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from orchestrator.genesis.keys import ed25519_public, peer_id
from simnode import VERSION, http
from simnode.arguments import Address, Side
from simnode.chainspec import Spec
from simnode.core.chain import ChainNode, PeerInfo
from simnode.core.messages import Message, encode
from simnode.core.outbox import Log, Persist, Send
from simnode.database import Database
from simnode.log import say
from simnode.metrics import Metrics
from simnode.rpc import Rpc
from simnode.transport import Handlers, Identity, Network

_IDLE_EVERY = 5.0


class Shell:
    """Drives one `ChainNode`. `prefix` marks its log lines if two nodes share a process, as in a real collator."""

    def __init__(self, node: Any, spec: Spec, side: Side, *, keys: frozenset[str], prefix: str = "") -> None:
        self.node: ChainNode = node
        self.spec = spec
        self._side = side
        self._prefix = prefix
        self._started = time.time()
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._servers: list[asyncio.Server] = []
        self.ended: dict[tuple[str, str], int] = {}
        self.after: Callable[[], None] = lambda: None
        """Called after every step. With it, the parachain's side of a process follows the relay side."""
        directory = side.base_path / "chains" / spec.id
        self._database = Database(directory / "db")
        role = "Authority" if self.node.authority is not None else "Full"
        # A process has separate networks for relay chain and parachain. Only relay peers need to know the validators.
        authority = self.node.authority if spec.para_id is None else None
        identity = Identity(
            peer=_peer_id(side.node_key_file or directory / "network" / "secret_ed25519"),
            genesis=spec.genesis_hash,
            instance=secrets.token_hex(8),
            info=PeerInfo(role, authority),
            address=side.public or Address("127.0.0.1", side.port),
        )
        handlers = Handlers(self._connected, self._disconnected, self._received, self.log, self._task_ended)
        self.network = Network(identity, side.bootnodes, handlers)
        self.rpc = Rpc(self.node, self.network, spec, keys=keys, changed=self.step)
        self.metrics = Metrics(
            self.node, self.network, chain=spec.id, name=side.name, started=self._started, ended=self.ended
        )

    def log(self, line: str) -> None:
        say(self._prefix + line)

    def restore(self) -> None:
        """Replays the database."""
        self.node.stopwatch = time.perf_counter
        for record in self._database.read():
            self.node.restore(record)
        self.node.start(time.time())

    async def start(self) -> None:
        self.log(f"🏷  Local node identity is: {self.network.identity.peer}")
        self.log(
            f"📦 {self.spec.name} ({self.spec.id}), genesis {self.spec.genesis_hash}, "
            f"highest known block at #{self.node.best_number}"
        )
        await self.network.start(self._side.port)
        self._servers = [
            await http.serve(self._side.rpc_port, self.rpc.handle),
            await http.serve(self._side.prometheus_port, self._scrape),
        ]
        self._idle()
        self.step()

    async def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        for server in self._servers:
            server.close()
        await self.network.stop()
        self._database.flush()
        self._database.close()

    def step(self) -> None:
        """Does what the core asks for, and sets the timer for its next wakeup."""
        self.perform()
        self.after()
        self.perform()
        due = self.node.wakeup()
        if self._timer is not None:
            if abs(self._due - due) < 0.001:
                return
            self._timer.cancel()
        self._due = due
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(max(0.0, due - time.time()), self._wake)

    def _wake(self) -> None:
        self._timer = None
        self.node.tick(time.time())
        self.step()

    def perform(self) -> None:
        """Carries out the effects, in their order."""
        frames: dict[int, bytes] = {}
        effects = self.node.out.drain()
        unflushed = False
        for effect in effects:
            match effect:
                case Persist():
                    self._database.append(effect.record)
                    unflushed = True
                case Send():
                    if unflushed:
                        self._database.flush()
                        unflushed = False
                    # A broadcast is the same object for every peer, so it is encoded once.
                    key = id(effect.message)
                    if key not in frames:
                        frames[key] = encode(effect.message)
                    self.network.send(effect.peer, frames[key])
                case Log():
                    self.log(effect.line)
        if unflushed:
            self._database.flush()

    def _connected(self, peer: str, info: PeerInfo) -> None:
        self.node.connected(peer, info, time.time())
        self.step()

    def _disconnected(self, peer: str) -> None:
        self.node.disconnected(peer, time.time())
        self.step()

    def _received(self, peer: str, message: Message) -> None:
        self.node.receive(peer, message, time.time())
        self.step()

    def _task_ended(self, name: str, reason: str) -> None:
        self.ended[name, reason] = self.ended.get((name, reason), 0) + 1

    def _scrape(self, request: http.Request) -> http.Response:
        if request.path != "/metrics":
            return http.Response(404, b"Not found.", "text/plain")
        return http.Response(200, self.metrics.render(), "text/plain; version=0.0.4")

    def _idle(self) -> None:
        self.log(self.node.idle_line(len(self.node.peers)))
        asyncio.get_running_loop().call_later(_IDLE_EVERY, self._idle)


def _peer_id(file: Path) -> str:
    """The peer id of the network key in a file, which is made up and kept when there is none."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(secrets.token_hex(32))
    return peer_id(ed25519_public(bytes.fromhex(file.read_text().strip())))


def banner(name: str) -> str:
    """The first line of every log."""
    return f"simnode {VERSION}: a SIMULATED client; consensus, state transition and network are models. Node: {name}"
