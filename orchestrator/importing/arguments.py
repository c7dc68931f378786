"""Sorts a node's arguments in zombienet's files: those with a field in the Testnet, those that coalmine sets itself.

Called by `chains` and `nodes`.
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field

from orchestrator.importing.account import Account

DEV = ("alice", "bob", "charlie", "dave", "eve", "ferdie")

_OWN = frozenset(
    (
        *("name", "chain", "base-path", "d", "tmp", "dev", "validator", "collator", "bootnodes", "reserved-nodes"),
        *("node-key", "node-key-file", "node-key-type", "keystore-path", "insecure-validator-i-know-what-i-do"),
        *("port", "listen-addr", "public-addr", "rpc-port", "ws-port", "experimental-rpc-endpoint"),
        *("rpc-external", "ws-external", "unsafe-rpc-external", "unsafe-ws-external", "rpc-cors", "rpc-methods"),
        *("prometheus-port", "prometheus-external", "no-prometheus", "no-telemetry", "telemetry-url"),
        *("no-mdns", "allow-private-ip", "discover-local", "relay-chain-rpc-urls", "relay-chain-rpc-url"),
    )
)
"""Options that coalmine sets, or that would undo what it sets. A client refuses most of them if they come twice."""

_PRUNING = re.compile(r"^(archive|archive-canonical|[1-9]\d*)$")
_DATABASES = ("auto", "rocksdb", "paritydb")
EXCLUDED = "-:"


@dataclass(slots=True)
class Arguments:
    """Sorted arguments: those to pass on, and those with a field in the Testnet."""

    args: list[str] = field(default_factory=list)
    fields: dict[str, str] = field(default_factory=dict)
    """The fields `database` and `pruning` of a group."""
    dev: str | None = None
    """The development account that the node uses, and the path where the file says so."""
    dev_path: str = ""
    authoring: str | None = None


@dataclass(slots=True)
class _Option:
    """An option with its values, and the path of each."""

    paths: list[str]
    parts: list[str]

    @property
    def name(self) -> str:
        return self.parts[0].partition("=")[0].lstrip("-")

    @property
    def value(self) -> str:
        inline = self.parts[0].partition("=")[2]
        return inline or " ".join(self.parts[1:])


def sorted_out(words: list[str], path: str, account: Account) -> Arguments:
    """Sorts the words of the list of arguments at `path`. Those that cannot be passed on are listed."""
    result = Arguments()
    for option in _options(words, path, account):
        _sort(option, result, account)
    return result


def _sort(option: _Option, result: Arguments, account: Account) -> None:
    name, value = option.name, option.value
    if option.parts[0].startswith(EXCLUDED):
        result.args += [EXCLUDED + "--" + option.parts[0].removeprefix(EXCLUDED).lstrip("-"), *option.parts[1:]]
    elif any("{{ZOMBIE:" in part.upper() for part in option.parts):
        _leave_out(option, "properties of other nodes are not known when nodes are planned", account)
    elif name in DEV and result.dev is None:
        result.dev, result.dev_path = name, option.paths[0]
    elif name in {"one", "two"}:
        _leave_out(option, f"--{name} uses an account that `keys.dev` does not have; keys come from the seed", account)
    elif name in _OWN:
        _leave_out(option, f"coalmine decides --{name} itself, by role and place", account)
    elif name in {"database", "db"} and value in _DATABASES:
        result.fields["database"] = value
    elif name in {"pruning", "state-pruning", "blocks-pruning"} and _PRUNING.match(value):
        result.fields["pruning"] = value
    elif name == "authoring" and value in {"lookahead", "slot-based"}:
        result.authoring = value
    elif name == "experimental-use-slot-based":
        result.authoring = "slot-based"
    else:
        result.args += option.parts


def _leave_out(option: _Option, reason: str, account: Account) -> None:
    for path in dict.fromkeys(option.paths):
        account.leave_out(path, reason)


def _options(words: list[str], path: str, account: Account) -> Iterator[_Option]:
    option: _Option | None = None
    for index, word in enumerate(words):
        for part in _split(word):
            where = f"{path}[{index}]"
            if part == "--":
                for after in range(index, len(words)):
                    account.leave_out(f"{path}[{after}]", "coalmine decides about the relay node inside a collator")
                if option:
                    yield option
                return
            if option is not None and not part.startswith("-"):
                option.parts.append(part)
                option.paths.append(where)
                continue
            if option:
                yield option
            option = _Option([where], [part])
    if option:
        yield option


def _split(word: str) -> list[str]:
    """Splits an entry, which may contain an option and its value: zombienet puts all of them into one shell line."""
    word = word.strip()
    if not word.startswith("-") or not re.search(r"\s", word):
        return [word] if word else []
    try:
        return shlex.split(word)
    except ValueError:
        return word.split()
