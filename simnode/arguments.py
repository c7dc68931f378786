"""The command line: the flags of `polkadot` and `polkadot-omni-node` that a rehearsal uses, with the same names.

A collator has two sides, like the real one: its own flags, then `--`, then those of the relay node inside it.
"""

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from simnode import VERSION

_MULTIADDRESS = re.compile(r"^/(?:dns4?|dns6|ip4|ip6)/([^/]+)/tcp/(\d+)(?:/p2p/([1-9A-HJ-NP-Za-km-z]+))?$")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a node can be dialled, and the peer id expected there."""

    host: str
    port: int
    peer: str | None = None

    def __str__(self) -> str:
        kind = "ip4" if re.fullmatch(r"[\d.]+", self.host) else "dns4"
        return f"/{kind}/{self.host}/tcp/{self.port}" + (f"/p2p/{self.peer}" if self.peer else "")


def address(text: str) -> Address:
    """Reads a multiaddress such as `/dns4/HOST/tcp/30333/p2p/12D3KooW…`.

    Raises:
        ValueError: it is not one.
    """
    found = _MULTIADDRESS.match(text)
    if found is None:
        raise ValueError(f"{text!r} is not an address of the form /dns4/HOST/tcp/PORT/p2p/PEERID")
    return Address(found[1], int(found[2]), found[3])


@dataclass(frozen=True, slots=True)
class Side:
    """The flags of one chain's node."""

    chain: Path
    base_path: Path
    name: str
    port: int
    rpc_port: int
    prometheus_port: int
    node_key_file: Path | None
    keystore: Path | None
    bootnodes: tuple[Address, ...]
    public: Address | None
    authority: bool
    preparation: float


@dataclass(frozen=True, slots=True)
class Arguments:
    """The flags of the node, and of the relay node inside a parachain's node."""

    own: Side
    relay: Side | None


def parse(arguments: Sequence[str]) -> Arguments:
    """Reads the command line. If it is wrong, exits with status 2 and a sentence."""
    given = list(arguments)
    cut = given.index("--") if "--" in given else len(given)
    # The defaults of the real clients, on both sides of `--`.
    own = _side(_parser(30333, 9944, 9615).parse_args(given[:cut]), None)
    if cut == len(given):
        return Arguments(own, None)
    return Arguments(own, _side(_parser(30334, 9945, 9616).parse_args(given[cut + 1 :]), own))


def _parser(port: int, rpc: int, prometheus: int) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="simnode", description="A SIMULATED Polkadot client. Relay flags of a parachain node stand after --."
    )
    parser.add_argument("--version", action="version", version=f"simnode {VERSION}")
    parser.add_argument("--chain", type=Path, required=True, help="chain spec, a plain one")
    parser.add_argument("--base-path", type=Path, help="where the database is; default: the other side's, or ./simnode")
    parser.add_argument("--name", help="what logs and build info call the node")
    parser.add_argument("--port", type=int, default=port, help="peer-to-peer")
    parser.add_argument("--rpc-port", type=int, default=rpc)
    parser.add_argument("--prometheus-port", type=int, default=prometheus)
    parser.add_argument("--node-key-file", type=Path, help="64 hex digits; default: one is made up and kept")
    parser.add_argument("--keystore-path", type=Path, help="default: the database's directory keystore")
    parser.add_argument("--bootnodes", type=address, nargs="+", action="extend", default=[], metavar="ADDRESS")
    parser.add_argument("--public-addr", type=address, metavar="ADDRESS", help="where peers are told to dial this node")
    parser.add_argument("--validator", "--collator", dest="authority", action="store_true")
    parser.add_argument(
        "--simulate-pvf-preparation", type=float, default=1.0, metavar="SECONDS", help="compiling a parachain's code"
    )
    for flag in ("--prometheus-external", "--rpc-external", "--no-telemetry", "--no-mdns", "--allow-private-ip",
                 "--insecure-validator-i-know-what-i-do", "--no-hardware-benchmarks"):  # fmt: skip
        parser.add_argument(flag, action="store_true", help=argparse.SUPPRESS)
    return parser


def _side(given: argparse.Namespace, own: Side | None) -> Side:
    """One side's flags. The relay node inside shares identity and volume with the side before `--`."""
    base = given.base_path or (own.base_path / "polkadot" if own else Path("simnode-data"))
    return Side(
        chain=given.chain,
        base_path=base,
        name=given.name or (own.name if own else "simnode"),
        port=given.port,
        rpc_port=given.rpc_port,
        prometheus_port=given.prometheus_port,
        node_key_file=given.node_key_file or (own.node_key_file if own else None),
        keystore=given.keystore_path,
        bootnodes=tuple(given.bootnodes),
        public=given.public_addr,
        authority=given.authority,
        preparation=given.simulate_pvf_preparation,
    )
