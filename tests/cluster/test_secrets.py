"""No secret of a network is to be found anywhere but in its Secrets and in its pods' memory, during and after a run.

Everything that a rehearsal with an upgrade leaves behind is read: what the command line prints, its files, all objects
of the namespace but Secrets, all logs, and the arguments and environments of all processes while it runs.
"""

import base64
import contextlib
import gzip
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from orchestrator.cluster import kinds
from orchestrator.engine.embedded import EmbeddedEngine
from orchestrator.errors import ClusterError
from orchestrator.genesis import keys
from orchestrator.provision import network, vault
from orchestrator.spec.load import load

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-c", "from orchestrator.cli import main; main()", "run"]
NAME = f"secrets-{os.getpid()}"
IMPORTED = "0x" + bytes(range(200, 232)).hex()
REHEARSAL = f"""
apiVersion: coalmine.dev/v1alpha1
kind: Testnet
metadata: {{name: {NAME}}}
spec:
  relaychain:
    slot: 1s
    sessionBlocks: 6
    runtime: {{model: {{specName: canary, specVersion: 1}}}}
    groups:
      - {{name: validator, count: 3}}
      - {{name: imported, count: 1, keys: {{file: keys.txt}}}}
  parachains:
    - id: 2000
      name: nest
      runtime: {{model: {{specName: nest, specVersion: 1}}}}
      groups: [{{name: collator, count: 1}}]
---
apiVersion: coalmine.dev/v1alpha1
kind: Rehearsal
metadata: {{name: {NAME}}}
spec:
  testnet: {NAME}
  stages:
    - name: paused
      experiment: {{pause: {{target: {{authorities: one}}}}, duration: 5s}}
      gates: [{{name: finality, signal: finalized-height, increasesBy: 1}}]
    - name: upgrade
      upgrade: {{chain: relay, code: {{model: {{specName: canary, specVersion: 2}}}}, settleSessions: 0}}
      gates: [{{name: blocks, signal: best-height, window: {{from: upgrade.applied}}, increasesBy: 1}}]
"""


def secrets_of(testnet, seed, token):
    """Every secret of the network by what it is: bytes, or text for those that are text."""
    found = {"seed": seed, "token": token, "imported": bytes.fromhex(IMPORTED[2:])}
    for scheme in keys.SCHEMES:
        found[f"sudo {scheme}"] = keys.sudo(seed, scheme).secret
    types = {**keys.RELAY_KEY_TYPES, **keys.PARA_KEY_TYPES}
    for _, group in testnet.spec.groups():
        for ordinal in range(group.count):
            where = {"group": group.name, "ordinal": ordinal}
            for name, pair in keys.node_keys(seed, **where, types=types).items():
                found[f"{group.node(ordinal)} {name}"] = pair.secret
            for one in (keys.network_key, keys.embedded_network_key, keys.stash):
                found[f"{group.node(ordinal)} {one.__name__}"] = one(seed, **where).secret
    return found


def forms(secret):
    """How a secret may be written: raw, in both cases of hex, and in base64, of itself and of its hex."""
    if isinstance(secret, str):
        return [secret.encode(), base64.b64encode(secret.encode()).rstrip(b"=")]
    text = secret.hex().encode()
    packed = [base64.b64encode(secret), base64.urlsafe_b64encode(secret), base64.b64encode(text)]
    return [secret, text, text.upper(), *(one.rstrip(b"=") for one in packed)]


def leaks(secrets, places):
    """Which secret stands where."""
    wanted = [(name, form) for name, secret in secrets.items() for form in forms(secret)]
    return sorted({(name, place) for place, content in places.items() for name, form in wanted if form in content})


class Processes:
    """Arguments and environments of all processes of this machine, the pods' among them, as long as it watches."""

    def __init__(self):
        self.seen = {}
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._done.set()
        self._thread.join()

    def look(self):
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit():
                for name in ("cmdline", "environ"):
                    with contextlib.suppress(OSError):
                        content = (folder / name).read_bytes()
                        self.seen[f"process {folder.name} {name} {content[:60]!r}"] = content

    def _watch(self):
        while not self._done.wait(0.5):
            self.look()


KINDS = [kind.name for kind in kinds._KINDS.values() if kind.namespaced and kind.name != "Secret"]


def objects(cluster, namespace, of=KINDS):
    """All objects of the namespace but Secrets; what ConfigMaps hold packed is there unpacked as well."""
    places = {}
    for kind in of:
        with contextlib.suppress(ClusterError):  # Not served here, or not yet.
            for item in cluster.list(kind, namespace):
                place = f"{kind} {item['metadata']['name']}"
                places[place] = json.dumps(item).encode()
                for name, packed in item.get("binaryData", {}).items():
                    raw = base64.b64decode(packed)
                    places[f"{place} {name}"] = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    places["Namespace"] = json.dumps(cluster.get("Namespace", namespace)).encode()
    return places


