"""JSON-RPC to one node, over whatever carries bytes there and back. Called by `reader` and by upgraders."""

import atexit
import functools
import itertools
import json
from collections.abc import Callable
from typing import Any, Protocol

import httpx
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential, wait_random

from orchestrator.errors import ChainError

Send = Callable[[bytes], bytes]
"""A request's body to its answer's. Raises ChainError when the node cannot be reached."""


class Rpc(Protocol):
    """A node's RPC."""

    node: str

    def call(self, method: str, *params: Any) -> Any:
        """The result; raises ChainError, with the node's own words where it says some."""
        ...


class _Unreachable(ChainError):  # noqa: N818  As errors.Refused.
    """No answer: asking again may help."""


RETRY = Retrying(
    retry=retry_if_exception_type(_Unreachable),
    wait=wait_exponential(multiplier=0.1, max=1.0) + wait_random(0.0, 0.1),
    stop=stop_after_attempt(3),
    reraise=True,
)
"""For reads from within the cluster. Transactions are not sent twice."""


class Refusal(ChainError):  # noqa: N818  As errors.Refused.
    """The node answered and said no; `code` is JSON-RPC's (1010: an invalid transaction)."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code

    @property
    def already_waits(self) -> bool:
        """The pool has this transaction, or another of its account and nonce (`client/rpc-api/src/author/error.rs`)."""
        return self.code in {1013, 1014}


class JsonRpc:
    """Requests of JSON-RPC 2.0."""

    def __init__(self, send: Send, *, node: str) -> None:
        self._send = send
        self._ids = itertools.count(1)
        self.node = node

    def call(self, method: str, *params: Any) -> Any:
        body = json.dumps({"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": list(params)})
        raw = self._send(body.encode())
        try:
            answer = json.loads(raw)
        except ValueError as error:
            raise ChainError(f"{self.node}: {method}: the answer is no JSON: {raw[:80]!r}") from error
        if not isinstance(answer, dict) or ("result" not in answer and "error" not in answer):
            raise ChainError(f"{self.node}: {method}: the answer is no JSON-RPC: {raw[:80]!r}")
        if said := answer.get("error"):
            data = f" ({said['data']})" if said.get("data") else ""
            raise Refusal(f"{self.node}: {method}: {said.get('message')}{data}", int(said.get("code", 0)))
        return answer["result"]


@functools.cache
def _client() -> httpx.Client:
    """One for all nodes: making a client loads certificates, which plain HTTP between pods has no use for."""
    client = httpx.Client(verify=False, trust_env=False)  # noqa: S501  Node RPC within a cluster is plain HTTP.
    atexit.register(client.close)
    return client


_BYTES_A_SECOND = 500_000
"""What a busy node takes in and judges of a large request, which is code: hashed, and validated by the runtime."""


def http(url: str, *, node: str, timeout: float = 3.0) -> JsonRpc:
    """RPC over plain HTTP, as from one pod to another. Connections that fail are tried again a moment later.

    `timeout` in seconds is for a small request; one of 5 MiB of code, 10 MB in hex, has twenty seconds more.
    """

    def post(body: bytes) -> bytes:
        limit = timeout + len(body) / _BYTES_A_SECOND
        try:
            answer = _client().post(url, content=body, headers={"content-type": "application/json"}, timeout=limit)
        except httpx.ConnectError as error:
            raise _Unreachable(f"{node}: cannot be reached: {error}") from error
        except httpx.HTTPError as error:
            raise ChainError(f"{node}: does not answer: {error}") from error
        return answer.content

    return JsonRpc(lambda body: RETRY(post, body), node=node)
