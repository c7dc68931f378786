"""Peers over TCP: frames of a four-byte length and JSON, a handshake, peer exchange, endless redialling.

Addresses are the names that nodes advertise. They are resolved at each dial, so a pod that returns with another IP is
found again. A connection without data for ten seconds is dead; live ones carry a status every second. Peer ids are
claimed, not proven: there is nothing like libp2p's noise handshake, and inside one test network it is not needed.
"""

import asyncio
import json
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from simnode.arguments import Address, address
from simnode.core.chain import PeerInfo
from simnode.core.messages import Message, decode

SILENCE = 10
"""After how many seconds without a byte a connection counts as dead."""
_DIAL_INTERVAL = 1.0
_DIAL_TIMEOUT = 2.0
"""Long enough for the kernel's second SYN, after one second. So a healed path is found again within two seconds."""
_RESOLVE_TIMEOUT = 1.5
_HANDSHAKE = 3
_EXCHANGE_EVERY = 10
_FRAME_LIMIT = 64 << 20
_BUFFER_LIMIT = 16 << 20
_MAX_DIALLED = 50


@dataclass(frozen=True, slots=True)
class Identity:
    """What a node tells about itself in the handshake. `instance` differs each time the process starts."""

    peer: str
    genesis: str
    instance: str
    info: PeerInfo
    address: Address


@dataclass(frozen=True, slots=True)
class Handlers:
    connected: Callable[[str, PeerInfo], None]
    disconnected: Callable[[str], None]
    received: Callable[[str, Message], None]
    log: Callable[[str], None]
    ended: Callable[[str, str], None]
    """Called when a task ends, with its name and the reason, as in `substrate_tasks_ended_total`."""


class Link(asyncio.Protocol):
    """One connection, before and after its handshake."""

    def __init__(self, network: "Network", dialled: Address | None) -> None:
        self._network = network
        self.dialled = dialled
        self.peer: str | None = None
        self.instance = ""
        self.silent = 0
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        sock = transport.get_extra_info("socket")
        with suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, SILENCE * 1000)
        self._network.links.add(self)
        self.control(self._network.hello())

    def data_received(self, data: bytes) -> None:
        self.silent = 0
        self._network.bytes_in += len(data)
        self._buffer += data
        while len(self._buffer) >= 4:
            size = int.from_bytes(self._buffer[:4], "big")
            if size > _FRAME_LIMIT:
                self.close()
                return
            if len(self._buffer) < 4 + size:
                return
            frame = bytes(self._buffer[4 : 4 + size])
            del self._buffer[: 4 + size]
            try:
                self._network.on_frame(self, frame)
            except (ValueError, KeyError, TypeError) as error:
                self._network.handlers.log(f"Protocol error from {self.peer}: {error}")
                self.close()
                return

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  asyncio's signature.
        self._network.lost(self)

    def control(self, message: dict[str, Any]) -> None:
        self.send(json.dumps(message).encode())

    def send(self, frame: bytes) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if transport.get_write_buffer_size() > _BUFFER_LIMIT:
            self.close()  # The peer reads nothing any more. It gets what it missed when it is back.
            return
        self._network.bytes_out += len(frame) + 4
        transport.write(len(frame).to_bytes(4, "big") + frame)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def remote_host(self) -> str:
        assert self._transport is not None
        name = self._transport.get_extra_info("peername")
        return str(name[0]) if name else ""


