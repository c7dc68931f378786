"""Keys of the storage values that coalmine reads. Pure.

A value's key is twox128(pallet) ++ twox128(item), and for maps the hashed key after it
(`substrate/frame/support/src/storage`). The names are those of polkadot-sdk's pallets.
"""

import functools

import xxhash

CODE = b":code"


@functools.cache
def value(pallet: str, item: str) -> bytes:
    return _twox128(pallet) + _twox128(item)


def of_para(pallet: str, item: str, para_id: int) -> bytes:
    """An entry of a map over para ids, `Twox64Concat`."""
    key = para_id.to_bytes(4, "little")
    return value(pallet, item) + _twox64(key) + key


def _twox64(data: bytes, seed: int = 0) -> bytes:
    return int(xxhash.xxh64_intdigest(data, seed)).to_bytes(8, "little")


def _twox128(name: str) -> bytes:
    return _twox64(name.encode(), 0) + _twox64(name.encode(), 1)


SESSION = value("Session", "CurrentIndex")
AUTHORIZED_UPGRADE = value("System", "AuthorizedUpgrade")
LAST_RUNTIME_UPGRADE = value("System", "LastRuntimeUpgrade")
PENDING_VALIDATION_CODE = value("ParachainSystem", "PendingValidationCode")
ACTIVE_CONFIGURATION = value("Configuration", "ActiveConfig")
"""Of the relay chain for its parachains; its first field is `max_code_size`, a u32."""

PVF_ACTIVE_VOTES = value("Paras", "PvfActiveVoteList")
