"""Tries TCP connections from inside a pod's network namespace. Called by the agent's probe endpoint.

The probing thread enters the namespace itself (setns), so a hundred probes start no processes.
"""

import ctypes
import errno
import os
import selectors
import socket
import threading
import time
from pathlib import Path

from chaos.agent.faults import FaultError, Gone
from chaos.wire import Probe, ProbeOutcome

_CLONE_NEWNET = 0x40000000
_LIBC = ctypes.CDLL(None, use_errno=True)


def connect(namespace: Path, endpoints: tuple[tuple[str, int], ...], *, timeout: float) -> tuple[Probe, ...]:
    """Tries all endpoints at once.

    Raises:
        FaultError: the namespace cannot be entered.
    """
    result: list[tuple[Probe, ...] | FaultError] = []

    def work() -> None:
        try:
            _enter(namespace)
            result.append(_connect_all(endpoints, timeout))
        except FaultError as error:
            result.append(error)

    # A separate thread that ends afterwards, because it cannot return to the namespace that it left.
    thread = threading.Thread(target=work, name="probe")
    thread.start()
    thread.join()
    (answer,) = result
    if isinstance(answer, FaultError):
        raise answer
    return answer


def _enter(namespace: Path) -> None:
    try:
        descriptor = os.open(namespace, os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, ProcessLookupError) as error:
        raise Gone(f"{namespace} is gone") from error
    try:
        if _LIBC.setns(descriptor, _CLONE_NEWNET) != 0:
            raise FaultError(f"cannot enter {namespace}: {os.strerror(ctypes.get_errno())}")
    finally:
        os.close(descriptor)


def _connect_all(endpoints: tuple[tuple[str, int], ...], timeout: float) -> tuple[Probe, ...]:
    start = time.monotonic()
    outcomes: dict[int, tuple[ProbeOutcome, float]] = {}
    with selectors.DefaultSelector() as selector:
        sockets = []
        for index, endpoint in enumerate(endpoints):
            sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
            sockets.append(sock)
            code = sock.connect_ex(endpoint)
            if code == errno.EINPROGRESS:
                selector.register(sock, selectors.EVENT_WRITE, index)
            else:
                outcomes[index] = _outcome(code), time.monotonic() - start
        while selector.get_map() and (left := start + timeout - time.monotonic()) > 0:
            for key, _ in selector.select(left):
                selector.unregister(key.fileobj)
                code = sockets[key.data].getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                outcomes[key.data] = _outcome(code), time.monotonic() - start
        for sock in sockets:
            sock.close()
    missing: tuple[ProbeOutcome, float] = ("timeout", timeout)
    return tuple(_probe(endpoint, *outcomes.get(index, missing)) for index, endpoint in enumerate(endpoints))


def _probe(endpoint: tuple[str, int], outcome: ProbeOutcome, seconds: float) -> Probe:
    return Probe(ip=endpoint[0], port=endpoint[1], outcome=outcome, milliseconds=round(seconds * 1000, 1))


def _outcome(code: int) -> ProbeOutcome:
    if code == 0:
        return "connected"
    if code == errno.ECONNREFUSED:
        return "refused"
    return "timeout" if code == errno.ETIMEDOUT else "unreachable"