class Network:
    """All connections of one node on one chain."""

    def __init__(self, identity: Identity, bootnodes: tuple[Address, ...], handlers: Handlers) -> None:
        self.identity = identity
        self.handlers = handlers
        self.links: set[Link] = set()
        self.peers: dict[str, Link] = {}
        self.bytes_in = self.bytes_out = 0
        self._known: dict[str, Address] = {}
        self._unnamed = [boot for boot in bootnodes if boot.peer is None]
        self._dialling: set[str] = set()
        self._resolved: dict[str, str] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        for boot in bootnodes:
            self._learn(boot)

    @property
    def known(self) -> int:
        """How many peers the node has heard of."""
        return len(self._known)

    async def start(self, port: int) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Link(self, None), "0.0.0.0", port, backlog=256)  # noqa: S104
        self._spawn("network-worker", self._keep())

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        for link in list(self.links):
            link.close()
        await asyncio.sleep(0)

    def send(self, peer: str, frame: bytes) -> None:
        link = self.peers.get(peer)
        if link is not None:
            link.send(frame)

    # Handshake and exchange

    def hello(self) -> dict[str, Any]:
        identity = self.identity
        return {
            "hello": {
                "peer": identity.peer,
                "genesis": identity.genesis,
                "instance": identity.instance,
                "role": identity.info.role,
                "authority": identity.info.authority,
                "address": str(identity.address),
            },
            "peers": self._addresses(),
        }

    def on_frame(self, link: Link, frame: bytes) -> None:
        if frame[:1] == b"[":
            if link.peer is not None and self.peers.get(link.peer) is link:
                self.handlers.received(link.peer, decode(frame))
            return
        message = json.loads(frame)
        if "hello" in message:
            self._on_hello(link, message["hello"])
        for text in message.get("peers", ()):
            self._learn(address(text))

    def _on_hello(self, link: Link, hello: dict[str, Any]) -> None:
        peer = str(hello["peer"])
        if hello["genesis"] != self.identity.genesis:
            self.handlers.log(f"Bootnode or peer {peer} is on another chain, genesis {hello['genesis']}")
            link.close()
            return
        expected = link.dialled.peer if link.dialled else None
        if peer == self.identity.peer or (expected is not None and expected != peer):
            link.close()
            return
        link.peer, link.instance = peer, str(hello["instance"])
        advertised = address(hello["address"])
        self._learn(Address(advertised.host or link.remote_host(), advertised.port, peer))
        held = self.peers.get(peer)
        if held is not None and not self._replaces(link, held):
            link.close()
            return
        self.peers[peer] = link
        if held is not None:
            held.close()
            if held.instance == link.instance:
                return
            self.handlers.disconnected(peer)
        self.handlers.connected(peer, PeerInfo(str(hello["role"]), hello["authority"]))

    def _replaces(self, new: Link, held: Link) -> bool:
        """Whether the second connection with a peer replaces the first.

        If both dialled each other, both keep the connection that the lower peer id began. A connection that is silent,
        or belongs to an earlier process of the peer, is replaced.
        """
        if new.instance != held.instance or held.silent > 2 or (new.dialled is None) == (held.dialled is None):
            return True
        assert new.peer is not None
        return (new.dialled is not None) == (self.identity.peer < new.peer)

    def lost(self, link: Link) -> None:
        self.links.discard(link)
        if link.peer is not None and self.peers.get(link.peer) is link:
            del self.peers[link.peer]
            self.handlers.disconnected(link.peer)

    def _addresses(self) -> list[str]:
        return [str(one) for one in self._known.values()]

    def _learn(self, found: Address) -> None:
        if found.peer is not None and found.peer != self.identity.peer:
            self._known.setdefault(found.peer, found)

    # Dialling

    async def _keep(self) -> None:
        """Once a second: drops dead connections, dials missing peers, and sometimes tells peers its known peers."""
        turn = 0
        while True:
            for link in list(self.links):
                link.silent += 1
                # Silence is counted in turns of this loop, not by the clock, so that a process that was stopped does
                # not drop its peers.
                if link.silent > (SILENCE if link.peer is not None else _HANDSHAKE):
                    link.close()
            missing = [one for peer, one in self._known.items() if peer not in self.peers]
            for one in (*missing, *(self._unnamed if not self.peers else ())):
                if str(one) not in self._dialling and len(self.peers) < _MAX_DIALLED:
                    self._dialling.add(str(one))
                    self._spawn("dial", self._dial(one))
            turn += 1
            if turn % _EXCHANGE_EVERY == 0:
                for link in self.peers.values():
                    link.control({"peers": self._addresses()})
            await asyncio.sleep(_DIAL_INTERVAL)

    async def _dial(self, where: Address) -> None:
        loop = asyncio.get_running_loop()
        try:
            with suppress(OSError, asyncio.TimeoutError):
                host = await self._resolve(where)
                async with asyncio.timeout(_DIAL_TIMEOUT):
                    await loop.create_connection(lambda: Link(self, where), host, where.port)
                # Until the handshake is complete, a second dial would only disturb it.
                await asyncio.sleep(_DIAL_INTERVAL)
        finally:
            self._dialling.discard(str(where))

    async def _resolve(self, where: Address) -> str:
        """The current IP of a name, or the last known one if the name service does not answer."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_RESOLVE_TIMEOUT):
                found = await loop.getaddrinfo(where.host, where.port, type=socket.SOCK_STREAM)
            self._resolved[where.host] = str(found[0][4][0])
        except (TimeoutError, OSError):
            if where.host not in self._resolved:
                raise
        return self._resolved[where.host]

    def _spawn(self, name: str, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            failure = task.exception()
            self.handlers.ended(task.get_name(), "finished" if failure is None else "panic")
            if failure is not None:
                self.handlers.log(f"panicked at task {task.get_name()}: {failure!r}")
