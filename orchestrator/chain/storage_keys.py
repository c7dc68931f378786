"""Keys of the storage values that coalmine reads. Pure.

A value's key is twox128(pallet) ++ twox128(item). For maps the hashed key follows
(`substrate/frame/support/src/storage`). The names are those of polkadot-sdk's pallets.
"""

import functools
import hashlib

import xxhash

CODE = b":code"


def twox64_concat(data: bytes) -> bytes:
    return _twox64(data) + data


def twox128(data: bytes) -> bytes:
    return _twox64(data, 0) + _twox64(data, 1)


def twox256(data: bytes) -> bytes:
    return b"".join(_twox64(data, seed) for seed in range(4))


def blake2_128(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest()


def blake2_128_concat(data: bytes) -> bytes:
    return blake2_128(data) + data


def _twox64(data: bytes, seed: int = 0) -> bytes:
    return int(xxhash.xxh64_intdigest(data, seed)).to_bytes(8, "little")


@functools.cache
def value(pallet: str, item: str) -> bytes:
    """The key of a plain value, and the prefix of a map's entries."""
    return twox128(pallet.encode()) + twox128(item.encode())


def of_para(pallet: str, item: str, para_id: int) -> bytes:
    """An entry of a map over para ids, `Twox64Concat`."""
    return value(pallet, item) + twox64_concat(para_id.to_bytes(4, "little"))


def hrmp_channel(item: str, sender: int, recipient: int) -> bytes:
    """An entry of a map over HRMP channel ids, `Twox64Concat` of both para ids."""
    channel = sender.to_bytes(4, "little") + recipient.to_bytes(4, "little")
    return value("Hrmp", item) + twox64_concat(channel)


EVENTS = value("System", "Events")
SESSION = value("Session", "CurrentIndex")
SUDO = value("Sudo", "Key")
AUTHORIZED_UPGRADE = value("System", "AuthorizedUpgrade")
LAST_RUNTIME_UPGRADE = value("System", "LastRuntimeUpgrade")
MIGRATIONS_CURSOR = value("MultiBlockMigrations", "Cursor")
PENDING_VALIDATION_CODE = value("ParachainSystem", "PendingValidationCode")
ACTIVE_CONFIGURATION = value("Configuration", "ActiveConfig")
"""The relay chain's configuration for its parachains. Its first field is `max_code_size`, a u32."""

PVF_ACTIVE_VOTES = value("Paras", "PvfActiveVoteList")
VALIDATORS = value("Session", "Validators")
AURA_AUTHORITIES = value("Aura", "Authorities")
BABE_AUTHORITIES = value("Babe", "Authorities")
HRMP_CHANNELS = value("Hrmp", "HrmpChannels")
