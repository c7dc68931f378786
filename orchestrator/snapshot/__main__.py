"""`python3 -m orchestrator.snapshot`: serves a volume as an archive, in a pod that `provision.snapshots` creates.

`/archive` is packed while it is sent, so it needs no disk. Afterwards `/summary` has its checksum: if the received
archive has another one, it is incomplete.
"""

import argparse
import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, BinaryIO

from orchestrator.snapshot import archive


class _Counted:
    """Passes on what is written, and computes its checksum and length."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self.sum = hashlib.sha256()
        self.length = 0

    def write(self, data: bytes) -> int:
        self.sum.update(data)
        self.length += len(data)
        return self._out.write(data)

    def flush(self) -> None:
        self._out.flush()


class Volume:
    """The volume that is served, and the summary of its last archive."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._summary: dict[str, Any] = {"error": "no archive was made yet"}

    def archive(self, out: BinaryIO) -> None:
        """Sends the volume. `summary` is valid when this returns."""
        self._summary = {"error": "the archive is not whole"}
        counted = _Counted(out)
        try:
            contents = archive.pack(self._data, counted)  # type: ignore[arg-type]  # All that packing needs of a file.
        except OSError as error:
            self._summary = {"error": f"{type(error).__name__}: {error}"}
            raise
        self._summary = {**asdict(contents), "sha256": counted.sum.hexdigest(), "length": counted.length}

    def summary(self, out: BinaryIO) -> None:
        out.write(json.dumps(self._summary).encode())


def server(data: Path, port: int) -> ThreadingHTTPServer:
    """A server for the volume. It answers `/archive`, `/summary` and `/healthz`."""
    volume = Volume(data)
    answers: dict[str, Callable[[BinaryIO], object]] = {
        "/archive": volume.archive,
        "/summary": volume.summary,
        "/healthz": lambda out: out.write(b"ok"),
    }

    class Handler(BaseHTTPRequestHandler):
        """HTTP/1.0: an answer ends with its connection, because the archive's length is not known in advance."""

        def do_GET(self) -> None:
            answer = answers.get(self.path)
            if answer is None:
                self.send_error(404)
                return
            self.send_response(200)
            self.end_headers()
            answer(self.wfile)  # type: ignore[arg-type]

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Logs nothing, because probes would fill the log."""

    return ThreadingHTTPServer(("", port), Handler)


def main() -> None:
    parser = argparse.ArgumentParser(prog="orchestrator.snapshot", description="Hand a volume out as an archive.")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    server(arguments.data, arguments.port).serve_forever()


if __name__ == "__main__":
    main()
