"""`polkadot-omni-node`, `polkadot-parachain` and other nodes with Cumulus' command line. In the table of `clients`.

Arguments before `--` are for the parachain's node, those after it for the relay node inside it
(`cumulus/polkadot-omni-node/lib/src/cli.rs` of polkadot-sdk).
"""

from orchestrator import tcp_ports
from orchestrator.render.clients import protocol, substrate
from orchestrator.render.clients.protocol import Placement, arranged
from orchestrator.spec import NodeGroup, Parachain
from orchestrator.spec.testnet import RELAY


class Cumulus:
    """A client of parachains, given the name of its program."""

    def __init__(self, program: str, image: str) -> None:
        self.image: str | None = image
        self._program = program

    def command(self, group: NodeGroup, place: Placement) -> tuple[str, ...]:
        slot_based = isinstance(place.spec, Parachain) and place.spec.authoring == "slot-based"
        own = [
            *substrate.chain(place.chain, place.spec),
            ("--name", "$(POD_NAME)"),
            *([("--collator",)] if place.role == "collator" else []),
            *([("--authoring", "slot-based")] if slot_based else []),
            *substrate.identity(protocol.NODE_KEY),
            *substrate.keystore(place),
            *substrate.storage(group, place.role),
            *substrate.listening(place.host(group), tcp_ports.NODE),
            *substrate.private(),
            *substrate.bootnodes(place.para_bootnodes),
            *([("--relay-chain-rpc-urls", *place.relay_rpc)] if place.relay_rpc else []),
        ]
        program = group.program or (self._program,)
        return (*program, *arranged(own, (*place.spec.args, *group.args)), "--", *self._relay(group, place))

    @staticmethod
    def _relay(group: NodeGroup, place: Placement) -> tuple[str, ...]:
        """The arguments of the relay side. It counts as an authority, so it needs a network key too."""
        own = [
            *substrate.chain(RELAY, place.relay),
            *substrate.identity(protocol.EMBEDDED_NODE_KEY),
            *substrate.listening(place.host(group), tcp_ports.EMBEDDED_RELAY),
            *substrate.private(),
            *substrate.bootnodes(place.relay_bootnodes),
        ]
        return arranged(own, ())
