"""Calls a runtime's entry points in this process, each in a new instance. Only it and `compiled` import wasmtime.

`genesis_builder` uses it for genesis. A block or a dry run is the same `call`, with another entry point and storage.
"""

import contextlib
import ctypes
import functools
from collections.abc import Callable
from dataclasses import dataclass

import wasmtime

from orchestrator.errors import (
    HostFunctionError,
    RuntimeApiError,
    RuntimeBlobError,
    RuntimeCallError,
    RuntimePanicError,
)
from orchestrator.runtime import blob, compiled
from orchestrator.runtime.binding import Callbacks, export
from orchestrator.runtime.host import Host
from orchestrator.runtime.imports import FUNCTIONS
from orchestrator.runtime.storage import Storage

_HEAP_PAGES = 64
"""Extra memory for the module, in pages of 64 KiB, so that small calls do not have to grow it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of a call: its SCALE-encoded result, and the lines that the runtime logged."""

    output: bytes
    log: tuple[str, ...]


class Executor:
    """One runtime, compiled.

    Raises:
        RuntimeBlobError: the code is not a runtime, or not valid wasm.
    """

    def __init__(self, code: bytes) -> None:
        self.blob = blob.read(code)
        if self.blob.behaviour is not None:
            raise RuntimeBlobError("a model runtime has no code to execute", hint="it is for simnode only")
        self._wasm = blob.decompressed(code)
        self._module = compiled.load(self._wasm)
        self._imports = [(each.name or "", each.type) for each in self._module.imports]

    def call(self, method: str, payload: bytes, storage: Storage) -> Answer:
        """Calls an entry point such as `Core_version` with encoded arguments. `storage` is changed in place.

        Raises:
            RuntimeApiError: there is no such entry point.
            RuntimePanicError: the runtime panics.
            HostFunctionError: it calls a function that this host does not have.
            RuntimeCallError: it fails in another way.
        """
        host = Host(storage, self._wasm)
        try:
            with contextlib.closing(wasmtime.Store(compiled.engine())) as store:
                return Answer(self._run(store, host, method, payload), tuple(host.log))
        except RuntimeCallError as error:
            error.log = tuple(host.log)
            raise
        except wasmtime.Trap as error:
            raise self._trapped(host, method, error) from error
        except (wasmtime.WasmtimeError, IndexError, KeyError, MemoryError, TypeError, ValueError) as error:
            raise RuntimeCallError(f"{method}: {error}", log=tuple(host.log)) from error

    def _run(self, store: wasmtime.Store, host: Host, method: str, payload: bytes) -> bytes:
        callbacks = Callbacks()
        memory: wasmtime.Memory | None = None
        externs: list[wasmtime.Func | wasmtime.Memory] = []
        for name, kind in self._imports:
            if isinstance(kind, wasmtime.MemoryType):
                limits = wasmtime.Limits(kind.limits.min + _HEAP_PAGES, kind.limits.max)
                memory = wasmtime.Memory(store, wasmtime.MemoryType(limits))
                externs.append(memory)
            elif isinstance(kind, wasmtime.FuncType):
                externs.append(callbacks.bind(store, kind, _bound(host, name)))
            else:
                raise RuntimeBlobError(f"the runtime imports {name}, which is neither memory nor function")
        instance = wasmtime.Instance(store, self._module, externs)
        memory = memory or export(store, instance, "memory", wasmtime.Memory)
        base = export(store, instance, "__heap_base", wasmtime.Global)
        entry = export(store, instance, method, wasmtime.Func)
        if memory is None or base is None:
            raise RuntimeBlobError("the wasm has no memory or no __heap_base, so it is not a runtime")
        if entry is None:
            raise RuntimeApiError(f"the runtime {self._title()} has no {method}")
        host.attach(_Memory(store, memory), base.value(store))
        try:
            return host.read_span(entry(store, host.place(payload), len(payload)))
        except (wasmtime.Trap, wasmtime.WasmtimeError):
            if callbacks.raised is not None:
                raise callbacks.raised from None
            raise

    def _trapped(self, host: Host, method: str, error: wasmtime.Trap) -> RuntimeCallError:
        """The error for a trap. A runtime that panics logs the reason as its last line, then executes `unreachable`."""
        log = tuple(host.log)
        panics = [line for line in log if "panicked at" in line]
        if panics:
            return RuntimePanicError(f"{method}: {panics[-1].partition(': ')[2]}", log=log)
        return RuntimeCallError(f"{method}: {str(error).splitlines()[0]}", log=log)

    def _title(self) -> str:
        return f"{self.blob.version.spec_name} {self.blob.version.spec_version}"


class _Memory:
    """`host.Memory`, implemented with wasmtime."""

    def __init__(self, store: wasmtime.Store, memory: wasmtime.Memory) -> None:
        self._store, self._memory = store, memory

    def address(self) -> int:
        return ctypes.addressof(self._memory.data_ptr(self._store).contents)

    def size(self) -> int:
        return int(self._memory.data_len(self._store))

    def grow(self, pages: int) -> None:
        self._memory.grow(self._store, pages)


def _bound(host: Host, name: str) -> Callable[..., int | None]:
    function = FUNCTIONS.get(name)
    if function is None:

        def missing(*_: int) -> None:
            raise HostFunctionError(f"the runtime calls {name}, a function that coalmine does not have")

        return missing
    return functools.partial(function, host)