def logs(cluster, namespace):
    places = {}
    for pod in cluster.list("Pod", namespace):
        name, spec = pod["metadata"]["name"], pod["spec"]
        for container in (*spec.get("initContainers", ()), *spec["containers"]):
            for previous in (False, True):
                with contextlib.suppress(ClusterError):  # It had no earlier life.
                    lines = list(cluster.log_stream(name, namespace, container=container["name"], previous=previous))
                    places[f"log {name} {container['name']} {previous}"] = "\n".join(lines).encode()
    return places


def files(folder):
    return {f"file {file.name}": file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.fixture(scope="module")
def rehearsed(lab, cluster, images, tmp_path_factory):
    """Everything that a whole run left, the network still up; its secrets."""
    folder = tmp_path_factory.mktemp("secrets")
    file, runs = folder / "rehearsal.yaml", folder / "runs"
    file.write_text(REHEARSAL)
    (folder / "keys.txt").write_text(IMPORTED + "\n")
    command = [*COMMAND, str(file), "--kubeconfig", str(lab.kubeconfig), "--runs", str(runs), "--keep"]
    command += ["--image", images.coalmine, "--prometheus-image", images.prometheus]
    engine = EmbeddedEngine(cluster)
    testnet = load([file]).testnet()
    try:
        passing = {}
        printed = folder / "printed"
        with Processes() as processes, printed.open("wb") as out:
            run = subprocess.Popen(command, stdout=out, stderr=out, cwd=ROOT)
            while run.poll() is None:  # Experiments and upgrades are deleted when their stage is over.
                passing |= objects(cluster, testnet.namespace, network.CUSTOM)
                time.sleep(1)
        places = {"printed": printed.read_bytes(), **passing, **processes.seen}
        places |= {**objects(cluster, testnet.namespace), **logs(cluster, testnet.namespace), **files(runs)}
        seed = vault.read_seed(cluster, testnet.namespace)
        token = cluster.get("Secret", vault.TOKEN, testnet.namespace)["data"]["token"]
        yield run.returncode, testnet, places, secrets_of(testnet, seed, base64.b64decode(token).decode())
    finally:
        network.down(cluster, engine, testnet.name, lambda _: None)


@pytest.mark.timeout(900)
def test_no_secret_is_found_after_a_whole_run_with_an_upgrade(rehearsed):
    code, _, places, secrets = rehearsed
    assert code in (0, 1, 3), places["printed"].decode()
    assert b'"upgrade.completed"' in places["file journal.jsonl"]
    assert len(secrets) > 50
    assert leaks(secrets, places) == []


def test_everything_was_looked_at(rehearsed):
    """The test above finds nothing where nothing was read, so this says what was."""
    _, testnet, places, _ = rehearsed
    nodes = {node for _, group in testnet.spec.groups() for node in group.nodes()}
    for node in nodes:
        assert any(place.startswith(f"log {node} node") and places[place] for place in places), node
        assert f"Pod {node}" in places
    assert any(place.startswith("log coalmine-controller") and places[place] for place in places)
    assert any(place.startswith("log coalmine-agent") for place in places)
    for word in ("Event ", "ConfigMap coalmine-stack", "StatefulSet ", "RuntimeUpgrade ", "ChaosExperiment "):
        assert any(place.startswith(word) for place in places), word
    assert {"file journal.jsonl", "file report.html", "file result.json", "file junit.xml"} <= places.keys()
    ran = [place for place in places if place.startswith("process") and b"simnode" in places[place]]
    assert len(ran) >= len(nodes)


@pytest.mark.parametrize("form", range(6))
def test_a_secret_that_is_planted_is_found(rehearsed, cluster, form):
    """In an object, in a log line and in a process's environment, in each way of writing it."""
    _, testnet, _, secrets = rehearsed
    secret = "validator-1 babe"
    text = forms(secrets[secret])[form]
    shown = text.decode() if form else secrets[secret].hex()
    planted = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "planted", "namespace": testnet.namespace}}
    cluster.apply({**planted, "binaryData": {"it": base64.b64encode(b"x" + text + b"x").decode()}})
    process = subprocess.Popen(["sleep", "60"], env={"LEAK": shown})
    try:
        processes = Processes()
        processes.look()
        places = {**objects(cluster, testnet.namespace), **processes.seen, "log": b"key is " + text + b"\n"}
        found = leaks(secrets, places)
    finally:
        process.kill()
        process.wait()
        cluster.delete("ConfigMap", "planted", testnet.namespace)
    assert {name for name, _ in found} == {secret}
    where = {place.split()[0] for _, place in found}
    assert where == {"ConfigMap", "process", "log"}
