"""Turns a node or a group of nodes of zombienet into a node group. Called by `chains`."""

import re
import shlex
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter, ValidationError

from orchestrator.importing import reasons
from orchestrator.importing.account import Table
from orchestrator.importing.arguments import Arguments, sorted_out
from orchestrator.spec.node import Quantity

_CLIENTS = {True: ("polkadot",), False: ("polkadot-parachain", "polkadot-omni-node")}
"""Clients, by whether the chain is the relay chain. Others get the first one's arguments, as zombienet does."""

_QUANTITY: TypeAdapter[str] = TypeAdapter(Quantity)
_ARGS = ("args", "extra_args")
_BOOTNODE = ("bootnode", "add_to_bootnodes", "is_bootnode")
_VARIABLE = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")

Group = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Program:
    """What a command means: a client that coalmine knows, and the program's name if it differs."""

    client: str
    words: tuple[str, ...] = ()


@dataclass(slots=True)
class Names:
    """The group names in use. They must be unique in a network."""

    taken: set[str] = field(default_factory=set)

    def free(self, wanted: str) -> str:
        name = label(wanted)
        number = 2
        while name in self.taken:
            name = f"{label(wanted)[:36]}-{number}"
            number += 1
        self.taken.add(name)
        return name


@dataclass(frozen=True, slots=True)
class Defaults:
    """A chain's settings for all its nodes."""

    relay: bool
    program: Program
    image: str | None
    resources: Group
    arguments: Arguments


def label(text: str) -> str:
    """The text as a DNS label that begins with a letter."""
    word = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    word = re.sub(r"^[0-9-]+", "", word) or f"n-{word}".strip("-")
    return word[:40].rstrip("-")


def program(table: Table, *names: str, relay: bool) -> Program | None:
    """What a command and subcommand mean. None if there is no command."""
    text = table.text(*names)
    if not text or not text.strip():
        return None
    command, *more = shlex.split(text)
    base = command.rpartition("/")[2]
    known = _CLIENTS[relay]
    client = base if base in known else known[0]
    if command != base and not command.startswith("/"):
        table.account.differs(table.at(*names), f"is a path on zombienet's machine; the image's own {base} is run")
        command = base
    if base not in known:
        table.account.differs(table.at(*names), f"{base} is started with the arguments of {client}")
    subcommand = table.text("subcommand")
    words = (command, *more, *([subcommand] if subcommand else []))
    return Program(client) if words == (client,) else Program(client, words)


def resources(table: Table | None) -> Group:
    """Requests and limits, nested as in version 1 or flat as in the SDK."""
    if table is None:
        return {}
    inner = table.table("resources") or table
    requests, limits = inner.table("requests"), inner.table("limits")
    found: Group = {}
    for name, places in (
        ("cpu", ((requests, "cpu"), (inner, "request_cpu"))),
        ("memory", ((requests, "memory"), (inner, "request_memory"))),
        ("memoryLimit", ((limits, "memory"), (inner, "limit_memory"))),
    ):
        for where, key in places:
            if where is not None and (value := where.take(key)) is not None:
                try:
                    found[name] = _QUANTITY.validate_python(str(value))
                except ValidationError:
                    where.account.leave_out(where.at(key), f"{value!r} is not a Kubernetes quantity")
    for where, key in ((limits, "cpu"), (inner, "limit_cpu")):
        if where is not None:
            where.refuse({key: "nodes have no CPU limit: it would slow them down even on an idle machine"})
    return found


def group(table: Table, defaults: Defaults, names: Names, *, counted: bool) -> Group | None:
    """The node group for a node, or for a `counted` group of nodes. None if it has no nodes."""
    count = _count(table) if counted else 1
    if not count:
        return None
    table = (
        table.table("collator") if counted else None
    ) or table  # Old files of version 1 write groups of collators so.
    wanted = table.text("name")
    if not wanted:
        table.mistake("name", "a node needs a name")
        return None
    name = names.free(wanted)
    if name != wanted:
        table.account.differs(table.at("name"), f"is called {name}: names are DNS labels, and unique in a network")
    given = sorted_out(table.words(*_ARGS), table.at(*_ARGS), table.account)
    if given.args and defaults.arguments.args:
        table.account.differs(
            table.at(*_ARGS), "are added to the chain's; the SDK would replace `default_args` by them"
        )
    result: Group = {
        "name": name,
        "role": _role(table, relay=defaults.relay),
        "count": count if counted else None,
        **_program(table, defaults),
        **_keys(table, given, count),
        "args": given.args or None,
        "authoring": given.authoring,
        "env": _environment(table) or None,
        "resources": defaults.resources | resources(table.table("resources")) or None,
        **defaults.arguments.fields,
        **given.fields,
        "balance": table.whole("initial_balance", "balance"),
        "invulnerable": False if table.flag("invulnerable") is False else None,
    }
    _prometheus_prefix(table, "prometheus_prefix")
    table.refuse(reasons.NODE)
    return {key: value for key, value in result.items() if value is not None}


def _count(table: Table) -> int:
    count = table.whole("count")
    if count is None:
        table.mistake("count", "a group of nodes needs a count")
        return 0
    if count == 0:
        table.account.leave_out(table.path, "a group without nodes")
    return count


def _role(table: Table, *, relay: bool) -> str:
    authority = table.flag("validator") is not False
    bootnode = table.flag(*_BOOTNODE)
    if bootnode and authority:
        table.account.leave_out(
            table.at(*_BOOTNODE), "an authority stays an authority; the first ones are bootnodes if there are no others"
        )
    if authority:
        return "validator" if relay else "collator"
    return "bootnode" if bootnode else "full"


def _program(table: Table, defaults: Defaults) -> Group:
    result: Group = {}
    image = table.text("image")
    if image:
        result["image"] = image
    whole = table.text("command_with_args")
    if whole and (image or defaults.image):
        table.account.differs(
            table.at("command_with_args"), "is taken unchanged; {name}, {spec}, {data} and others are filled in"
        )
        return result | {"client": "command", "program": shlex.split(whole)}
    if whole:
        table.account.leave_out(table.at("command_with_args"), "your own command needs an image")
    own = program(table, "command", relay=defaults.relay)
    chosen = own or defaults.program
    if chosen.client != defaults.program.client:
        result["client"] = chosen.client
    if chosen.words:
        result["program"] = list(chosen.words)
    return result


def _keys(table: Table, given: Arguments, count: int) -> Group:
    if given.dev is None:
        return {}
    if count != 1 or table.flag("validator") is False:
        table.account.leave_out(
            given.dev_path, f"--{given.dev} is for a single authoring node; keys come from the seed"
        )
        return {}
    return {"keys": {"dev": [given.dev]}}


def _environment(table: Table) -> dict[str, str]:
    found: dict[str, str] = {}
    for variable in table.tables("env"):
        name, value = variable.text("name"), variable.take("value")
        if name and _VARIABLE.match(name) and value is not None:
            found[name] = str(value)
        else:
            variable.account.leave_out(variable.path, "is not a variable with a name and a value")
    return found


def _prometheus_prefix(table: Table, name: str) -> None:
    prefix = table.text(name)
    if prefix not in {None, "substrate"}:
        table.account.leave_out(table.at(name), "the catalogue of signals knows only the prefix `substrate`")


def prefix_of_chain(table: Table) -> None:
    """A chain's default prefix of metrics, under either of its names."""
    _prometheus_prefix(table, "default_prometheus_prefix")
    _prometheus_prefix(table, "prometheus_prefix")
