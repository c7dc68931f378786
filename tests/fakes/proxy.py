"""A proxy in front of a real server that does to answers what networks and overloaded servers do."""

import http.server
import json
import threading
import time

import requests

FAULTS = ("none", "refuse", "unavailable", "delay", "cut", "cut-json", "html", "empty", "warn", "partial", "reset")
"""What may be done to an answer; `warn` and `partial` say that something is missing, the others are no answer."""


class FaultyProxy:
    """Forwards GET and POST. `faults` are taken one for each request, the last one for good; `asked` counts them."""

    def __init__(self, url, *, delay=0.5):
        self.faults = ["none"]
        self.asked = 0
        self.delay = delay
        proxy = self
        self._lock = threading.Lock()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                proxy.serve(self, requests.get(url + self.path, timeout=10))

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                kind = {"content-type": self.headers.get("content-type", "")}
                proxy.serve(self, requests.post(url + self.path, data=body, headers=kind, timeout=10))

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # A client that gave up is what the test wants.
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def serve(self, handler, answer):
        with self._lock:
            self.asked += 1
            fault = self.faults.pop(0) if len(self.faults) > 1 else self.faults[0]
        status, body = answer.status_code, answer.content
        if fault == "refuse":
            status, body = 500, b"out of memory"
        elif fault == "unavailable":
            status, body = 503, b"try again later"
        elif fault == "delay":
            time.sleep(self.delay)
        elif fault == "cut-json":
            body = body[: len(body) // 2]
        elif fault == "html":
            body = b"<html>a login page</html>"
        elif fault == "empty":
            body = b""
        elif fault in {"warn", "partial"}:
            said = {"warnings": ["a store is away"]} if fault == "warn" else {"isPartial": True}
            body = json.dumps({**json.loads(body), **said}).encode()
        elif fault == "reset":
            handler.connection.close()
            return
        handler.send_response(status)
        handler.send_header("content-type", "application/json")
        handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[: len(body) // 2] if fault == "cut" else body)
        if fault == "cut":
            handler.connection.close()
