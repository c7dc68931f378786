"""How each client is started: the one place that knows its flags. Called by `render.network`."""

from dataclasses import dataclass
from typing import Protocol

from orchestrator.genesis.chainspec import RELAY, Node
from orchestrator.spec import NodeGroup

SPECS = "/run/coalmine/spec"
KEYS = "/run/coalmine/keys"


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a group stands in its network."""

    namespace: str
    role: str
    chain: str
    relay_bootnodes: tuple[str, ...]
    para_bootnodes: tuple[str, ...]


class Client(Protocol):
    """A node program."""

    def command(self, group: NodeGroup, place: Placement) -> tuple[str, ...]:
        """Program and arguments; `$(POD_NAME)` is filled in by the kubelet."""
        ...


def address(node: Node, namespace: str) -> str:
    """Where peers dial a node: by name, never by an IP that dies with its pod."""
    return f"/dns4/{node.name}.{node.group}.{namespace}.svc/tcp/30333/p2p/{node.peer_id}"


class Simnode:
    """The simulated client of ours; its flags mirror the real ones'."""

    def command(self, group: NodeGroup, place: Placement) -> tuple[str, ...]:
        host = f"$(POD_NAME).{group.name}.{place.namespace}.svc"
        own = (
            *("--name", "$(POD_NAME)"),
            *("--node-key-file", f"{KEYS}/node-key"),
            *("--base-path", "/data"),
            *("--keystore-path", f"{KEYS}/keystore"),
            *("--public-addr", f"/dns4/{host}/tcp/30333"),
            *("--port", "30333"),
            *("--rpc-port", "9944"),
            *("--prometheus-port", "9615"),
        )
        relay_spec = ("--chain", f"{SPECS}/{RELAY}.json")
        if place.chain == RELAY:
            role = ("--validator",) if place.role == "validator" else ()
            return (
                "python3",
                "-m",
                "simnode",
                *relay_spec,
                *own,
                *_bootnodes(place.relay_bootnodes),
                *role,
                *group.args,
            )
        role = ("--collator",) if place.role == "collator" else ()
        embedded = (
            *relay_spec,
            *("--public-addr", f"/dns4/{host}/tcp/30334"),
            *("--port", "30334"),
            *("--rpc-port", "9945"),
            *("--prometheus-port", "9616"),
            *_bootnodes(place.relay_bootnodes),
        )
        para_spec = ("--chain", f"{SPECS}/{place.chain}.json")
        para = (*para_spec, *own, *_bootnodes(place.para_bootnodes), *role, *group.args)
        return ("python3", "-m", "simnode", *para, "--", *embedded)


def _bootnodes(addresses: tuple[str, ...]) -> tuple[str, ...]:
    return ("--bootnodes", *addresses) if addresses else ()


CLIENTS: dict[str, Client] = {"simnode": Simnode()}
