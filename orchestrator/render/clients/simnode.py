"""The simulated client of ours; its flags mirror the real ones'. In the table of `clients`."""

from orchestrator.render.clients import port
from orchestrator.render.clients.port import Placement, arranged, options
from orchestrator.spec import NodeGroup
from orchestrator.spec.testnet import RELAY


class Simnode:
    """`python3 -m simnode`, in coalmine's own image."""

    image: str | None = None

    def command(self, group: NodeGroup, place: Placement) -> tuple[str, ...]:
        own = [
            *options(
                ("--chain", f"{port.SPECS}/{place.chain}.json"),
                ("--name", "$(POD_NAME)"),
                ("--node-key-file", port.NODE_KEY),
                ("--base-path", port.DATA),
                ("--keystore-path", port.KEYSTORE),
                ("--public-addr", f"/dns4/{place.host(group)}/tcp/{port.P2P}"),
                ("--port", str(port.P2P)),
                ("--rpc-port", str(port.RPC)),
                ("--prometheus-port", str(port.PROMETHEUS)),
            ),
            *_bootnodes(place.relay_bootnodes if place.is_relay else place.para_bootnodes),
            *([(f"--{place.role}",)] if place.authority else []),
        ]
        program = (*(group.program or ("python3", "-m", "simnode")), *arranged(own, (*place.spec.args, *group.args)))
        return program if place.is_relay else (*program, "--", *_embedded(group, place))


def _embedded(group: NodeGroup, place: Placement) -> tuple[str, ...]:
    own = [
        *options(
            ("--chain", f"{port.SPECS}/{RELAY}.json"),
            ("--public-addr", f"/dns4/{place.host(group)}/tcp/{port.EMBEDDED_P2P}"),
            ("--port", str(port.EMBEDDED_P2P)),
            ("--rpc-port", str(port.EMBEDDED_RPC)),
            ("--prometheus-port", str(port.EMBEDDED_PROMETHEUS)),
        ),
        *_bootnodes(place.relay_bootnodes),
    ]
    return arranged(own, ())


def _bootnodes(addresses: tuple[str, ...]) -> list[tuple[str, ...]]:
    return [("--bootnodes", *addresses)] if addresses else []
