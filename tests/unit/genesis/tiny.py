"""A runtime in wasm's text form whose GenesisBuilder has one preset and writes what it is told into storage."""

import json

import wasmtime

from orchestrator.runtime import blob, hashing
from orchestrator.scale import compact
from orchestrator.spec.runtime import ModelRuntime

PRESET_AT, RECEIVED = 8192, b"received"


def runtime(preset):
    """Code whose presets, the default one too, are all `preset`; `build_state` stores its argument as it came."""
    document = json.dumps(preset).encode()
    answer = b"\1" + compact(len(document)) + document
    data = "".join(f"\\{byte:02x}" for byte in answer)
    source = f"""(module
      (import "env" "memory" (memory 2))
      (import "env" "ext_storage_set_version_1" (func $set (param i64 i64)))
      (global (export "__heap_base") i32 (i32.const 65536))
      (data (i32.const 16) "{RECEIVED.decode()}")
      (data (i32.const {PRESET_AT}) "{data}")
      (func (export "GenesisBuilder_get_preset") (param i32 i32) (result i64)
        (i64.const {PRESET_AT | len(answer) << 32}))
      (func (export "GenesisBuilder_build_state") (param i32 i32) (result i64)
        (call $set (i64.const {16 | len(RECEIVED) << 32})
          (i64.or (i64.extend_i32_u (local.get 0)) (i64.shl (i64.extend_i32_u (local.get 1)) (i64.const 32))))
        (i64.const {0 | 1 << 32})))"""
    sections = dict(blob._custom_sections(blob.model_blob(ModelRuntime(spec_name="tiny", spec_version=7))))
    apis = sections["runtime_apis"] + hashing.blake2_64(b"GenesisBuilder") + (1).to_bytes(4, "little")
    code = bytes(wasmtime.wat2wasm(source)) + blob._section("runtime_version", sections["runtime_version"])
    return code + blob._section("runtime_apis", apis)
