"""Reads the output of zombie-bite's `bite`: a fork of a live network as specs and databases. Called by `cli.importing`.

The format is that of `crates/zombie-bite-core/src/{doppelganger,manifest,overrides}.rs` of paritytech/zombie-bite: a
`manifest.json` beside a folder with `config.toml` (a network definition of zombienet's SDK), and a spec and an archive
for each chain. Validators are well-known accounts. A parachain's only collator has the key `//Collator-ID`.
"""

import hashlib
import json
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from orchestrator.errors import UsageError
from orchestrator.spec import API_VERSION
from orchestrator.spec.node import Keys

Document = dict[str, Any]

_DEVELOPMENT: frozenset[str] = frozenset(
    name for one in get_args(Keys.model_fields["dev"].annotation) for kind in get_args(one) for name in get_args(kind)
)


@dataclass(frozen=True, slots=True)
class Bite:
    """A Testnet as a document, the files that it names and that must be written, and remarks for the user."""

    document: Document
    files: Mapping[str, str]
    remarks: tuple[str, ...]


def read_bite(directory: Path, *, archives: str, name: str, rebase: Callable[[Path], str]) -> Bite:
    """Turns the fork in a folder into a Testnet.

    Args:
        directory: the base path of `zombie-bite bite`, or an unpacked bundle.
        archives: the URL under which the nodes find the archives, by their names.
        name: the Testnet's name.
        rebase: returns a spec's path as the Testnet must write it.

    Raises:
        UsageError: the folder is not the output of a bite. Names what is missing.
    """
    manifest = _read(directory / "manifest.json", json.loads)
    try:
        folder = directory / manifest["bundle"] if (directory / manifest["bundle"]).is_dir() else directory
        config = _read(folder / "config.toml", tomllib.loads)
        chain = _Chain(folder, archives.rstrip("/"), rebase)
        relay = _relay(chain, manifest["relay"], config["relaychain"])
        by_id = {para["id"]: para for para in config.get("parachains", ())}
        parachains = [_parachain(chain, entry, by_id[entry["para_id"]]) for entry in manifest["parachains"]]
    except (KeyError, TypeError) as error:
        raise UsageError(f"{directory} is not a readable bite: {error!r}") from error
    spec: Document = {"devKeys": True, "isolation": {"forkId": name}, "relaychain": relay}
    if parachains:
        spec["parachains"] = parachains
    keys = {f"collator-{entry['para_id']}.txt": f"//Collator-{entry['para_id']}\n" for entry in manifest["parachains"]}
    document = {"apiVersion": API_VERSION, "kind": "Testnet", "metadata": {"name": name}, "spec": spec}
    return Bite(document, keys, tuple(_remarks(manifest)))


@dataclass(frozen=True, slots=True)
class _Chain:
    """A chain's files in the folder, by their naming scheme."""

    folder: Path
    archives: str
    rebase: Callable[[Path], str]

    def spec_file(self, entry: Document) -> str:
        return self.rebase(_there(self.folder / entry["spec_file"]))

    def snapshot(self, entry: Document) -> Document:
        file = _there(self.folder / entry["snapshot_file"])
        with file.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        return {"archive": {"url": f"{self.archives}/{file.name}", "sha256": digest}}


def _relay(chain: _Chain, entry: Document, config: Document) -> Document:
    names = [str(node["name"]) for node in config["nodes"]]
    if strangers := [name for name in names if name not in _DEVELOPMENT]:
        raise UsageError(f"validators {', '.join(strangers)} are not among {', '.join(sorted(_DEVELOPMENT))}")
    group: Document = {
        "name": "validator",
        "role": "validator",
        "count": len(names),
        "keys": {"dev": names},
        "env": {one["name"]: one["value"] for one in config["nodes"][0].get("env", ())},
        **_database(config.get("default_args", ())),
        "snapshot": chain.snapshot(entry),
    }
    client = {"client": "polkadot", **_image(config)}
    return {**client, "specFile": chain.spec_file(entry), "groups": [group]}


def _parachain(chain: _Chain, entry: Document, config: Document) -> Document:
    para_id = int(entry["para_id"])
    args = [str(one) for one in config["collators"][0].get("args", ())]
    group: Document = {
        "name": f"collator-{para_id}",
        "role": "collator",
        "keys": {"file": f"collator-{para_id}.txt"},
        "args": ["--force-authoring"],
        **_database(args),
        "snapshot": chain.snapshot(entry),
    }
    authoring = {"authoring": "slot-based"} if "--authoring=slot-based" in args else {}
    client = {"client": "polkadot-parachain", **_image(config)}
    return {"id": para_id, **client, "specFile": chain.spec_file(entry), "relay": "rpc", **authoring, "groups": [group]}


def _database(args: Iterable[object]) -> Document:
    """The settings of the database, which must be opened with the options with which it was created."""
    said = dict(str(one).partition("=")[::2] for one in args)
    fields = {"database": said.get("--database"), "pruning": said.get("--state-pruning")}
    return {field: value for field, value in fields.items() if value}


def _image(config: Document) -> Document:
    return {"image": config["default_image"]} if "default_image" in config else {}


def _remarks(manifest: Document) -> Iterable[str]:
    yield "put the archives where the nodes can fetch them; their checksums are in the file"
    if "polkadot" in str(manifest["relay"]["chain"]) and any(one["para_id"] == 1000 for one in manifest["parachains"]):
        yield "Polkadot's Asset Hub has ed25519 keys for Aura, and coalmine gives its nodes sr25519: it will not author"
    for entry in (manifest["relay"], *manifest["parachains"]):
        if entry.get("upgrade_file"):
            yield f"{entry['chain']} has an authorised upgrade: anybody may apply {entry['upgrade_file']}"


def _there(file: Path) -> Path:
    if not file.is_file():
        raise UsageError(f"there is no file {file}, which the manifest names")
    return file


def _read(file: Path, parse: Callable[[str], Any]) -> Document:
    try:
        found: Document = parse(_there(file).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{file} cannot be read: {error}") from error
    return found
