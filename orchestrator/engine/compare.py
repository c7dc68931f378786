"""Finds the paths at which two versions of an object differ. Pure. Called by the engines."""

from collections.abc import Iterator
from typing import Any

_BOOKKEEPING = frozenset(
    {
        *("managedFields", "resourceVersion", "generation", "uid", "creationTimestamp"),
        "deprecated.daemonset.template.generation",
    }
)


def differences(live: Any, wanted: Any, path: str = "") -> Iterator[str]:
    """Paths at which two versions differ. Ignores the status and the fields that the API server manages."""
    if isinstance(live, dict) and isinstance(wanted, dict):
        for key in sorted(live.keys() | wanted.keys()):
            if key in _BOOKKEEPING or (not path and key == "status"):
                continue
            yield from differences(live.get(key), wanted.get(key), f"{path}.{key}" if path else key)
    elif isinstance(live, list) and isinstance(wanted, list) and len(live) == len(wanted):
        for index, (old, new) in enumerate(zip(live, wanted, strict=True)):
            yield from differences(old, new, f"{path}[{index}]")
    elif live != wanted:
        yield path


def declared_differences(live: Any, declared: Any, path: str = "") -> Iterator[str]:
    """As `differences`, but only for declared fields. Ignores what the API server filled in."""
    if isinstance(live, dict) and isinstance(declared, dict):
        for key in sorted(declared):
            yield from declared_differences(live.get(key), declared[key], f"{path}.{key}" if path else key)
    elif isinstance(live, list) and isinstance(declared, list) and len(live) == len(declared):
        for index, (old, new) in enumerate(zip(live, declared, strict=True)):
            yield from declared_differences(old, new, f"{path}[{index}]")
    elif live != declared:
        yield path
