"""Reads network definitions of zombienet, version 1 and SDK, in TOML, JSON or YAML. Called by `cli.importing`.

The formats are described in docs/src/network-definition-spec.md of paritytech/zombienet and in docs/src/network-spec/
of its SDK.
"""

import json
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import yaml

from orchestrator.errors import Mistake, SpecError, UsageError
from orchestrator.importing import chains, reasons, template
from orchestrator.importing.account import Account, Finding, Table
from orchestrator.importing.chains import Surroundings
from orchestrator.importing.nodes import Group, Names, label
from orchestrator.spec import API_VERSION


@dataclass(frozen=True, slots=True)
class Imported:
    """A Testnet as a document, and the parts of the definition that are left out or differ."""

    document: dict[str, Any]
    findings: tuple[Finding, ...]


def read_definition(
    text: str,
    file: str,
    *,
    environment: Mapping[str, str],
    name: str | None = None,
    runtimes: Mapping[str, str] | None = None,
    rebase: Callable[[str], str] = str,
) -> Imported:
    """The Testnet for a definition, by default named after its file.

    Raises:
        UsageError: the file's name does not tell its format.
        SpecError: the text is not in that format, or is not a network definition. Holds every mistake.
    """
    filled, defaulted = template.rendered(text, environment, file)
    data = _parsed(filled, file)
    account = Account()
    for variable in defaulted:
        account.differs(f"{{{{{variable}}}}}", f"is not set; zombienet's default {template.IMAGES[variable]} is used")
    around = Surroundings(runtimes=runtimes or {}, rebase=rebase)
    spec = _spec(Table(data, "", account), around)
    account.settle(data)
    if account.mistakes:
        raise SpecError(tuple(Mistake(file, 0, wrong.path, wrong.reason) for wrong in account.mistakes))
    document = {
        "apiVersion": API_VERSION,
        "kind": "Testnet",
        "metadata": {"name": label(name or PurePath(file).stem)},
        "spec": spec,
    }
    return Imported(document, tuple(dict.fromkeys(account.findings)))


def _spec(table: Table, around: Surroundings) -> Group:
    names = Names()
    relay = table.table("relaychain")
    if relay is None:
        table.mistake("relaychain", "a network definition has a relay chain")
        return {}
    spec: Group = {"relaychain": chains.relaychain(relay, names, around)}
    found = [chains.parachain(one, names, around) for one in table.tables("parachains")]
    if parachains := [one for one in found if one is not None]:
        spec["parachains"] = parachains
    spec |= _channels(table, parachains) | _settings(table, spec["relaychain"], names)
    groups = [group for chain in (spec["relaychain"], *parachains) for group in chain["groups"]]
    if any("keys" in group for group in groups):
        spec["devKeys"] = True
    table.refuse(reasons.TOP)
    return spec


def _channels(table: Table, parachains: list[Group]) -> Group:
    registered = {chain["id"] for chain in parachains if chain.get("onboarding", "genesis") == "genesis"}
    found: list[Group] = []
    for channel in table.tables("hrmp_channels"):
        ends = {end: channel.whole(end) for end in ("sender", "recipient")}
        sizes = {"maxCapacity": channel.whole("max_capacity"), "maxMessageSize": channel.whole("max_message_size")}
        if all(end in registered for end in ends.values()):
            found.append({**ends, **{key: value for key, value in sizes.items() if value is not None}})
        else:
            table.account.leave_out(channel.path, "a channel is between two parachains that are registered in genesis")
    return {"hrmpChannels": found} if found else {}


def _settings(table: Table, relaychain: Group, names: Names) -> Group:
    settings = table.table("settings")
    if settings is None:
        return {}
    if settings.text("provider") not in {None, "kubernetes", "k8s"}:
        settings.refuse({"provider": "coalmine runs on Kubernetes, `coalmine lab up` on this machine"})
    if settings.flag("bootnode"):
        relaychain["groups"].append({"name": names.free("bootnode"), "role": "bootnode"})
    if settings.flag("isolate_env") is False:
        settings.refuse({"isolate_env": "a network is always isolated, by its protocol id and network policies"})
    if settings.flag("prometheus") is False:
        settings.refuse({"prometheus": "gates need a Prometheus: the network's own, or `observability.existing`"})
    observability = settings.table("observability")
    if observability is not None:
        if observability.flag("enabled") is False:
            observability.refuse({"enabled": "gates need a Prometheus: the network's own, or `observability.existing`"})
        observability.refuse(reasons.OBSERVABILITY)
    settings.refuse(reasons.SETTINGS)
    return {}


# Formats


def _parsed(text: str, file: str) -> dict[str, Any]:
    suffix = PurePath(file).suffix.lower()
    try:
        if suffix == ".toml":
            data: Any = tomllib.loads(text)
        elif suffix == ".json":
            data = json.loads(text)
        elif suffix in {".yaml", ".yml"}:
            data = yaml.safe_load(text)
        else:
            raise UsageError(
                f"{file} is not a network definition", hint="its name must end in .toml, .json, .yaml or .yml"
            )
    except (tomllib.TOMLDecodeError, json.JSONDecodeError, yaml.YAMLError) as error:
        raise SpecError(
            (Mistake(file, _line_of(error, text), "", f"not {suffix[1:].upper()}: {_words(error)}"),)
        ) from error
    if not isinstance(data, dict):
        raise SpecError((Mistake(file, 0, "", "a network definition is a table with a relaychain"),))
    return data


def _line_of(error: Exception, text: str) -> int:
    mark = getattr(error, "problem_mark", None)
    if mark is not None:
        return int(mark.line) + 1
    if isinstance(error, json.JSONDecodeError):
        return error.lineno
    match = re.search(r"at line (\d+)", str(error))
    return int(match[1]) if match else text.count("\n") + 1


def _words(error: Exception) -> str:
    return str(getattr(error, "problem", None) or getattr(error, "msg", None) or error).partition("(at ")[0].strip()
