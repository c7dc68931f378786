"""Calls a runtime's `GenesisBuilder`: its presets, and the storage for a genesis configuration.

Called by `genesis` for real runtimes. The API is defined in `substrate/primitives/genesis-builder/src/lib.rs` and
`substrate/client/chain-spec/src/{genesis_config_builder,json_patch}.rs` of polkadot-sdk.
"""

import json
from collections.abc import Mapping
from typing import Any

from orchestrator.errors import GenesisError, RuntimeApiError, RuntimeCallError
from orchestrator.runtime.executor import Executor
from orchestrator.runtime.hashing import blake2_64
from orchestrator.runtime.storage import Storage
from orchestrator.scale import Reader, text, vector

CODE = b":code"
_API = "GenesisBuilder"
_IDENTITY = blake2_64(_API.encode())

Config = dict[str, Any]


def preset_names(runtime: Executor) -> tuple[str, ...]:
    """The names of a runtime's presets.

    Raises:
        RuntimeApiError: the runtime has no GenesisBuilder. As in all functions of this module.
        RuntimeCallError: the call fails. As in all functions of this module.
    """
    reader = Reader(_called(runtime, "preset_names", b"", Storage()))
    return tuple(reader.text() for _ in range(reader.compact()))


def preset(runtime: Executor, name: str | None) -> Config:
    """A preset, which has only the differences from the default. For None, the whole default configuration.

    Raises:
        GenesisError: the runtime has no such preset.
    """
    identity = b"\0" if name is None else b"\1" + text(name)
    reader = Reader(_called(runtime, "get_preset", identity, Storage()))
    if reader.u8() == 0:
        there = ", ".join(preset_names(runtime)) or "none"
        raise GenesisError(f"{_title(runtime)} has no genesis preset {name}", hint=f"it has: {there}")
    config: Config = json.loads(reader.vector())
    return config


def build_state(runtime: Executor, code: bytes, config: Config) -> Storage:
    """The genesis storage for a configuration, including `:code`. Omitted fields have their default values.

    Raises:
        GenesisError: the runtime refuses the configuration, with its reason, or panics.
    """
    storage = Storage()
    document = json.dumps(completed(preset(runtime, None), config), sort_keys=True, separators=(",", ":")).encode()
    try:
        reader = Reader(_called(runtime, "build_state", vector(document), storage))
    except RuntimeApiError:
        raise
    except RuntimeCallError as error:
        raise GenesisError(f"{_title(runtime)} failed over its genesis: {error.message}", log=error.log) from error
    if reader.u8() != 0:
        raise GenesisError(f"{_title(runtime)} refuses its genesis: {reader.text()}")
    storage.set(CODE, code)
    return storage


def merged(config: Any, patch: Any) -> Any:
    """A JSON merge patch (RFC 7396): objects are merged, null removes, anything else replaces."""
    if not isinstance(patch, Mapping):
        return patch
    result = dict(config) if isinstance(config, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def completed(default: Any, config: Any) -> Any:
    """The default with the configuration merged over it, as nodes do it. A null is a value and removes nothing."""
    if not isinstance(default, Mapping) or not isinstance(config, Mapping):
        return config
    return {**default, **{key: completed(default.get(key), value) for key, value in config.items()}}


def _called(runtime: Executor, function: str, payload: bytes, storage: Storage) -> bytes:
    if _IDENTITY not in dict(runtime.blob.version.apis):
        raise RuntimeApiError(
            f"{_title(runtime)} has no {_API}, so its genesis cannot be built from outside",
            hint="give a raw chain spec (`specFile`) or a newer runtime",
        )
    return runtime.call(f"{_API}_{function}", payload, storage).output


def _title(runtime: Executor) -> str:
    return f"the runtime {runtime.blob.version.spec_name} {runtime.blob.version.spec_version}"
