"""The parts of the SCALE encoding that headers, versions and storage values need. Pure. Used by `runtime` and above."""

from dataclasses import dataclass


def compact(number: int) -> bytes:
    """A compact unsigned integer (parity-scale-codec, `Compact<u32>` and larger)."""
    if number < 1 << 6:
        return bytes([number << 2])
    if number < 1 << 14:
        return (number << 2 | 1).to_bytes(2, "little")
    if number < 1 << 30:
        return (number << 2 | 2).to_bytes(4, "little")
    raw = number.to_bytes((number.bit_length() + 7) // 8, "little")
    return bytes([(len(raw) - 4) << 2 | 3]) + raw


def text(value: str) -> bytes:
    raw = value.encode()
    return compact(len(raw)) + raw


def vector(value: bytes) -> bytes:
    return compact(len(value)) + value


@dataclass(slots=True)
class Reader:
    """Reads SCALE values from the front of some bytes.

    Raises:
        ValueError: in every method, if the bytes end too early.
    """

    data: bytes
    at: int = 0

    def take(self, length: int) -> bytes:
        piece = self.data[self.at : self.at + length]
        if len(piece) != length:
            raise ValueError("the data ends too early")
        self.at += length
        return piece

    def u8(self) -> int:
        return self.take(1)[0]

    def u32(self) -> int:
        return int.from_bytes(self.take(4), "little")

    def u64(self) -> int:
        return int.from_bytes(self.take(8), "little")

    def compact(self) -> int:
        first = self.u8()
        mode = first & 3
        if mode == 3:
            return int.from_bytes(self.take((first >> 2) + 4), "little")
        rest = self.take((1 << mode) - 1)
        return int.from_bytes(bytes([first]) + rest, "little") >> 2

    def text(self) -> str:
        return self.take(self.compact()).decode()

    def vector(self) -> bytes:
        return self.take(self.compact())
