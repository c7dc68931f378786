"""A real Prometheus on a loopback port, with backfilled samples and one small node to scrape."""

import collections
import http.server
import shutil
import socket
import subprocess
import threading
import time

import pytest
import requests
import yaml

from orchestrator.render.manifest import from_template

OWN_JOBS = {"controller", "coalmine-agent"}
THEN = 1_700_000_000
HEIGHTS = "\n".join(
    f'height{{node="validator-{n}"}} {10 + i + n} {THEN + i}' for n in range(2) for i in range(60) if not 20 <= i < 30
)
SAMPLES = f"""\
# TYPE height gauge
{HEIGHTS}
# TYPE odd gauge
odd NaN {THEN}
odd +Inf {THEN + 1}
odd -Inf {THEN + 2}
odd 4.5 {THEN + 3}
# EOF
"""


class Node(http.server.BaseHTTPRequestHandler):
    """Serves a metric like a Substrate node does, with its own label `chain`."""

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'substrate_block_height{status="best",chain="canary_local"} 7\n')

    def log_message(self, *_):
        pass


@pytest.fixture(scope="session")
def prometheus_url(tmp_path_factory):
    """The URL of Prometheus. It is started once, because that takes a second."""
    for program in ("prometheus", "promtool"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    folder = tmp_path_factory.mktemp("prometheus")
    (folder / "samples.txt").write_text(SAMPLES)
    backfill = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "samples.txt", "data"]
    subprocess.run(backfill, cwd=folder, check=True, capture_output=True)
    node = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Node)
    # It serves for the whole session. An error of a late scrape could otherwise fail any test that runs then.
    node.handle_error = lambda *_: None
    threading.Thread(target=node.serve_forever, args=(0.02,), daemon=True).start()
    (folder / "prometheus.yml").write_text(_config(node.server_port))
    port = _free_port()
    command = [
        "prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data", "--storage.tsdb.retention.time=100y",
        f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn",
        "--query.lookback-delta=2500ms",
    ]  # fmt: skip
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(f"{url}/-/ready", folder / "log")
        yield url
    finally:
        process.kill()
        process.wait()
        node.shutdown()
        node.server_close()


def _config(port):
    """A configuration with one fixed target and the relabelling of metrics from a rendered network."""
    words = {"labels": {}, "network": "n", "interval": "1s", "lookback": "2500ms", "storage": "1Gi", "config_hash": ""}
    words["agents"] = "a"
    words["images"] = {"prometheus": "p"}
    manifests = from_template("prometheus.yaml.j2", "n", jobs=[collections.defaultdict(str)], **words)
    (text,) = [m.document["data"]["prometheus.yml"] for m in manifests if m.document["kind"] == "ConfigMap"]
    (job,) = [job for job in yaml.safe_load(text)["scrape_configs"] if job["job_name"] not in OWN_JOBS]
    target = {"targets": [f"127.0.0.1:{port}"], "labels": {"node": "validator-0", "chain": "relay"}}
    static = {
        "job_name": "nodes",
        "scrape_interval": "200ms",
        "scrape_timeout": "200ms",
        "static_configs": [target],
        "metric_relabel_configs": job["metric_relabel_configs"],
    }
    return yaml.safe_dump({"scrape_configs": [static]})


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait(url, log):
    for _ in range(150):
        try:
            if requests.get(url, timeout=1).ok:
                return
        except requests.ConnectionError:
            pass
        time.sleep(0.1)
    pytest.fail(f"Prometheus did not start: {log.read_text()[-500:]}")
