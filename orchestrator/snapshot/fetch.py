"""Downloads an archive as a stream, resumes a broken download, and checks the checksum. Called by `restore`."""

import errno
import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential, wait_random

from orchestrator.errors import SnapshotError

_TIMEOUT = httpx.Timeout(60.0, connect=10.0)
_TEMPORARY = frozenset({408, 416, 425, 429, 500, 502, 503, 504})
_SAY_EVERY = 10.0


class Broken(SnapshotError):  # noqa: N818  As errors.Refused.
    """The download broke or did not begin. Resuming it may help."""


RETRY = Retrying(
    retry=retry_if_exception_type(Broken),
    wait=wait_exponential(multiplier=1.0, max=30.0) + wait_random(0.0, 1.0),
    stop=stop_after_attempt(8),
    reraise=True,
)
"""About a minute and a half in total, without the time of downloading. After that the pod is restarted."""


def fetch(url: str, target: Path, *, sha256: str, say: Callable[[str], None], retry: Retrying = RETRY) -> None:
    """Downloads the archive to `target`. Resumes if a part of it is already there.

    Raises:
        SnapshotError: it cannot be downloaded, its checksum is wrong, or there is no room. An archive with a wrong
            checksum is deleted.
    """
    say(f"fetching {shown(url)}")
    try:
        retry(_go_on, url, target, say)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        hint = "archive and database need room at the same time: raise `resources.storage`"
        raise SnapshotError(f"no room on the volume for {shown(url)}", hint=hint) from error
    found = _sum(target)
    if found != sha256:
        target.unlink()
        raise SnapshotError(f"{shown(url)}: sha256 is {found}, should be {sha256}; nothing of it was used")


def shown(url: str) -> str:
    """A URL without its possibly secret parts: user, password and query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}{parts.path}"


def _go_on(url: str, target: Path, say: Callable[[str], None]) -> None:
    have = target.stat().st_size if target.exists() else 0
    # Without HTTP compression, because the checksum is of the archive's own bytes.
    headers = {"accept-encoding": "identity"} | ({"range": f"bytes={have}-"} if have else {})
    try:
        with httpx.stream("GET", url, headers=headers, timeout=_TIMEOUT, follow_redirects=True) as answer:
            _check(answer, url, target)
            if answer.headers.get("content-range", "").partition("-")[0] != f"bytes {have}":
                have = 0  # The server sends it from the beginning.
            _take(answer, target, have, say)
    except httpx.HTTPError as error:
        raise Broken(f"{shown(url)}: {type(error).__name__}: {error}") from error


def _check(answer: httpx.Response, url: str, target: Path) -> None:
    if answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
        target.unlink(missing_ok=True)  # We have more than the server: it was another archive.
    if answer.status_code in _TEMPORARY:
        raise Broken(f"{shown(url)}: the server says {answer.status_code}")
    if not answer.is_success:
        raise SnapshotError(f"{shown(url)}: the server says {answer.status_code}")


def _take(answer: httpx.Response, target: Path, have: int, say: Callable[[str], None]) -> None:
    whole = have + int(answer.headers.get("content-length") or 0)
    told = time.monotonic()
    with target.open("r+b" if have else "wb") as file:
        file.seek(have)
        for piece in (
            answer.iter_raw()
        ):  # In pieces as they arrive: a partial piece of a fixed size would be lost with the connection.
            file.write(piece)
            have += len(piece)
            if time.monotonic() - told > _SAY_EVERY:
                told = time.monotonic()
                say(f"fetched {have >> 20} of {whole >> 20 or 'so many'} MiB")


def _sum(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
