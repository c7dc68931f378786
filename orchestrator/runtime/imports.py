"""The host functions that a runtime imports, by name, as far as genesis and blocks call them.

`executor` looks them up. It binds every other import to a function that raises `HostFunctionError` with its name. The
functions are those of `substrate/primitives/io/src/lib.rs`. Values are passed as in
`substrate/primitives/runtime-interface`: an argument of 32 bits is a number or an address; one of 64 bits has an
address in its lower half and a length in its upper half.
"""

from collections.abc import Callable
from typing import Any

import sr25519
from Crypto.Hash import keccak
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils
from cryptography.hazmat.primitives.hashes import SHA256

from orchestrator.errors import RuntimeBlobError, RuntimePanicError
from orchestrator.runtime import blob, hashing, trie
from orchestrator.runtime.host import Host
from orchestrator.runtime.storage import Removed
from orchestrator.scale import Reader, vector

Function = Callable[..., int | None]
"""A host function. It gets the host and the raw numbers that the runtime passed."""

FUNCTIONS: dict[str, Function] = {}

_LEVELS = ("ERROR", "WARN", "INFO", "DEBUG", "TRACE")
_UP_TO_INFO = 3
"""A level counts from zero, a filter from one, because its zero means "off"."""

_LOG_LINES = 10_000


def _imported(name: str) -> Callable[[Function], Function]:
    def register(function: Function) -> Function:
        FUNCTIONS[name] = function
        return function

    return register


def _option(value: bytes | None) -> bytes:
    return b"\0" if value is None else b"\1" + value


def _optional_u32(data: bytes) -> int | None:
    return None if data[:1] != b"\1" else int.from_bytes(data[1:5], "little")


# Heap, log, panic


@_imported("ext_allocator_malloc_version_1")
def _malloc(host: Host, size: int) -> int:
    return host.heap.allocate(size)


@_imported("ext_allocator_free_version_1")
def _free(host: Host, at: int) -> None:
    host.heap.free(at)


@_imported("ext_logging_max_level_version_1")
def _max_level(_: Host) -> int:
    return _UP_TO_INFO


@_imported("ext_logging_log_version_1")
def _log(host: Host, level: int, target: int, message: int) -> None:
    _say(host, f"{_LEVELS[min(level, len(_LEVELS) - 1)]} {_text(host, target)}: {_text(host, message)}")


@_imported("ext_misc_print_utf8_version_1")
def _print_utf8(host: Host, data: int) -> None:
    _say(host, _text(host, data))


@_imported("ext_misc_print_hex_version_1")
def _print_hex(host: Host, data: int) -> None:
    _say(host, "0x" + host.read_span(data).hex())


@_imported("ext_misc_print_num_version_1")
def _print_number(host: Host, number: int) -> None:
    _say(host, str(number))


@_imported("ext_panic_handler_abort_on_panic_version_1")
def _abort(host: Host, message: int) -> None:
    raise RuntimePanicError(_text(host, message))


@_imported("ext_misc_runtime_version_version_1")
def _runtime_version(host: Host, code: int) -> int:
    """The encoded version of a blob. `set_code` uses it to check a new runtime's name and version."""
    try:
        section = vector(blob.version_section(host.read_span(code)))
    except RuntimeBlobError:
        return host.span(b"\0")
    return host.span(_option(section))


def _text(host: Host, span: int) -> str:
    return host.read_span(span).decode(errors="replace")


def _say(host: Host, line: str) -> None:
    if len(host.log) < _LOG_LINES:
        host.log.append(" ".join(line.splitlines()))


# Storage


@_imported("ext_storage_get_version_1")
def _get(host: Host, key: int) -> int:
    return _found(host, host.storage.get(host.read_span(key)))


@_imported("ext_storage_read_version_1")
def _read(host: Host, key: int, out: int, offset: int) -> int:
    return _read_into(host, host.storage.get(host.read_span(key)), out, offset)


