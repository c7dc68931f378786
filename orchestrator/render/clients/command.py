"""Clients that coalmine does not know: the user writes the command, with places (`spec.node.PLACES`) for what we know.

An argument that is `{bootnodes}` alone becomes one argument a bootnode.
"""

from orchestrator.render.clients import port
from orchestrator.render.clients.port import Placement, arranged
from orchestrator.spec import NodeGroup


class Command:
    """Ports, probes and metrics are the same as for all: RPC with `/health` on 9944, Prometheus on 9615."""

    image: str | None = None

    def command(self, group: NodeGroup, place: Placement) -> tuple[str, ...]:
        known = place.relay_bootnodes if place.is_relay else place.para_bootnodes
        values = {
            "name": "$(POD_NAME)",
            "host": place.host(group),
            "spec": f"{port.SPECS}/{place.chain}.json",
            "relay_spec": f"{port.SPECS}/relay.json",
            "data": port.DATA,
            "node_key": port.NODE_KEY,
            "keystore": port.KEYSTORE,
            "p2p": str(port.P2P),
            "rpc": str(port.RPC),
            "prometheus": str(port.PROMETHEUS),
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
