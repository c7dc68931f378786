"""Compiled runtimes, kept on disk: compiling takes seconds, loading milliseconds. The door to wasmtime with `executor`.

A file is named by the code's hash, wasmtime's version and the machine, begins with its own content's hash, and appears
whole or not at all, so that several processes may share the folder.
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
"""Each is some 30 MB; those that were used longest ago go."""


@functools.cache
def engine() -> wasmtime.Engine:
    return wasmtime.Engine()


def load(wasm: bytes) -> wasmtime.Module:
    """The compiled module of an uncompressed wasm, from the cache or compiled now.

    Raises:
        RuntimeBlobError: when it is no valid wasm.
    """
    folder = cache.root() / "runtimes"
    kind = f"wasmtime-{importlib.metadata.version('wasmtime')}-{platform.machine()}"
    file = folder / f"{blake2_256(wasm).hex()[:32]}.{kind}.module"
    kept = _kept(file)
    if kept is not None:
        with contextlib.suppress(wasmtime.WasmtimeError):  # Of an engine with other settings: compiled anew.
            return wasmtime.Module.deserialize(engine(), kept)
    try:
        module = wasmtime.Module(engine(), wasm)
    except wasmtime.WasmtimeError as error:
        raise RuntimeBlobError(f"the wasm cannot be compiled: {error}") from error
    with contextlib.suppress(OSError):  # A full or read-only disk costs the time of compiling, and nothing else.
        _keep(file, bytes(module.serialize()))
    return module


def _kept(file: Path) -> bytes | None:
    """What was kept, if it is whole: it is native code, and a damaged file must not be run.

    It is read and not mapped, for a mapped file that somebody cuts short would end this process.
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
