"""Uses wasmtime's C interface where wasmtime-py is too slow: for host functions, and for one export by its name.

Called by `executor`. For a large genesis a runtime calls its host about a hundred thousand times, and wasmtime-py's
passing of values would take a third of the time. It also keeps the last error in a global, which threads would share.
`Instance.exports` wraps all ten thousand exports of a runtime, which takes 1.5 s. The functions used here are in
wasmtime's documented C interface (`wasmtime_func_new_unchecked`, `wasmtime_instance_export_get`).
"""

import ctypes
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import wasmtime
from wasmtime import _ffi as ffi
from wasmtime._extern import wrap_extern

Extern = TypeVar("Extern", wasmtime.Func, wasmtime.Global, wasmtime.Memory)

_WHOLE = frozenset({"i32", "i64"})


@dataclass(slots=True)
class Callbacks:
    """Python functions that wasm calls. They live as long as this object, which must outlive the use of the store.

    An exception cannot unwind wasm. So the first one is kept in `raised`, and the call ends with a trap.
    """

    raised: BaseException | None = None
    _kept: list[Any] = field(default_factory=list)

    def bind(
        self, store: wasmtime.Store, kind: wasmtime.FuncType, function: Callable[..., int | None]
    ) -> wasmtime.Func:
        """A function of the store. Its arguments and its result are whole numbers.

        Raises:
            TypeError: the type has something other than whole numbers, or more than one result.
        """
        arguments, results = [str(each) for each in kind.params], [str(each) for each in kind.results]
        if not _WHOLE.issuperset([*arguments, *results]) or len(results) > 1:
            raise TypeError(f"a host function of type {kind.params} to {kind.results}")
        getters = [(index, name == "i64") for index, name in enumerate(arguments)]
        wide_result, has_result = results == ["i64"], bool(results)

        def call(_env: Any, _caller: Any, values: Any, _count: int) -> int:
            try:
                result = function(*[values[index].i64 if wide else values[index].i32 & _LOW for index, wide in getters])
                if wide_result:
                    values[0].i64 = result
                elif has_result:
                    values[0].i32 = result
            except BaseException as error:  # noqa: BLE001  Raised again by whoever called into wasm.
                self.raised = self.raised or error
                return int(ctypes.cast(ffi.wasmtime_trap_new(b"host", 4), ctypes.c_void_p).value or 0)
            return 0

        callback = ffi.wasmtime_func_unchecked_callback_t(call)
        self._kept.append(callback)
        raw = ffi.wasmtime_func_t()
        context = store._context()  # noqa: SLF001  What wasmtime-py does not offer.
        ffi.wasmtime_func_new_unchecked(context, kind.ptr(), callback, None, _NO_FINALIZER, ctypes.byref(raw))
        return wasmtime.Func._from_raw(raw)  # noqa: SLF001  As above.


_LOW = 0xFFFFFFFF
_NO_FINALIZER = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(0)


def export(store: wasmtime.Store, instance: wasmtime.Instance, name: str, kind: type[Extern]) -> Extern | None:
    """An export by its name. None if there is none of that kind."""
    raw = name.encode()
    found = ffi.wasmtime_extern_t()
    context, handle = store._context(), instance._instance  # noqa: SLF001  What wasmtime-py does not offer.
    name_buffer = ctypes.create_string_buffer(raw)
    if not ffi.wasmtime_instance_export_get(context, ctypes.byref(handle), name_buffer, len(raw), ctypes.byref(found)):
        return None
    extern = wrap_extern(found)
    return extern if isinstance(extern, kind) else None
