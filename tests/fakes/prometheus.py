"""The real Prometheus as a process of a test: started, stopped and started again on the same data and port."""

import contextlib
import shutil
import socket
import subprocess
import time

import pytest
import requests
import yaml


class RealPrometheus:
    """Scrapes `targets` (URL host:port to labels) every `interval`; `history` is filled in before it starts."""

    def __init__(self, folder, *, targets=None, interval="200ms", lookback="500ms", history=None):
        for program in ("prometheus", "promtool"):
            if shutil.which(program) is None:
                pytest.skip(f"{program} is not installed")
        self._folder = folder
        self._lookback = lookback
        self._process = None
        statics = [{"targets": [address], "labels": labels} for address, labels in (targets or {}).items()]
        job = {
            "job_name": "nodes", "scrape_interval": interval, "scrape_timeout": interval, "static_configs": statics,
            "honor_labels": True,
        }  # fmt: skip
        (folder / "prometheus.yml").write_text(yaml.safe_dump({"scrape_configs": [job] if statics else []}))
        if history is not None:
            (folder / "samples.txt").write_text(history)
            fill = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "samples.txt", "data"]
            subprocess.run(fill, cwd=folder, check=True, capture_output=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        command = [
            "prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data",
            "--storage.tsdb.retention.time=100y", f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=warn",
            f"--query.lookback-delta={self._lookback}",
        ]  # fmt: skip
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, cwd=self._folder, stdout=log, stderr=log)
        for _ in range(300):
            with contextlib.suppress(requests.ConnectionError, requests.Timeout):
                if requests.get(f"{self.url}/-/ready", timeout=1).ok:
                    return
            time.sleep(0.05)
        pytest.fail(f"Prometheus did not start: {(self._folder / 'log').read_text()[-500:]}")

    def stop(self):
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
