"""Builds the command line of each client. Only this package knows clients' flags. Called by `render.groups`."""

from orchestrator.render.clients.command import Command
from orchestrator.render.clients.cumulus import Cumulus
from orchestrator.render.clients.polkadot import Polkadot
from orchestrator.render.clients.protocol import KEYS, SPECS, Client, Placement, address
from orchestrator.render.clients.simnode import Simnode

__all__ = ["CLIENTS", "KEYS", "SPECS", "Client", "Placement", "address"]

CLIENTS: dict[str, Client] = {
    "simnode": Simnode(),
    "polkadot": Polkadot(),
    "polkadot-omni-node": Cumulus("polkadot-omni-node", "docker.io/parity/polkadot-omni-node:stable2606"),
    "polkadot-parachain": Cumulus("polkadot-parachain", "docker.io/parity/polkadot-parachain:stable2606"),
    "command": Command(),
}
