"""Waits at the start barrier, where all nodes wait for each other. The controller serves it (`chaos.barrier`)."""

from collections.abc import Callable

import httpx
from tenacity import Retrying, retry_if_exception_type, wait_fixed


def wait_at_barrier(url: str, *, pod: str, parties: int, say: Callable[[str], None]) -> None:
    """Waits until all nodes have arrived. The barrier answers with long polls, so this costs one request per 25 s."""

    def ask() -> None:
        answer = httpx.get(url, params={"pod": pod, "parties": parties}, timeout=40.0)
        if answer.status_code != httpx.codes.OK:
            raise httpx.TransportError(f"the barrier says {answer.status_code}")

    say(f"waiting at the start barrier for {parties} nodes")
    for attempt in Retrying(retry=retry_if_exception_type(httpx.TransportError), wait=wait_fixed(0.3)):
        with attempt:
            ask()
    say("released")
