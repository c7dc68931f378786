"""The protocol of a client: what the renderer asks of it and tells it. Implemented by the modules beside this one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from orchestrator import tcp_ports
from orchestrator.genesis.chainspec import Node
from orchestrator.spec import Chain, NodeGroup
from orchestrator.spec.node import AUTHORITIES, EXCLUDED
from orchestrator.spec.testnet import RELAY

SPECS = "/run/coalmine/spec"
KEYS = "/run/coalmine/keys"
DATA = "/data"
KEYSTORE = f"{KEYS}/keystore"
NODE_KEY, EMBEDDED_NODE_KEY = f"{KEYS}/node-key", f"{KEYS}/relay-node-key"


@dataclass(frozen=True, slots=True)
class Placement:
    """A group's place in its network: its chain, and the nodes that its nodes know at their start.

    `relay_rpc` are WebSocket addresses of relay nodes, for parachain nodes without a relay node of their own.
    """

    namespace: str
    role: str
    chain: str
    spec: Chain
    relay: Chain
    secure_validators: bool
    relay_bootnodes: tuple[str, ...]
    para_bootnodes: tuple[str, ...]
    relay_rpc: tuple[str, ...] = ()

    @property
    def is_relay(self) -> bool:
        return self.chain == RELAY

    @property
    def authority(self) -> bool:
        return self.role in AUTHORITIES

    @property
    def embedded_relay(self) -> bool:
        """Whether the nodes contain a relay node."""
        return not self.is_relay and not self.relay_rpc

    def host(self, group: NodeGroup) -> str:
        """The DNS name of each node of the group. The kubelet fills in the pod's name."""
        return f"$(POD_NAME).{group.name}.{self.namespace}.svc"


class Client(Protocol):
    """How a node program is started. Roles, keys, ports and probes mean the same for all clients."""

    image: str | None
    """The default image. None means coalmine's own."""

    def command(self, group: NodeGroup, place: Placement) -> tuple[str, ...]:
        """The program and its arguments. The kubelet fills in `$(POD_NAME)`."""
        ...


def address(node: Node, namespace: str) -> str:
    """The address at which peers dial a node. It uses a name, because a pod's IP does not survive the pod."""
    return f"/dns4/{node.name}.{node.group}.{namespace}.svc/tcp/{tcp_ports.NODE.p2p}/p2p/{node.peer_id}"


def options(*pairs: tuple[str, str | None]) -> list[tuple[str, ...]]:
    """Options with their values. Options whose value is None are left out."""
    return [(name, value) for name, value in pairs if value is not None]


def arranged(own: Sequence[tuple[str, ...]], args: Sequence[str]) -> tuple[str, ...]:
    """Our options, without those that the user removes with `-:--flag`, then the user's own."""
    away = {argument.removeprefix(EXCLUDED) for argument in args if argument.startswith(EXCLUDED)}
    theirs = [argument for argument in args if not argument.startswith(EXCLUDED)]
    return (*(part for option in own if option[0] not in away for part in option), *theirs)
