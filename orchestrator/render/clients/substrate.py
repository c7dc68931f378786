"""The flags that all nodes made with the Polkadot SDK share, once. Used by `polkadot` and `cumulus`.

After `substrate/client/cli/src/{params,commands}` of polkadot-sdk; knowledge/substrate.md section 2 says which and why.
"""

from orchestrator.render.clients import protocol
from orchestrator.render.clients.protocol import Placement, options
from orchestrator.spec import Chain, NodeGroup
from orchestrator.tcp_ports import NodePorts

Options = list[tuple[str, ...]]

_PRUNING = {"archive": "archive"}


def chain(name: str, spec: Chain) -> Options:
    """Which chain: the spec from the init container, or one that the binary knows."""
    return [("--chain", spec.builtin or f"{protocol.SPECS}/{name}.json")]


def listening(host: str, ports: NodePorts) -> Options:
    """Ports. Safe methods are served to all, unsafe ones on loopback.

    Naming any `cors`, even `all`, also makes a node refuse requests whose Host header is not its own address, and the
    kubelet's probes and the API server's proxy come with others: so the open endpoint names none.
    `--listen-addr` excludes `--port`; without it a validator listens on v6 as well, where no fault can cut it.
    """
    return [
        ("--listen-addr", f"/ip4/0.0.0.0/tcp/{ports.p2p}"),
        ("--public-addr", f"/dns4/{host}/tcp/{ports.p2p}"),
        ("--experimental-rpc-endpoint", f"listen-addr=0.0.0.0:{ports.rpc},methods=safe"),
        (
            "--experimental-rpc-endpoint",
            f"listen-addr=127.0.0.1:{ports.local_rpc},methods=unsafe,cors=http://localhost",
        ),
        ("--prometheus-external",),
        ("--prometheus-port", str(ports.metrics)),
    ]


def private() -> Options:
    """What keeps a node to its own network, and lets it find peers on a pod network's private addresses."""
    return [("--no-mdns",), ("--no-telemetry",), ("--allow-private-ip",), ("--discover-local",)]


def identity(node_key: str) -> Options:
    return [("--node-key-file", node_key)]


def storage(group: NodeGroup, role: str) -> Options:
    """Database and pruning; what is not said is left to the client."""
    pruning = group.pruning or _PRUNING.get(role)
    return options(
        ("--base-path", protocol.DATA),
        ("--database", group.database if group.database != "auto" else None),
        ("--state-pruning", pruning),
        ("--blocks-pruning", pruning),
        # The volume is a testnet's: a free gigabyte is not to be had, and a full disk is a fault of its own.
        ("--db-storage-threshold", "64"),
    )


def keystore(place: Placement) -> Options:
    return [("--keystore-path", protocol.KEYSTORE)] if place.authority else []


def bootnodes(addresses: tuple[str, ...]) -> Options:
    return [("--bootnodes", *addresses)] if addresses else []
