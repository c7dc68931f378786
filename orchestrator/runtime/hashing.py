"""Substrate's hash functions. Used wherever a chain's bytes are hashed."""

import hashlib

import xxhash


def blake2_64(data: bytes) -> bytes:
    """The hash of a runtime API's name, which identifies the API."""
    return hashlib.blake2b(data, digest_size=8).digest()


def blake2_128(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest()


def blake2_256(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=32).digest()


def sha2_256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def twox_64(data: bytes) -> bytes:
    return _twox(data, 1)


def twox_128(data: bytes) -> bytes:
    return _twox(data, 2)


def twox_256(data: bytes) -> bytes:
    return _twox(data, 4)


def _twox(data: bytes, words: int) -> bytes:
    return b"".join(xxhash.xxh64_intdigest(data, seed=seed).to_bytes(8, "little") for seed in range(words))
