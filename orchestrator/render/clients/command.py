"""Clients that coalmine does not know. The user writes the command; coalmine fills in the places (`spec.node.PLACES`).

An argument that is only `{bootnodes}` becomes one argument per bootnode.
"""

from orchestrator import tcp_ports
from orchestrator.render.clients import protocol
from orchestrator.render.clients.protocol import Placement, arranged
from orchestrator.spec import NodeGroup


class Command:
    """Ports, probes and metrics are the same as for all other clients, see `tcp_ports`."""

    image: str | None = None

    def command(self, group: NodeGroup, place: Placement) -> tuple[str, ...]:
        known = place.relay_bootnodes if place.is_relay else place.para_bootnodes
        values = {
            "name": "$(POD_NAME)",
            "host": place.host(group),
            "spec": f"{protocol.SPECS}/{place.chain}.json",
            "relay_spec": f"{protocol.SPECS}/relay.json",
            "data": protocol.DATA,
            "node_key": protocol.NODE_KEY,
            "keystore": protocol.KEYSTORE,
            "p2p": str(tcp_ports.NODE.p2p),
            "rpc": str(tcp_ports.NODE.rpc),
            "prometheus": str(tcp_ports.NODE.metrics),
            "bootnodes": ",".join(known),
        }
        parts = [part for argument in group.program or () for part in _filled(argument, values, known)]
        return arranged([(part,) for part in parts], (*place.spec.args, *group.args))


def _filled(argument: str, values: dict[str, str], bootnodes: tuple[str, ...]) -> tuple[str, ...]:
    if argument == "{bootnodes}":
        return bootnodes
    for name, value in values.items():
        argument = argument.replace(f"{{{name}}}", value)
    return (argument,)
