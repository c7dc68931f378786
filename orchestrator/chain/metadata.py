"""Encodes and decodes with a runtime's metadata. Within this package only this module imports the SCALE library.

Called by `runtimes`, which caches a few instances, by `extrinsics` and by `substrate`. The library (`scalecodec`, the
SCALE part of substrate-interface) creates thousands of classes for one runtime, about 60 MB. It shares other classes
between runtimes through class attributes, so all code here holds one lock while it uses the library.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from scalecodec.base import RuntimeConfigurationObject, ScaleBytes
from scalecodec.type_registry import load_type_registry_preset

from orchestrator.chain import storage_keys
from orchestrator.chain.port import Event
from orchestrator.chain.vocabulary import Vocabulary
from orchestrator.errors import ChainError
from orchestrator.genesis.header import blake2_256

_LOCK = threading.Lock()
_ADDRESSES = 42
"""The SS58 prefix of decoded accounts, for every chain, as in `grandpa_roundState`."""

_HASHERS: dict[str, Callable[[bytes], bytes]] = {
    "Identity": lambda data: data,
    "Twox64Concat": storage_keys.twox64_concat,
    "Twox128": storage_keys.twox128,
    "Twox256": storage_keys.twox256,
    "Blake2_128": storage_keys.blake2_128,
    "Blake2_128Concat": storage_keys.blake2_128_concat,
    "Blake2_256": blake2_256,
}

_FIELDS = {
    "Paras.PvfCheckStarted": ("code_hash", "para_id"),
    "Paras.PvfCheckAccepted": ("code_hash", "para_id"),
    "Paras.PvfCheckRejected": ("code_hash", "para_id"),
    "Paras.CurrentCodeUpdated": ("para_id",),
    "Paras.CurrentHeadUpdated": ("para_id",),
    "Paras.CodeUpgradeScheduled": ("para_id",),
    "Paras.NewHeadNoted": ("para_id",),
    "Paras.ActionQueued": ("para_id", "session"),
    "ParaInclusion.CandidateBacked": ("receipt", "head", "core", "group"),
    "ParaInclusion.CandidateIncluded": ("receipt", "head", "core", "group"),
    "ParaInclusion.CandidateTimedOut": ("receipt", "head", "core"),
}
"""Names for fields of events that have none in their pallets (`polkadot/runtime/parachains/src/{paras,inclusion}`)."""


@dataclass(frozen=True, slots=True)
class Extension:
    """A signed extension: what it adds to the transaction (`extra`), and what it adds only to the signed data."""

    name: str
    extra: str
    additional: str


class Metadata:
    """A runtime's description of its calls, events, storage and errors.

    Raises:
        ChainError: in the constructor, if the bytes are not metadata of version 14. In methods, if the runtime does not
            have a name, or a value does not fit its type.
    """

    def __init__(self, raw: bytes) -> None:
        with _reading("the metadata"):
            self._types = RuntimeConfigurationObject(ss58_format=_ADDRESSES, implements_scale_info=True)
            self._types.clear_type_registry()
            self._types.update_type_registry(load_type_registry_preset(name="core"))
            self._metadata = self._types.create_scale_object("MetadataVersioned", data=ScaleBytes(raw))
            self._metadata.decode()
            self._types.add_portable_registry(self._metadata)
            extrinsic = self._metadata[1][1]["extrinsic"].value
        self.extrinsic_version: int = extrinsic["version"]
        self.extensions = tuple(
            Extension(one["identifier"], f"scale_info::{one['ty']}", f"scale_info::{one['additional_signed']}")
            for one in extrinsic["signed_extensions"]
        )

    def encode(self, kind: str, value: Any) -> bytes:
        """Encodes a value. `kind` is a type as in `Extension`, or one of the library's own names."""
        with _reading(f"a value of {kind}"):
            return bytes(self._types.create_scale_object(kind).encode(value).data)

    def decode(self, kind: str, raw: bytes) -> Any:
        with _reading(f"a value of {kind}"):
            return self._decode(kind, raw)

    def is_empty(self, kind: str) -> bool:
        """Whether a type has no data at all: a composite or tuple that contains only such types."""
        with _reading(kind):
            definition = self._types.get_decoder_class(kind).scale_info_type.value["def"]
        if "composite" in definition:
            inner = [field["type"] for field in definition["composite"]["fields"]]
        elif "tuple" in definition:
            inner = list(definition["tuple"])
        else:
            return False
        return all(self.is_empty(f"scale_info::{one}") for one in inner)

    def call(self, pallet: str, name: str, /, **arguments: Any) -> bytes:
        """An encoded call. An argument that is itself a call is given as encoded bytes."""
        fields = self._fields(pallet, name)
        if set(fields) != set(arguments):
            raise ChainError(f"{pallet}.{name} takes {', '.join(fields) or 'nothing'}, not {', '.join(arguments)}")
        pieces = []
        for field, kind in fields.items():
            given = arguments[field]
            pieces.append(given.raw if isinstance(given, Encoded) else self.encode(kind, given))
        return self._index(pallet, name) + b"".join(pieces)

    def vocabulary(self) -> Vocabulary:
        """All storage items and events. Storage goes by its prefix, which is what a key is made of."""
        storage, events = set(), set()
        with _reading("the names"):
            for pallet in self._metadata.pallets:
                entries = pallet.value["storage"] or {"prefix": "", "entries": ()}
                storage |= {f"{entries['prefix']}.{entry['name']}" for entry in entries["entries"]}
                events |= {f"{pallet.name}.{event.name}" for event in pallet.events or ()}
        return Vocabulary(frozenset(storage), frozenset(events))

    # Storage

    def storage_key(self, pallet: str, item: str, *keys: Any) -> bytes:
        """The key of a value or of a map's entry. With fewer keys than the map has, the prefix of the entries."""
        entry = self._entry(pallet, item)
        prefix = self._pallet(pallet).value["storage"]["prefix"]
        with _reading(f"the keys of {pallet}.{item}"):
            kinds = entry.get_params_type_string()
            hashers = entry.get_param_hashers() if kinds else []
            if len(keys) > len(kinds):
                raise ChainError(f"{pallet}.{item} has {len(kinds)} keys, not {len(keys)}")
            encoded = [
                bytes(self._types.create_scale_object(kind).encode(key).data)
                for kind, key in zip(kinds, keys, strict=False)
            ]
        hashed = (_HASHERS[hasher](one) for hasher, one in zip(hashers, encoded, strict=False))
        return storage_keys.value(prefix, item) + b"".join(hashed)

    def key_count(self, pallet: str, item: str) -> int:
        """How many keys an entry has; 0 for a plain value."""
        entry = self._entry(pallet, item)
        with _reading(f"{pallet}.{item}"):
            return len(entry.get_params_type_string())

    def storage_value(self, pallet: str, item: str, raw: bytes | None) -> Any:
        """The decoded value: dictionaries, lists, numbers and texts. If nothing is stored, the default or None."""
        entry = self._entry(pallet, item)
        if raw is None:
            if entry.value["modifier"] != "Default":
                return None
            raw = bytes(entry.value_object["default"].value_object)
        with _reading(f"{pallet}.{item}"):
            return self._decode(entry.get_value_type_string(), raw)

    # Events

    def events(self, raw: bytes | None) -> tuple[Event, ...]:
        """The events of a block, from its `System.Events`."""
        records = self.storage_value("System", "Events", raw) or ()
        return tuple(self._event(record) for record in records)

    def _event(self, record: dict[str, Any]) -> Event:
        found = record["attributes"]
        if found is None:
            data: dict[str, Any] = {}
        elif isinstance(found, dict):
            data = found
        else:  # The fields have no names, as in older pallets.
            fields = found if isinstance(found, tuple) else (found,)
            names = _FIELDS.get(f"{record['module_id']}.{record['event_id']}", ())
            if len(names) != len(fields):
                names = tuple(map(str, range(len(fields))))
            data = dict(zip(names, fields, strict=True))
        return Event(record["module_id"], record["event_id"], self._named(data), record["extrinsic_idx"])

    def _named(self, value: Any) -> Any:
        """The value, with each `Module` error replaced by its name, such as `System.SpecVersionNeedsToIncrease`."""
        if isinstance(value, dict):
            if set(value) == {"Module"} and isinstance(value["Module"], dict) and "error" in value["Module"]:
                return self.error(value["Module"]["index"], value["Module"]["error"])
            return {key: self._named(one) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [self._named(one) for one in value]
        return value

    def error(self, pallet: int, error: str | int) -> str:
        """The name of a pallet's error. `error` is its number, or its SCALE encoding: four bytes, the first counts."""
        number = bytes.fromhex(error[2:])[0] if isinstance(error, str) else error
        with _reading("an error"):
            for one in self._metadata.pallets:
                if one.value["index"] == pallet:
                    found = one.errors[number] if one.errors and number < len(one.errors) else None
                    return f"{one.name}.{found.name if found is not None else number}"
        return f"{pallet}.{number}"

    # The library

    def _decode(self, kind: str, raw: bytes) -> Any:
        found = self._types.create_scale_object(kind, data=ScaleBytes(raw), metadata=self._metadata)
        return found.decode()

    def _pallet(self, pallet: str) -> Any:
        found = self._metadata.get_metadata_pallet(pallet)
        if found is None:
            raise ChainError(f"the runtime has no pallet {pallet}")
        return found

    def _entry(self, pallet: str, item: str) -> Any:
        found = self._pallet(pallet)
        entry = found.get_storage_function(item) if found.value["storage"] else None
        if entry is None:
            raise ChainError(f"the runtime has no storage {pallet}.{item}")
        return entry

    def _variant(self, pallet: str, name: str) -> Any:
        for one in self._pallet(pallet).calls or ():
            if one.name == name:
                return one
        raise ChainError(f"the runtime has no call {pallet}.{name}")

    def _fields(self, pallet: str, name: str) -> dict[str, str]:
        return {field["name"]: f"scale_info::{field['type']}" for field in self._variant(pallet, name).value["fields"]}

    def _index(self, pallet: str, name: str) -> bytes:
        return bytes([self._pallet(pallet).value["index"], self._variant(pallet, name).value["index"]])


@dataclass(frozen=True, slots=True)
class Encoded:
    """An argument that is already SCALE-encoded."""

    raw: bytes


@contextmanager
def _reading(what: str) -> Iterator[None]:
    """Holds the lock, and turns the library's many exceptions into ChainError."""
    with _LOCK:
        try:
            yield
        except ChainError:
            raise
        except Exception as error:
            raise ChainError(f"{what} cannot be read or written: {type(error).__name__}: {error}") from error
