"""JSON-RPC to one node, over any transport of bytes. Called by `reader` and by upgraders."""

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
"""Sends a request's body and returns the answer's body. Raises ChainError if the node cannot be reached."""


class Rpc(Protocol):
    """A node's RPC."""

    node: str

    def call(self, method: str, *params: Any) -> Any:
        """The result of a call. Raises ChainError, with the node's own message if there is one."""
        ...


class _Unreachable(ChainError):  # noqa: N818  As errors.Refused.
    """The node did not answer. Asking again may help."""


RETRY = Retrying(
    retry=retry_if_exception_type(_Unreachable),
    wait=wait_exponential(multiplier=0.1, max=1.0) + wait_random(0.0, 0.1),
    stop=stop_after_attempt(3),
    reraise=True,
)
"""Retries for reads from within the cluster. Transactions are not sent twice."""


class Refusal(ChainError):  # noqa: N818  As errors.Refused.
    """The node answered with an error. `code` is JSON-RPC's code (1010: an invalid transaction)."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code

    @property
    def already_waits(self) -> bool:
        """Whether the pool already has this transaction, or another with its account and nonce.

        The codes are in `client/rpc-api/src/author/error.rs` of polkadot-sdk.
        """
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
            raise ChainError(f"{self.node}: {method}: the answer is not JSON: {raw[:80]!r}") from error
        if not isinstance(answer, dict) or ("result" not in answer and "error" not in answer):
            raise ChainError(f"{self.node}: {method}: the answer is not JSON-RPC: {raw[:80]!r}")
        if said := answer.get("error"):
            data = f" ({said['data']})" if said.get("data") else ""
            raise Refusal(f"{self.node}: {method}: {said.get('message')}{data}", int(said.get("code", 0)))
        return answer["result"]


@functools.cache
def _client() -> httpx.Client:
    """One client for all nodes. Creating one loads certificates, which plain HTTP between pods does not need."""
    client = httpx.Client(verify=False, trust_env=False)  # noqa: S501  Node RPC within a cluster is plain HTTP.
    atexit.register(client.close)
    return client


_BYTES_A_SECOND = 500_000
"""The speed, in bytes per second, at which a busy node receives, hashes and validates a large request such as code."""


def http(url: str, *, node: str, timeout: float = 3.0) -> JsonRpc:
    """RPC over plain HTTP, for example from one pod to another. A failed connection is tried again a moment later.

    `timeout`, in seconds, is for a small request. A request with 5 MiB of code, 10 MB in hex, gets 20 seconds more.
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
