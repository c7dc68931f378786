"""Decides who may author in a slot: BABE on the relay chain, Aura on parachains. The wall clock numbers the slots.

BABE runs as `PrimaryAndSecondaryPlainSlots`: a lottery with c = 1/4 gives a slot no, one or several primary authors,
and one fixed secondary author. A hash of public values replaces the VRF, because nothing has to be secret here.
"""

from dataclasses import dataclass

from orchestrator.genesis.header import Header, blake2_256, pre_runtime

C = 0.25
_PRIMARY, _SECONDARY = 1, 2
_BABE, _AURA = b"BABE", b"aura"


@dataclass(frozen=True, slots=True)
class Claim:
    """An author's right to a slot."""

    slot: int
    author: int
    primary: bool


def slot_at(now: float, duration: float) -> int:
    # At a boundary between slots, rounding of the float must not give the slot before.
    return int((now + 1e-6) / duration)


def babe_claim(randomness: bytes, slot: int, author: int, authorities: int) -> Claim | None:
    """The claim of an authority to a slot, primary before secondary. None if it has none."""
    draw = blake2_256(randomness + slot.to_bytes(8, "little") + author.to_bytes(4, "little"))
    odds = 1 - (1 - C) ** (1 / authorities)
    if int.from_bytes(draw[:8], "little") < odds * 2**64:
        return Claim(slot, author, primary=True)
    chosen = int.from_bytes(blake2_256(randomness + slot.to_bytes(8, "little"))[:8], "little") % authorities
    return Claim(slot, author, primary=False) if chosen == author else None


def babe_log(claim: Claim, randomness: bytes) -> bytes:
    """The digest item of a claim. The VRF's fields exist but contain no proof."""
    kind = _PRIMARY if claim.primary else _SECONDARY
    data = bytes([kind]) + claim.author.to_bytes(4, "little") + claim.slot.to_bytes(8, "little")
    proof = blake2_256(randomness + claim.slot.to_bytes(8, "little")) + bytes(64)
    return pre_runtime(_BABE, data + (proof if claim.primary else b""))


def read_babe(header: Header) -> Claim:
    """The claim in a relay block's header.

    Raises:
        ValueError: there is none.
    """
    data = _engine_log(header, _BABE)
    if len(data) < 13:
        raise ValueError("the BABE claim is cut short")
    return Claim(int.from_bytes(data[5:13], "little"), int.from_bytes(data[1:5], "little"), data[0] == _PRIMARY)


def aura_claim(slot: int, author: int, authorities: int) -> Claim | None:
    return Claim(slot, author, primary=True) if slot % authorities == author else None


def aura_log(claim: Claim) -> bytes:
    return pre_runtime(_AURA, claim.slot.to_bytes(8, "little"))


def read_aura(header: Header, authorities: int) -> Claim:
    """The claim in a parachain block's header.

    Raises:
        ValueError: there is none.
    """
    slot = int.from_bytes(_engine_log(header, _AURA)[:8], "little")
    return Claim(slot, slot % authorities, primary=True)


def _engine_log(header: Header, engine: bytes) -> bytes:
    for log in header.digest:
        if log[:1] == b"\x06" and log[1:5] == engine:
            # The length is compact: one byte below 64, else two.
            return log[6:] if log[5] & 3 == 0 else log[7:]
    raise ValueError(f"no claim by {engine.decode()}")
