"""Real nodes as processes on loopback: two validators and a collator of one parachain, on ports of their own.

Specs come from `chain-spec-builder`, so that nothing here rests on coalmine's own genesis. Sudo is the network's own
key on both chains. Used by the tests beside it that need nodes and no cluster.
"""

import json
import signal
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.chain import SubstrateReader, rpc
from orchestrator.errors import ChainError
from orchestrator.genesis import keys

SEED = bytes(range(32))
SUDO = keys.sudo(SEED)
PARA = 2000
ALICE = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
RELAY_RUNTIME, PARA_RUNTIME = "westend-fast-1025002.wasm", "penpal-1.wasm"


@dataclass(frozen=True)
class Programs:
    """Where the programs and runtimes are."""

    real: Path
    polkadot: Path
    omni_node: Path

    def code(self, name):
        return (self.real / name).read_bytes()


@dataclass(frozen=True)
class Specs:
    relay: Path
    para: Path


_PATIENCE = [
    {"PvfPrepTimeout": ["Precheck", 600_000]},
    {"PvfPrepTimeout": ["Prepare", 1_200_000]},
    {"PvfExecTimeout": ["Backing", 20_000]},
    {"PvfExecTimeout": ["Approval", 60_000]},
]
"""Milliseconds. By default validators reject code that takes a minute to prepare, which it does on a busy machine."""

_SPECS = {}


def specs_of(programs: Programs, tmp_path_factory) -> Specs:
    """Raw specs: alice and bob on the relay chain, alice collating the parachain, which is registered in genesis.

    Made once a session: each runtime is compiled for it, some twenty seconds of two cores.
    """
    if programs not in _SPECS:
        _SPECS[programs] = _build(programs, tmp_path_factory.mktemp("specs"))
    return _SPECS[programs]


def _build(programs, folder):
    with ThreadPoolExecutor(2) as pool:
        para = pool.submit(_para_spec, programs, folder)
        preset = pool.submit(
            _run, programs.omni_node, "chain-spec-builder", "display-preset",
            "-r", programs.real / RELAY_RUNTIME, "-p", "local_testnet",
        )  # fmt: skip
        return Specs(_relay_spec(programs, folder, json.loads(preset.result()), para.result()), para.result())


def _para_spec(programs, folder):
    patch = {
        "balances": {"balances": [[keys.ss58(SUDO.public), 10**18]]},
        "collatorSelection": {"candidacyBond": 16 * 10**9, "invulnerables": [ALICE]},
        "parachainInfo": {"parachainId": PARA},
        "polkadotXcm": {"safeXcmVersion": 5},
        "session": {"keys": [[ALICE, ALICE, {"aura": ALICE}]]},
        "sudo": {"key": keys.ss58(SUDO.public)},
    }
    more = ("-p", str(PARA), "-c", "westend-fast")
    return _create(programs, folder, "penpal", PARA_RUNTIME, patch, *more)


def _relay_spec(programs, folder, preset, para):
    head = _run(programs.omni_node, "export-genesis-head", "--chain", para).strip()
    code = "0x" + programs.code(PARA_RUNTIME).hex()
    preset["sudo"] = {"key": keys.ss58(SUDO.public)}
    preset["balances"]["balances"].append([keys.ss58(SUDO.public), 10**18])
    preset["configuration"]["config"]["async_backing_params"] = {"max_candidate_depth": 3, "allowed_ancestry_len": 2}
    preset["configuration"]["config"]["executor_params"] = _PATIENCE
    preset["paras"] = {"paras": [[PARA, {"genesis_head": head, "validation_code": code, "parachain": True}]]}
    return _create(programs, folder, "westend-fast", RELAY_RUNTIME, preset)


