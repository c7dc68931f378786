"""Refuses chains that coalmine must never start: a live network's, or one that leads to public nodes.

The genesis hash makes a node a member of a network, so a rehearsal with a live genesis would join the live network.
Called by `chainspec`.
"""

import ipaddress
import re
from collections.abc import Sequence

from orchestrator.errors import Refused

LIVE = {
    "0x91b171bb158e2d3848fa23a9f1c25182fb8e20313b2c1eb49219da7a70ce90c3": "Polkadot",
    "0x68d56f15f85d3136970ec16946040bc1752654e906147f7e43e9d539d7c3de2f": "Polkadot Asset Hub",
    "0xdcf691b5a3fbe24adc99ddc959c0561b973e329b1aef4c4b22e7bb2ddecb4464": "Polkadot Bridge Hub",
    "0x46ee89aa2eedd13e988962630ec9fb7565964cf5023bb351f2b6b25c1b68b0b2": "Polkadot Collectives",
    "0xefb56e30d9b4a24099f88820987d0f45fb645992416535d87650d98e00f46fc4": "Polkadot Coretime",
    "0x67fa177a097bfa18f77ea95ab56e9bcdfeb0e5b8a40e46298bb93e16b6fc5008": "Polkadot People",
    "0xb0a8d493285c2df73290dfb7e61f870f17b41801197a149ca93654499ea3dafe": "Kusama",
    "0x48239ef607d7928874027a43a67689209727dfb3d3dc5e5b03a39bdc2eda771a": "Kusama Asset Hub",
    "0x00dcb981df86429de8bbacf9803401f09485366c44efbf53af9ecfab03adc7e5": "Kusama Bridge Hub",
    "0x638cd2b9af4b3bb54b8c1f0d22711fc89924ca93300f0caf25a580432b29d050": "Kusama Coretime",
    "0xc1af4cb4eb3918e5db15086c0cc5ec17fb334f728b7c65dd44bfe1e174ff8b3f": "Kusama People",
    "0x7dd99936c1e9e6d1ce7d90eb6f33bea8393b4bf87677d675aa63c9cb3e8c5b5b": "Encointer",
    "0xe143f23803ac50e8f6f8e62695d1ce9e4e1d68aa36c1cd2cfd15340213f3423e": "Westend",
    "0x67f9723393ef76214df0118c34bbbd3dbebc8ed46a10973a8c969d48fe7598c9": "Westend Asset Hub",
    "0x0441383e31d1266a92b4cb2ddd4c2e3661ac476996db7e5844c52433b81fe782": "Westend Bridge Hub",
    "0x713daf193a6301583ff467be736da27ef0a72711b248927ba413f573d2b38e44": "Westend Collectives",
    "0xf938510edee7c23efa6e9db74f227c827a1b518bffe92e2f6c9842dc53d38840": "Westend Coretime",
    "0x1eb6fb0ba5187434de017a70cb84d4f47142df1d571d0ef9e7e1407f2b80b93c": "Westend People",
    "0xafb18a620de2f0a9bf9c56cf8c8b05cacc6c608754959f3020e4fc90f9ae0c9f": "Westend Penpal",
    "0x77afd6190f1554ad45fd0d31aee62aacc33c6db0ea801129acb813f913e0764f": "Paseo",
    "0xd6eec26135305a8ad257a20d003357284c8aa03d0bdb2b357ab0a22371e11ef2": "Paseo Asset Hub",
    "0xcc624979479dc37afee4cb23cb72b1772bbf377c0d3e8fa257c0fe6146572e3e": "Paseo Bridge Hub",
    "0xc806038cc1d06766f23074ade7c5511326be41646deabc259970ff280c82a464": "Paseo Coretime",
    "0xe6c30d6e148f250b887105237bcaa5cb9f16dd203bf7b5b9d4f1da7387cb86ec": "Paseo People",
    "0x6408de7737c59c238890533af25896a2c20608d8b380bb01029acb392781063e": "Rococo",
}
"""Genesis hash -> network. Checked against the lists of several wallets and explorers."""

_REHEARSED = re.compile(r"(^|-)(dev|local)$|^penpal-")
_MULTIADDR = re.compile(r"^/(?P<kind>ip4|ip6|dns|dns4|dns6|dnsaddr)/(?P<host>[^/]+)")
_PRIVATE_NAMES = (".local", ".internal", ".svc", ".localhost", ".test")


def live_network(chain: str, genesis_hash: str, *, missing: Sequence[str] = ("a `specFile`",)) -> None:
    """Refuses the genesis of a live network, unless the chain is a fork that is kept apart: then `missing` is empty.

    Raises:
        Refused: as all functions of this module.
    """
    network = LIVE.get(genesis_hash)
    if network is not None and missing:
        raise Refused(
            f"{chain} has the genesis of {network}, a live network",
            hint="build a genesis of your own from its runtime: `runtime: {file: …}`; or, for a fork of its state, add "
            + " and ".join(missing),
        )


def builtin(chain: str, name: str) -> None:
    """Refuses a chain that is built into its client, unless its name says that it is a local or development chain."""
    if not _REHEARSED.search(name):
        raise Refused(
            f"{chain}: the client's built-in chain {name} may be a live network",
            hint="use a chain whose name ends in -local or -dev, or begins with penpal-",
        )


def public_bootnodes(chain: str, addresses: Sequence[str]) -> None:
    """Refuses bootnodes outside of private networks. Through them a node would find their network."""
    public = [address for address in addresses if not _private(address)]
    if public:
        raise Refused(
            f"{chain}: the chain spec has {len(public)} public bootnodes, the first is {public[0]}",
            hint="empty `bootNodes` in the spec; coalmine gives the nodes its own",
        )


def _private(multiaddr: str) -> bool:
    match = _MULTIADDR.match(multiaddr)
    if match is None:
        return False
    host = match["host"]
    if match["kind"] in {"ip4", "ip6"}:
        try:
            return not ipaddress.ip_address(host).is_global
        except ValueError:
            return False
    return "." not in host or host.endswith(_PRIVATE_NAMES)
