"""JSON-RPC on a real socket: answers, refusals, silence, and what is tried again."""

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from orchestrator.chain import rpc
from orchestrator.chain.rpc import Refusal
from orchestrator.errors import ChainError


@pytest.fixture
def node():
    """A server that answers with whatever `node.answer` makes of the request."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            request = json.loads(self.rfile.read(int(self.headers["content-length"])))
            body = self.server.answer(request)
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    server.url = f"http://127.0.0.1:{server.server_port}"
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def result(value):
    return lambda request: json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": value}).encode()


def test_the_result_is_returned_and_method_and_parameters_arrive(node):
    seen = []
    node.answer = lambda request: seen.append(request) or result([1, {"a": None}])(request)
    assert rpc.http(node.url, node="n").call("some_method", "0x01", 2) == [1, {"a": None}]
    assert (seen[0]["method"], seen[0]["params"], seen[0]["jsonrpc"]) == ("some_method", ["0x01", 2], "2.0")


def test_a_result_of_null_is_a_result(node):
    node.answer = result(None)
    assert rpc.http(node.url, node="n").call("m") is None


def test_a_refusal_carries_code_words_and_node(node):
    error = {"code": 1010, "message": "Invalid Transaction", "data": "bad proof"}
    node.answer = lambda request: json.dumps({"id": request["id"], "error": error}).encode()
    with pytest.raises(Refusal, match=r"validator-0: m: Invalid Transaction \(bad proof\)") as caught:
        rpc.http(node.url, node="validator-0").call("m")
    assert caught.value.code == 1010


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"7", b'{"id": 1}'])
def test_an_answer_that_is_none_names_node_and_method(node, body):
    node.answer = lambda _: body
    with pytest.raises(ChainError, match="n: m: the answer is not JSON"):
        rpc.http(node.url, node="n").call("m")


def test_a_node_that_does_not_listen_is_tried_again_and_then_named():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    with pytest.raises(ChainError, match="n: cannot be reached"):
        rpc.http(f"http://127.0.0.1:{port}", node="n").call("m")


def test_a_node_that_hangs_costs_its_time_limit_once(node):
    release, asked = threading.Event(), []
    node.answer = lambda request: (asked.append(1), release.wait(10), result(1)(request))[2]
    with pytest.raises(ChainError, match="n: does not answer"):
        rpc.http(node.url, node="n", timeout=0.2).call("m")
    release.set()
    assert len(asked) == 1
