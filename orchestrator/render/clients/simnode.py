"""Our simulated client. Its flags mirror the real clients' flags. In the table of `clients`."""

from orchestrator import tcp_ports
from orchestrator.render.clients import protocol
from orchestrator.render.clients.protocol import Placement, arranged, options
from orchestrator.spec import NodeGroup
from orchestrator.spec.testnet import RELAY


class Simnode:
    """`python3 -m simnode`, in coalmine's own image."""

    image: str | None = None

    def command(self, group: NodeGroup, place: Placement) -> tuple[str, ...]:
        own = [
            *options(
                ("--chain", f"{protocol.SPECS}/{place.chain}.json"),
                ("--name", "$(POD_NAME)"),
                ("--node-key-file", protocol.NODE_KEY),
                ("--base-path", protocol.DATA),
                ("--keystore-path", protocol.KEYSTORE),
                ("--public-addr", f"/dns4/{place.host(group)}/tcp/{tcp_ports.NODE.p2p}"),
                ("--port", str(tcp_ports.NODE.p2p)),
                ("--rpc-port", str(tcp_ports.NODE.rpc)),
                ("--prometheus-port", str(tcp_ports.NODE.metrics)),
            ),
            *_bootnodes(place.relay_bootnodes if place.is_relay else place.para_bootnodes),
            *([(f"--{place.role}",)] if place.authority else []),
        ]
        program = (*(group.program or ("python3", "-m", "simnode")), *arranged(own, (*place.spec.args, *group.args)))
        return program if place.is_relay else (*program, "--", *_embedded(group, place))


def _embedded(group: NodeGroup, place: Placement) -> tuple[str, ...]:
    own = [
        *options(
            ("--chain", f"{protocol.SPECS}/{RELAY}.json"),
            ("--public-addr", f"/dns4/{place.host(group)}/tcp/{tcp_ports.EMBEDDED_RELAY.p2p}"),
            ("--port", str(tcp_ports.EMBEDDED_RELAY.p2p)),
            ("--rpc-port", str(tcp_ports.EMBEDDED_RELAY.rpc)),
            ("--prometheus-port", str(tcp_ports.EMBEDDED_RELAY.metrics)),
        ),
        *_bootnodes(place.relay_bootnodes),
    ]
    return arranged(own, ())


def _bootnodes(addresses: tuple[str, ...]) -> list[tuple[str, ...]]:
    return [("--bootnodes", *addresses)] if addresses else []