@_imported("ext_storage_set_version_1")
def _set(host: Host, key: int, value: int) -> None:
    host.storage.set(host.read_span(key), host.read_span(value))


@_imported("ext_storage_clear_version_1")
def _clear(host: Host, key: int) -> None:
    host.storage.set(host.read_span(key), None)


@_imported("ext_storage_exists_version_1")
def _exists(host: Host, key: int) -> int:
    return int(host.storage.get(host.read_span(key)) is not None)


@_imported("ext_storage_append_version_1")
def _append(host: Host, key: int, item: int) -> None:
    host.storage.append(host.read_span(key), host.read_span(item))


@_imported("ext_storage_next_key_version_1")
def _next_key(host: Host, key: int) -> int:
    return _found(host, host.storage.next_key(host.read_span(key)))


@_imported("ext_storage_clear_prefix_version_2")
def _clear_prefix(host: Host, prefix: int, limit: int) -> int:
    return _removed(host, host.storage.clear_prefix(host.read_span(prefix), _optional_u32(host.read_span(limit))))


@_imported("ext_storage_root_version_2")
def _root(host: Host, version: int) -> int:
    return host.span(host.storage.root(version))


@_imported("ext_storage_changes_root_version_1")
def _changes_root(host: Host, _: int) -> int:
    return host.span(b"\0")


@_imported("ext_storage_start_transaction_version_1")
def _start(host: Host) -> None:
    host.storage.start()


@_imported("ext_storage_commit_transaction_version_1")
def _commit(host: Host) -> None:
    host.storage.commit()


@_imported("ext_storage_rollback_transaction_version_1")
def _rollback(host: Host) -> None:
    host.storage.rollback()


@_imported("ext_default_child_storage_get_version_1")
def _child_get(host: Host, child: int, key: int) -> int:
    return _found(host, host.storage.get(host.read_span(key), host.read_span(child)))


@_imported("ext_default_child_storage_read_version_1")
def _child_read(host: Host, child: int, key: int, out: int, offset: int) -> int:
    return _read_into(host, host.storage.get(host.read_span(key), host.read_span(child)), out, offset)


@_imported("ext_default_child_storage_set_version_1")
def _child_set(host: Host, child: int, key: int, value: int) -> None:
    host.storage.set(host.read_span(key), host.read_span(value), host.read_span(child))


@_imported("ext_default_child_storage_clear_version_1")
def _child_clear(host: Host, child: int, key: int) -> None:
    host.storage.set(host.read_span(key), None, host.read_span(child))


@_imported("ext_default_child_storage_exists_version_1")
def _child_exists(host: Host, child: int, key: int) -> int:
    return int(host.storage.get(host.read_span(key), host.read_span(child)) is not None)


@_imported("ext_default_child_storage_next_key_version_1")
def _child_next_key(host: Host, child: int, key: int) -> int:
    return _found(host, host.storage.next_key(host.read_span(key), host.read_span(child)))


@_imported("ext_default_child_storage_clear_prefix_version_2")
def _child_clear_prefix(host: Host, child: int, prefix: int, limit: int) -> int:
    most = _optional_u32(host.read_span(limit))
    return _removed(host, host.storage.clear_prefix(host.read_span(prefix), most, host.read_span(child)))


@_imported("ext_default_child_storage_storage_kill_version_3")
def _child_kill(host: Host, child: int, limit: int) -> int:
    return _removed(host, host.storage.clear_prefix(b"", _optional_u32(host.read_span(limit)), host.read_span(child)))


@_imported("ext_default_child_storage_root_version_2")
def _child_root(host: Host, child: int, version: int) -> int:
    return host.span(host.storage.child_root(host.read_span(child), version))


def _found(host: Host, value: bytes | None) -> int:
    return host.span(_option(None if value is None else vector(value)))


