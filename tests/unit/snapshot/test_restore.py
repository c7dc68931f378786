"""From an address to a volume: a server of the test's own, on loopback, that breaks off and says no as it is told."""

import contextlib
import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

from orchestrator.errors import SnapshotError
from orchestrator.snapshot import archive
from orchestrator.snapshot import restore as restoring
from orchestrator.snapshot.fetch import Broken, fetch, shown
from orchestrator.snapshot.restore import restore

IMPATIENT = Retrying(retry=retry_if_exception_type(Broken), stop=stop_after_attempt(4), reraise=True)


class Server:
    """Serves `content`; `plan` has an answer for each request: a status, bytes after which to break off, or None."""

    def __init__(self, content):
        self.content, self.plan, self.ranges = content, [], []

    @contextlib.contextmanager
    def running(self):
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.answer(self)

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/db.tar.zst"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def answer(self, handler):
        asked = handler.headers.get("range")
        self.ranges.append(asked)
        step = self.plan.pop(0) if self.plan else None
        if isinstance(step, tuple):
            handler.send_error(step[0])
            return
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        if start >= len(self.content):
            handler.send_error(416)
            return
        handler.send_response(206 if asked else 200)
        if asked:
            handler.send_header("content-range", f"bytes {start}-{len(self.content) - 1}/{len(self.content)}")
        handler.send_header("content-length", str(len(self.content) - start))
        handler.end_headers()
        handler.wfile.write(self.content[start : step if step is None else start + step])


@pytest.fixture
def database(tmp_path):
    file = tmp_path / "source" / "chains" / "x" / "db" / "journal.jsonl"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"".join(hashlib.sha256(bytes([i])).digest() for i in range(256)) * 40)
    with (tmp_path / "db.tar.zst").open("wb") as out:
        archive.pack(tmp_path / "source", out)
    return (tmp_path / "db.tar.zst").read_bytes()


@pytest.fixture
def volume(tmp_path):
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(restoring, "fetch", lambda *args, **more: fetch(*args, **more, retry=IMPATIENT))


def sum_of(content):
    return hashlib.sha256(content).hexdigest()


def listed(folder):
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


DONE = [".coalmine/snapshot", "chains/x/db/journal.jsonl"]


def test_an_empty_volume_is_filled_once_and_a_restart_fetches_nothing(database, volume):
    server, said = Server(database), []
    with server.running() as url:
        for _ in range(3):
            restore(volume, url, sum_of(database), said.append)
    assert listed(volume) == DONE
    assert server.ranges == [None]
    assert said[-1] == "the volume was filled from this snapshot before"


def test_a_download_that_breaks_off_is_gone_on_with(database, volume):
    server = Server(database)
    server.plan = [1000, (503,), 500, None]
    with server.running() as url:
        restore(volume, url, sum_of(database), lambda _: None)
    assert server.ranges == [None, "bytes=1000-", "bytes=1000-", "bytes=1500-"]
    assert listed(volume) == DONE


def test_retries_have_an_end_and_the_next_start_of_the_pod_goes_on(database, volume):
    server = Server(database)
    server.plan = [100, (500,), (500,), (500,)]
    with server.running() as url:
        with pytest.raises(SnapshotError, match="the server says 500"):
            restore(volume, url, sum_of(database), lambda _: None)
        assert not (volume / "chains").exists()
        restore(volume, url, sum_of(database), lambda _: None)
    assert server.ranges[-1] == "bytes=100-"
    assert listed(volume) == DONE


def test_a_wrong_sum_puts_nothing_in_place_and_leaves_nothing_to_go_on_with(database, volume):
    server = Server(database[:-1] + b"?")
    with server.running() as url:
        with pytest.raises(SnapshotError, match=r"sha256 is .* nothing of it was used"):
            restore(volume, url, sum_of(database), lambda _: None)
        assert listed(volume) == []
        server.content = database
        restore(volume, url, sum_of(database), lambda _: None)
    assert listed(volume) == DONE


def test_what_the_server_refuses_is_not_asked_for_again(volume):
    server = Server(b"")
    server.plan = [(404,), (403,)]
    with server.running() as url, pytest.raises(SnapshotError, match="the server says 404"):
        restore(volume, url, "0" * 64, lambda _: None)
    assert len(server.ranges) == 1


@pytest.mark.parametrize("there", ["chains/other/db/x", "anything"])
def test_a_database_that_is_there_is_never_touched(database, volume, there):
    (volume / there).parent.mkdir(parents=True, exist_ok=True)
    (volume / there).write_bytes(b"mine")
    (volume / "lost+found").mkdir()
    server = Server(database)
    with server.running() as url, pytest.raises(SnapshotError, match="the volume is not empty"):
        restore(volume, url, sum_of(database), lambda _: None)
    assert listed(volume) == [there]
    assert server.ranges == []


def test_another_snapshot_is_not_put_over_the_first(database, volume):
    server = Server(database)
    with server.running() as url:
        restore(volume, url, sum_of(database), lambda _: None)
        with pytest.raises(SnapshotError, match=r"was filled from the snapshot .* not from 1111"):
            restore(volume, url, "1" * 64, lambda _: None)
    assert listed(volume) == DONE


class Died(BaseException):
    """The pod is killed."""


@pytest.mark.parametrize("survived", range(12))
def test_killed_at_any_step_the_next_start_ends_with_the_whole_database(database, volume, survived, monkeypatch):
    """Every note, every move and every unpacked file is a step before which the pod may die."""
    left = [survived]
    plain = {"rename": Path.rename, "unlink": Path.unlink, "rmdir": Path.rmdir, "write_text": Path.write_text}

    def dying(name):
        def step(self, *args, **more):
            if left[0] == 0:
                raise Died
            left[0] -= 1
            return plain[name](self, *args, **more)

        return step

    with Server(database).running() as url:
        with monkeypatch.context() as patched:
            for name in plain:
                patched.setattr(Path, name, dying(name))
            with contextlib.suppress(Died):
                restore(volume, url, sum_of(database), lambda _: None)
        restore(volume, url, sum_of(database), lambda _: None)
    assert listed(volume) == DONE


def test_an_address_is_shown_without_what_might_be_secret():
    assert shown("https://user:word@host:8443/a/db.tar?token=1#x") == "https://host:8443/a/db.tar"
