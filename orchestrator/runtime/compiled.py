"""Keeps compiled runtimes on disk: compiling takes seconds, loading milliseconds. Called by `executor`.

A file's name contains the code's hash, wasmtime's version and the machine. The file begins with the hash of its content
and is written completely or not at all, so that several processes can share the folder.
"""

import contextlib
import functools
import importlib.metadata
import os
import platform
import tempfile
from pathlib import Path

import wasmtime

from orchestrator import cache
from orchestrator.errors import RuntimeBlobError
from orchestrator.runtime.hashing import blake2_256

_KEPT = 24
"""How many are kept; the least recently used are deleted. Each has about 30 MB."""


@functools.cache
def engine() -> wasmtime.Engine:
    return wasmtime.Engine()


def load(wasm: bytes) -> wasmtime.Module:
    """The compiled module of an uncompressed wasm, from the cache or compiled now.

    Raises:
        RuntimeBlobError: it is not valid wasm.
    """
    folder = cache.root() / "runtimes"
    kind = f"wasmtime-{importlib.metadata.version('wasmtime')}-{platform.machine()}"
    file = folder / f"{blake2_256(wasm).hex()[:32]}.{kind}.module"
    kept = _kept(file)
    if kept is not None:
        with contextlib.suppress(
            wasmtime.WasmtimeError
        ):  # It is from an engine with other settings and is compiled again.
            return wasmtime.Module.deserialize(engine(), kept)
    try:
        module = wasmtime.Module(engine(), wasm)
    except wasmtime.WasmtimeError as error:
        raise RuntimeBlobError(f"the wasm cannot be compiled: {error}") from error
    with contextlib.suppress(OSError):  # A full or read-only disk only costs the time of compiling.
        _keep(file, bytes(module.serialize()))
    return module


def _kept(file: Path) -> bytes | None:
    """The content of a file if it is complete. It is native code, so a damaged file must not be executed.

    It is read, not mapped: if another process truncated a mapped file, this process would die.
    """
    try:
        data = file.read_bytes()
        os.utime(file)
    except OSError:
        return None
    digest, module = data[:32], data[32:]
    return module if blake2_256(module) == digest else None


def _keep(file: Path, data: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=file.parent, prefix=".", delete=False) as new:
        new.write(blake2_256(data) + data)
    Path(new.name).replace(file)
    found = sorted(file.parent.glob("*.module"), key=_used, reverse=True)
    for old in found[_KEPT:]:
        old.unlink(missing_ok=True)


def _used(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except FileNotFoundError:
        return 0.0