def _read_into(host: Host, value: bytes | None, out: int, offset: int) -> int:
    """Copies what fits of a value, from an offset. Returns how many bytes the value has from there."""
    if value is None:
        return host.span(b"\0")
    rest = value[offset:]
    host.write(out & 0xFFFFFFFF, rest[: out >> 32 & 0xFFFFFFFF])
    return host.span(_option(len(rest).to_bytes(4, "little")))


def _removed(host: Host, removed: Removed) -> int:
    """The encoding of `KillStorageResult`."""
    return host.span(bytes([removed.rest]) + removed.count.to_bytes(4, "little"))


# Hashes and roots


def keccak_256(data: bytes) -> bytes:
    return keccak.new(digest_bits=256, data=data).digest()


def keccak_512(data: bytes) -> bytes:
    return keccak.new(digest_bits=512, data=data).digest()


def _hash(function: Callable[[bytes], bytes]) -> Function:
    return lambda host, data: host.place(function(host.read_span(data)))


FUNCTIONS |= {
    f"ext_hashing_{function.__name__}_version_1": _hash(function)
    for function in (
        hashing.blake2_128,
        hashing.blake2_256,
        keccak_256,
        keccak_512,
        hashing.sha2_256,
        hashing.twox_64,
        hashing.twox_128,
        hashing.twox_256,
    )
}


@_imported("ext_trie_blake2_256_ordered_root_version_2")
def _ordered_root(host: Host, values: int, version: int) -> int:
    reader = Reader(host.read_span(values))
    return host.place(trie.ordered_root([reader.vector() for _ in range(reader.compact())], version))


@_imported("ext_trie_blake2_256_root_version_2")
def _trie_root(host: Host, pairs: int, version: int) -> int:
    reader = Reader(host.read_span(pairs))
    return host.place(trie.root({reader.vector(): reader.vector() for _ in range(reader.compact())}, version))


# Signatures


@_imported("ext_crypto_sr25519_verify_version_2")
def _sr25519(host: Host, signature: int, message: int, public: int) -> int:
    try:
        return int(sr25519.verify(host.read(signature, 64), host.read_span(message), host.read(public, 32)))
    except (TypeError, ValueError):
        return 0


@_imported("ext_crypto_ed25519_verify_version_1")
def _ed25519(host: Host, signature: int, message: int, public: int) -> int:
    def verify() -> None:
        key = ed25519.Ed25519PublicKey.from_public_bytes(host.read(public, 32))
        key.verify(host.read(signature, 64), host.read_span(message))

    return _holds(verify)


@_imported("ext_crypto_ecdsa_verify_version_2")
def _ecdsa(host: Host, signature: int, message: int, public: int) -> int:
    return _ecdsa_holds(host, signature, hashing.blake2_256(host.read_span(message)), public)


@_imported("ext_crypto_ecdsa_verify_prehashed_version_1")
def _ecdsa_prehashed(host: Host, signature: int, message: int, public: int) -> int:
    return _ecdsa_holds(host, signature, host.read(message, 32), public)


def _ecdsa_holds(host: Host, signature: int, digest: bytes, public: int) -> int:
    def verify() -> None:
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256K1(), host.read(public, 33))
        raw = host.read(signature, 64)
        encoded = utils.encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
        key.verify(encoded, digest, ec.ECDSA(utils.Prehashed(SHA256())))  # Only the length of SHA-256 matters.

    return _holds(verify)


def _holds(verify: Callable[[], None]) -> int:
    try:
        verify()
    except (InvalidSignature, ValueError):
        return 0
    return 1


# Functions that have no effect outside of a node


def _nothing(*_: Any) -> None:
    return None


def _zero(*_: Any) -> int:
    return 0


FUNCTIONS |= {
    "ext_offchain_index_set_version_1": _nothing,
    "ext_offchain_index_clear_version_1": _nothing,
    "ext_wasm_tracing_enabled_version_1": _zero,
    "ext_wasm_tracing_enter_span_version_1": _zero,
    "ext_wasm_tracing_exit_version_1": _nothing,
    "ext_wasm_tracing_event_version_1": _nothing,
}
