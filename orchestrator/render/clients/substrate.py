"""The flags that all nodes made with the Polkadot SDK share. Used by `polkadot` and `cumulus`.

They are defined in `substrate/client/cli/src/{params,commands}` of polkadot-sdk.
"""

from orchestrator.render.clients import protocol
from orchestrator.render.clients.protocol import Placement, options
from orchestrator.spec import Chain, NodeGroup
from orchestrator.tcp_ports import NodePorts

Options = list[tuple[str, ...]]

_PRUNING = {"archive": "archive"}


def chain(name: str, spec: Chain) -> Options:
    """The chain: the spec from the init container, or one that is built into the binary."""
    return [("--chain", spec.builtin or f"{protocol.SPECS}/{name}.json")]


def listening(host: str, ports: NodePorts) -> Options:
    """The ports. Safe RPC methods are open to all, unsafe ones only on loopback.

    The open endpoint sets no `cors`: with any value, even `all`, a node refuses requests whose Host header is not its
    own address, and the kubelet's probes and the API server's proxy send other Host headers.
    `--listen-addr` excludes `--port`. Without it a validator also listens on IPv6, where no fault can cut it off.
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
    """Options that keep a node inside its network and let it find peers on the pod network's private addresses."""
    return [("--no-mdns",), ("--no-telemetry",), ("--allow-private-ip",), ("--discover-local",)]


def identity(node_key: str) -> Options:
    return [("--node-key-file", node_key)]


def storage(group: NodeGroup, role: str) -> Options:
    """Database and pruning. The client decides what is not set."""
    pruning = group.pruning or _PRUNING.get(role)
    return options(
        ("--base-path", protocol.DATA),
        ("--database", group.database if group.database != "auto" else None),
        ("--state-pruning", pruning),
        ("--blocks-pruning", pruning),
        # In MiB. A testnet's volume is too small for the default of 1 GiB that must stay free.
        ("--db-storage-threshold", "64"),
    )


def keystore(place: Placement) -> Options:
    return [("--keystore-path", protocol.KEYSTORE)] if place.authority else []


def bootnodes(addresses: tuple[str, ...]) -> Options:
    return [("--bootnodes", *addresses)] if addresses else []
