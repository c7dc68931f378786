"""The part of HTTP/1.1 that RPC, probes and Prometheus use. A web framework would triple a node's memory."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

_LIMIT = 15 << 20
"""`--rpc-max-request-size`, 15 MiB."""


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    body: bytes
    local: bool
    """Whether it came over loopback, as unsafe calls require."""


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    body: bytes
    kind: str = "application/json"


Handler = Callable[[Request], Response]
_REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed", 413: "Too Large", 500: "Error"}


async def serve(port: int, handler: Handler) -> asyncio.Server:
    """Starts a server on all addresses."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            while await _one(reader, writer, handler):
                pass
        with suppress(OSError):
            writer.close()

    return await asyncio.start_server(answer, "0.0.0.0", port, limit=1 << 16)  # noqa: S104


async def _one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, handler: Handler) -> bool:
    """Answers one request. Returns whether the connection stays open for another."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, path, protocol = [*head[0].split(" "), "", ""][:3]
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
    length = headers.get("content-length", "0")
    if not length.isdigit() or int(length) > _LIMIT:
        _write(writer, Response(413, b"{}"), keep=False)
        return False
    body = await reader.readexactly(int(length))
    peer = writer.get_extra_info("peername")
    local = bool(peer) and (str(peer[0]).startswith("127.") or peer[0] == "::1")
    keep = headers.get("connection", "").lower() != "close" and protocol != "HTTP/1.0"
    _write(writer, handler(Request(method, path.partition("?")[0], body, local)), keep=keep)
    await writer.drain()
    return keep


def _write(writer: asyncio.StreamWriter, response: Response, *, keep: bool) -> None:
    head = (
        f"HTTP/1.1 {response.status} {_REASONS.get(response.status, '')}\r\n"
        f"content-type: {response.kind}\r\ncontent-length: {len(response.body)}\r\n"
        f"connection: {'keep-alive' if keep else 'close'}\r\n\r\n"
    )
    writer.write(head.encode() + response.body)
