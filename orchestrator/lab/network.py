"""Finds the addresses that this machine uses, so that a lab takes others. Called by `native` and `docker_engine`."""

import ipaddress
import json
import subprocess
from collections.abc import Iterable
from ipaddress import IPv4Network


def used() -> tuple[IPv4Network, ...]:
    """The networks that this machine has an address in or a route to, in all routing tables."""
    routes = json.loads(_ip("-4", "route", "show", "table", "all"))
    links = json.loads(_ip("-4", "address"))
    written = [route["dst"] for route in routes if route["dst"] != "default"]
    written += [f"{info['local']}/{info['prefixlen']}" for link in links for info in link.get("addr_info", ())]
    return tuple(IPv4Network(text, strict=False) for text in written)


def free(wanted: Iterable[str], taken: Iterable[IPv4Network]) -> bool:
    """Whether none of the wanted networks (such as `10.100.0.0/16`) overlaps one that is taken."""
    taken = tuple(taken)
    return not any(ipaddress.IPv4Network(network).overlaps(other) for network in wanted for other in taken)


def _ip(*arguments: str) -> str:
    return subprocess.run(["ip", "-json", *arguments], capture_output=True, text=True, check=True).stdout or "[]"
