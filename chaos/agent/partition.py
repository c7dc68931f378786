"""Fault `partition`: one iptables chain in a pod's network namespace that drops packets from and to its peers.

The chain is named after the fault and holds only its rules. INPUT and OUTPUT jump to it first. It is placed, replaced
and removed in one transaction (`iptables-restore --noflush`), however many peers there are. Dropping also stops
existing connections, because their packets pass the same hooks.
"""

import hashlib
import subprocess
from collections.abc import Iterable

from chaos.agent.containers import Machine
from chaos.agent.faults import FaultError, Gone
from chaos.wire import PartitionOrder

_HOOKS = ("INPUT", "OUTPUT")
_BACKENDS = ("iptables-nft", "iptables-legacy")


def chain_name(fault_id: str) -> str:
    """The chain's name for a fault, within the 28 characters that iptables allows."""
    return "COALMINE-" + hashlib.sha256(fault_id.encode()).hexdigest()[:16]


def supported_backend() -> tuple[str | None, str]:
    """The iptables that works with this kernel, or None and the reasons. It is tried in a temporary namespace."""
    reasons = []
    for backend in _BACKENDS:
        program = f"*filter\n:{chain_name('probe')} - [0:0]\n-A {chain_name('probe')} -s 192.0.2.1/32 -j DROP\nCOMMIT\n"
        try:
            _run(["unshare", "--net", f"{backend}-restore", "-w", "5", "--noflush"], stdin=program)
        except FaultError as error:
            reasons.append(f"{backend}: {error}")
        else:
            return backend, ""
    return None, "; ".join(reasons)


class PeerBlocker:
    def __init__(self, machine: Machine, backend: str) -> None:
        self._machine = machine
        self._backend = backend

    def inject(self, fault_id: str, order: PartitionOrder) -> str:
        peers = sorted(str(peer) for peer in order.peers)
        if foreign := [peer for peer in peers if ":" in peer]:
            raise FaultError(f"partition supports only IPv4 peers, not {foreign[0]}")
        pid = self._machine.pod_process(order.pod_uid)
        if self._machine.shares_host_network(pid):
            raise FaultError("the pod uses the machine's own network; cutting that would cut the machine")
        chain = chain_name(fault_id)
        present = self._rules(pid)
        # Declaring an existing chain empties it. Only missing hooks are added, so that none is there twice.
        lines = [f":{chain} - [0:0]"]
        lines += [f"-I {hook} 1 -j {chain}" for hook in _HOOKS if f"-A {hook} -j {chain}" not in present]
        lines += [f"-A {chain} {side} {peer}/32 -j DROP" for peer in peers for side in ("-s", "-d")]
        self._restore(pid, lines)
        found = self._rules(pid)
        drops = sum(rule.startswith(f"-A {chain} ") for rule in found)
        hooks = sum(f"-A {hook} -j {chain}" in found for hook in _HOOKS)
        if drops != 2 * len(peers) or hooks != len(_HOOKS):
            raise FaultError(f"{drops} of {2 * len(peers)} rules and {hooks} of {len(_HOOKS)} hooks are there")
        return f"{drops} rules against {len(peers)} peer addresses, read back"

    def recover(self, fault_id: str, order: PartitionOrder) -> str:
        try:
            pid = self._machine.pod_process(order.pod_uid)
        except Gone:
            return f"pod {order.pod_uid} is gone, and its rules with it"
        chain = chain_name(fault_id)
        present = self._rules(pid)
        if not _mentions(present, chain):
            return "no rules were left"
        lines = [f"-D {hook} -j {chain}" for hook in _HOOKS if f"-A {hook} -j {chain}" in present]
        lines += [f"-F {chain}", f"-X {chain}"]
        self._restore(pid, lines)
        if _mentions(self._rules(pid), chain):
            raise FaultError(f"chain {chain} is still there after its removal")
        return "rules removed, read back"

    def _rules(self, pid: int) -> tuple[str, ...]:
        return tuple(_run([*_inside(pid), self._backend, "-w", "5", "-S"]).splitlines())

    def _restore(self, pid: int, lines: Iterable[str]) -> None:
        text = "\n".join(["*filter", *lines, "COMMIT", ""])
        _run([*_inside(pid), f"{self._backend}-restore", "-w", "5", "--noflush"], stdin=text)


def _mentions(rules: Iterable[str], chain: str) -> bool:
    return any(chain in rule.split() for rule in rules)


def _inside(pid: int) -> list[str]:
    return ["nsenter", f"--net=/proc/{pid}/ns/net"]


def _run(command: list[str], *, stdin: str = "") -> str:
    try:
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise FaultError(f"{command[0]}: {error}") from error
    if done.returncode != 0:
        raise FaultError(f"{' '.join(command[:4])}: {done.stderr.strip() or done.returncode}")
    return done.stdout
