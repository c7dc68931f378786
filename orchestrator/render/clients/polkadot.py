"""`polkadot`: validators and other nodes of a relay chain. In the table of `clients`."""

from orchestrator import tcp_ports
from orchestrator.render.clients import protocol, substrate
from orchestrator.render.clients.protocol import Placement, arranged
from orchestrator.spec import NodeGroup


class Polkadot:
    """The image must contain the two PVF workers of the same version (`polkadot/node/service/src/workers.rs`)."""

    image: str | None = "docker.io/parity/polkadot:stable2606"

    def command(self, group: NodeGroup, place: Placement) -> tuple[str, ...]:
        own = [
            *substrate.chain(place.chain, place.spec),
            ("--name", "$(POD_NAME)"),
            *(self._validator(place) if place.role == "validator" else []),
            *substrate.identity(protocol.NODE_KEY),
            *substrate.keystore(place),
            *substrate.storage(group, place.role),
            *substrate.listening(place.host(group), tcp_ports.NODE),
            *substrate.private(),
            ("--no-hardware-benchmarks",),
            *substrate.bootnodes(place.relay_bootnodes),
        ]
        return (*(group.program or ("polkadot",)), *arranged(own, (*place.spec.args, *group.args)))

    @staticmethod
    def _validator(place: Placement) -> list[tuple[str, ...]]:
        sandbox = [] if place.secure_validators else [("--insecure-validator-i-know-what-i-do",)]
        return [("--validator",), *sandbox]