def _create(programs, folder, name, runtime, patch, *more):
    target, file = folder / f"{name}.json", folder / f"{name}.patch.json"
    file.write_text(json.dumps(patch))
    _run(
        programs.omni_node, "chain-spec-builder", "-c", target, "create", "-n", name, "-i", name, "-t", "local",
        *more, "-r", programs.real / runtime, "-s", "patch", file,
    )  # fmt: skip
    return target


def _run(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command[:4]}: {done.stderr[-2000:]}"
    return done.stdout


@dataclass
class NativeNode:
    """A running node; `number` gives it its ports and its network key."""

    name: str
    process: subprocess.Popen
    log: Path
    url: str

    def reader(self, *, timeout=10.0):
        return SubstrateReader(rpc.http(self.url, node=self.name, timeout=timeout))

    def send_signal(self, number):
        self.process.send_signal(number)


@dataclass
class NativeNetwork:
    """alice and bob, and `collator`. Use it as a context."""

    programs: Programs
    specs: Specs
    folder: Path
    nodes: dict[str, NativeNode] = field(default_factory=dict)

    def __enter__(self):
        ports = iter(_free_ports(14))
        first = next(ports)
        boot = f"/ip4/127.0.0.1/tcp/{first}/p2p/{keys.peer_id(_network_key('alice').public)}"
        self._start("alice", self._relay("alice", first), ports)
        self._start("bob", [*self._relay("bob", next(ports)), "--bootnodes", boot], ports)
        embedded = [
            "--chain", self.specs.relay, *_COMMON, "--listen-addr", _listen(next(ports)), "--rpc-port", next(ports),
            "--prometheus-port", next(ports), "--bootnodes", boot,
        ]  # fmt: skip
        collator = [
            self.programs.omni_node, "--chain", self.specs.para, "--collator", "--alice",
            "--unsafe-force-node-key-generation", "--listen-addr", _listen(next(ports)),
        ]  # fmt: skip
        self._start("collator", collator, ports, after=["--", *embedded])
        return self

    def __exit__(self, *_):
        for node in self.nodes.values():
            node.send_signal(signal.SIGCONT)
            node.process.kill()
            node.process.wait()

    def _relay(self, name, port):
        return [
            self.programs.polkadot, "--chain", self.specs.relay, f"--{name}", "--validator",
            "--insecure-validator-i-know-what-i-do", "--listen-addr", _listen(port),
        ]  # fmt: skip

    def _start(self, name, command, ports, *, after=()):
        rpc_port = next(ports)
        command = [
            *command, *_COMMON, "--base-path", self.folder / name, "--node-key", _network_key(name).secret.hex(),
            "--rpc-port", rpc_port, "--prometheus-port", next(ports), *after,
        ]  # fmt: skip
        log = self.folder / f"{name}.log"
        with log.open("w") as file:
            process = subprocess.Popen(
                [str(part) for part in command], stdout=file, stderr=file, stdin=subprocess.DEVNULL
            )
        self.nodes[name] = NativeNode(name, process, log, f"http://127.0.0.1:{rpc_port}")

    def until(self, condition, seconds, what):
        """The first true answer of `condition`; nodes that are busy are asked again, one that died is told at once."""
        deadline, said = time.monotonic() + seconds, None
        while True:
            for node in self.nodes.values():
                died = node.process.poll() is not None
                assert not died, f"{node.name} ended:\n{node.log.read_text(errors='replace')[-3000:]}"
            try:
                if found := condition():
                    return found
                said = None
            except ChainError as error:
                said = error.message
            assert time.monotonic() < deadline, f"{what}: not within {seconds} s ({said})"
            time.sleep(0.5)


_COMMON = ("--no-hardware-benchmarks", "--no-telemetry", "--allow-private-ip", "--no-mdns")


def _listen(port):
    return f"/ip4/127.0.0.1/tcp/{port}"


def _network_key(name):
    return keys.network_key(SEED, group=name, ordinal=0)


def _free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    found = [sock.getsockname()[1] for sock in sockets]
    for sock in sockets:
        sock.close()
    return found
