"""Reads the custom sections of runtime code, and makes model runtimes, which consist only of such sections.

Called by genesis, the controller's preflight and simnode, so that all of them treat a blob the same way. The sections
`runtime_version` and `runtime_apis` are those of `substrate/primitives/version/proc-macro`. The compression is that of
`substrate/primitives/maybe-compressed-blob`.
"""

import functools
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orchestrator.errors import RuntimeBlobError
from orchestrator.scale import Reader, compact, text

if TYPE_CHECKING:  # The spec's models import pydantic, which simnode does not need when it starts.
    from orchestrator.spec.runtime import ModelRuntime

COMPRESSED = bytes.fromhex("52bc537646db8e05")
BOMB_LIMIT = 50 * 1024 * 1024
"""`CODE_BLOB_BOMB_LIMIT` of polkadot-sdk, in bytes."""

_WASM = b"\0asm\x01\0\0\0"
_MODEL = "coalmine_model"
_CORE_API = bytes.fromhex("df6acb689907609b")
"""The identifier of the runtime API `Core`, which every runtime has. Its version tells how the version is encoded."""


@dataclass(frozen=True, slots=True)
class RuntimeVersion:
    """`sp_version::RuntimeVersion`."""

    spec_name: str
    impl_name: str
    authoring_version: int
    spec_version: int
    impl_version: int
    apis: tuple[tuple[bytes, int], ...]
    transaction_version: int
    system_version: int


@dataclass(frozen=True, slots=True)
class RuntimeBlob:
    """A runtime. `behaviour` describes a model runtime; None for a real one. `code_hash` is of the whole blob."""

    version: RuntimeVersion
    behaviour: dict[str, Any] | None
    code_hash: bytes


def model_blob(runtime: "ModelRuntime") -> bytes:
    """The code of a model runtime: a wasm module with only custom sections. Equal descriptions give equal bytes."""
    version = (
        text(runtime.spec_name)
        + text("coalmine-model")
        + (1).to_bytes(4, "little")
        + runtime.spec_version.to_bytes(4, "little")
        + (0).to_bytes(4, "little")
        + compact(1)
        + _CORE_API
        + (5).to_bytes(4, "little")
        + runtime.transaction_version.to_bytes(4, "little")
        + b"\x01"
    )
    behaviour = json.dumps(runtime.model_dump(mode="json"), sort_keys=True, separators=(",", ":")).encode()
    sections = (
        ("runtime_version", version),
        ("runtime_apis", _CORE_API + (5).to_bytes(4, "little")),
        (_MODEL, behaviour),
    )
    return _WASM + b"".join(_section(name, content) for name, content in sections)


@functools.lru_cache(maxsize=64)
def read(code: bytes) -> RuntimeBlob:
    """Reads the code's version and behaviour.

    Raises:
        RuntimeBlobError: it is not a runtime. The message says why.
    """
    sections = dict(_custom_sections(decompressed(code)))
    if "runtime_version" not in sections:
        raise RuntimeBlobError("the wasm has no section runtime_version, so it is not a runtime")
    try:
        version = _version(Reader(sections["runtime_version"]), sections.get("runtime_apis"))
        behaviour = json.loads(sections[_MODEL]) if _MODEL in sections else None
    except ValueError as error:
        raise RuntimeBlobError(f"the section runtime_version cannot be read: {error}") from error
    return RuntimeBlob(version, behaviour, hashlib.blake2b(code, digest_size=32).digest())


def version_section(code: bytes) -> bytes:
    """The encoded version in the code.

    Raises:
        RuntimeBlobError: it is not a runtime, or cannot be decompressed.
    """
    section = dict(_custom_sections(decompressed(code))).get("runtime_version")
    if section is None:
        raise RuntimeBlobError("the wasm has no section runtime_version, so it is not a runtime")
    return section


def decompressed(code: bytes) -> bytes:
    """The plain wasm. Raises RuntimeBlobError if the code cannot be decompressed."""
    if not code.startswith(COMPRESSED):
        return code
    import zstandard  # noqa: PLC0415  A model runtime needs none, and a simnode of nothing else saves the memory.

    try:
        with zstandard.ZstdDecompressor(max_window_size=2**27).stream_reader(code[len(COMPRESSED) :]) as stream:
            wasm = stream.read(BOMB_LIMIT + 1)
    except zstandard.ZstdError as error:
        raise RuntimeBlobError(f"the compressed code cannot be read: {error}") from error
    if len(wasm) > BOMB_LIMIT:
        raise RuntimeBlobError(f"the code is larger than {BOMB_LIMIT} bytes when decompressed")
    return wasm


def _custom_sections(wasm: bytes) -> Iterator[tuple[str, bytes]]:
    """The names and contents of the custom sections (WebAssembly core specification, 5.5.3)."""
    if not wasm.startswith(_WASM[:4]):
        raise RuntimeBlobError("this is not wasm: it does not begin with \\0asm")
    at = len(_WASM)
    try:
        while at < len(wasm):
            kind = wasm[at]
            size, start = _leb128(wasm, at + 1)
            at = start + size
            if at > len(wasm):
                raise RuntimeBlobError("the wasm ends in the middle of a section")
            if kind == 0:
                length, name = _leb128(wasm, start)
                yield wasm[name : name + length].decode(), wasm[name + length : at]
    except (IndexError, UnicodeDecodeError) as error:
        raise RuntimeBlobError(f"the wasm's sections cannot be read: {error}") from error


def _version(reader: Reader, section: bytes | None) -> RuntimeVersion:
    """The version. A section `runtime_apis` replaces the list inside it (`client/executor/src/wasm_runtime.rs`)."""
    spec_name, impl_name = reader.text(), reader.text()
    authoring, spec, impl = reader.u32(), reader.u32(), reader.u32()
    apis = tuple((reader.take(8), reader.u32()) for _ in range(reader.compact()))
    if section is not None:
        entries = Reader(section)
        apis = tuple((entries.take(8), entries.u32()) for _ in range(len(section) // 12))
    return RuntimeVersion(
        spec_name=spec_name,
        impl_name=impl_name,
        authoring_version=authoring,
        spec_version=spec,
        impl_version=impl,
        apis=apis,
        transaction_version=reader.u32(),
        system_version=reader.u8(),
    )


def _section(name: str, content: bytes) -> bytes:
    body = _unsigned(len(name)) + name.encode() + content
    return b"\0" + _unsigned(len(body)) + body


def _unsigned(number: int) -> bytes:
    """The LEB128 encoding of an unsigned number."""
    result = bytearray()
    while True:
        number, low = number >> 7, number & 0x7F
        result.append(low | (0x80 if number else 0))
        if not number:
            return bytes(result)


def _leb128(data: bytes, at: int) -> tuple[int, int]:
    """An unsigned number in LEB128, and the position after it."""
    number = shift = 0
    while True:
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return number, at
