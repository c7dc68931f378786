"""Reads a relay chain's and a parachain's records of each other: registration, inclusion, channels, waiting messages.

Called by readiness and by gates. It uses plain storage keys, as `reader` does. The layouts are those of
`polkadot/runtime/parachains/src/{paras,hrmp,dmp}` and `substrate/frame/message-queue` in polkadot-sdk.
"""

from dataclasses import dataclass

from orchestrator.chain import storage_keys as keys
from orchestrator.chain.reader import SubstrateReader
from orchestrator.errors import ChainError
from orchestrator.genesis.header import Header
from orchestrator.scale import Reader

LIFECYCLES = (
    "Onboarding",
    "Parathread",
    "Parachain",
    "UpgradingParathread",
    "DowngradingParachain",
    "OffboardingParathread",
    "OffboardingParachain",
)
"""The variants of `ParaLifecycle`, in their order."""


@dataclass(frozen=True, slots=True)
class Channel:
    """An open HRMP channel: the number of waiting messages, and their total bytes."""

    sender: int
    recipient: int
    max_messages: int
    max_bytes: int
    messages: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Backlog:
    """A queue of messages that were delivered but not processed yet."""

    messages: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Origin:
    """The origin of the messages in a queue of `MessageQueue`. Its SCALE encoding is the map's key."""

    raw: bytes

    @classmethod
    def upward(cls, para_id: int) -> "Origin":
        """On the relay chain: messages from a parachain (`Ump(Para(id))`)."""
        return cls(b"\0\0" + para_id.to_bytes(4, "little"))

    @classmethod
    def parent(cls) -> "Origin":
        """On a parachain: messages from the relay chain."""
        return cls(b"\1")

    @classmethod
    def sibling(cls, para_id: int) -> "Origin":
        """On a parachain: messages from another parachain."""
        return cls(b"\2" + para_id.to_bytes(4, "little"))


class ParachainReader:
    """One node's view. `at` is a block's hash; by default the best block. Every method raises ChainError."""

    def __init__(self, reader: SubstrateReader) -> None:
        self._reader = reader

    # On the relay chain

    def lifecycle(self, para_id: int, at: str | None = None) -> str | None:
        """One of `LIFECYCLES`. None if the parachain is not registered. `Parachain` means that it can have a core."""
        raw = self._reader.storage(keys.of_para("Paras", "ParaLifecycles", para_id), at)
        return LIFECYCLES[raw[0]] if raw else None

    def included(self, para_id: int, at: str | None = None) -> int | None:
        """The height of the last included block. 0 before the first candidate, None if there is no head.

        Raises:
            ChainError: the head is not a Substrate header, so it has no height.
        """
        head = self._reader.para_head(para_id, at)
        if head is None:
            return None
        try:
            return Header.decode(Reader(head).vector()).number
        except ValueError as error:
            raise ChainError(f"the head of parachain {para_id} is not a Substrate header: {error}") from error

    def channel(self, sender: int, recipient: int, at: str | None = None) -> Channel | None:
        """The channel. None until it is open: accepted, and a session has begun since."""
        raw = self._reader.storage(keys.hrmp_channel("HrmpChannels", sender, recipient), at)
        return _channel(sender, recipient, raw) if raw else None

    def channels(self, at: str) -> tuple[Channel, ...]:
        """All open channels."""
        found = []
        for key in self._reader.keys_below(keys.HRMP_CHANNELS, at):
            raw = self._reader.storage(key, at)
            pair = Reader(key[-8:])
            if raw is not None:
                found.append(_channel(pair.u32(), pair.u32(), raw))
        return tuple(found)

    def downward(self, para_id: int, at: str | None = None) -> int:
        """The number of messages to a parachain that it has not received yet.

        Since stable2609 each message has its own page, between two page numbers. Before, all were one value.
        """
        meta = self._reader.storage(keys.of_para("Dmp", "DownwardMessageQueueMeta", para_id), at)
        if meta is not None:
            pages = Reader(meta)
            first_full, first_free = pages.u64(), pages.u64()
            return (first_free - first_full) % (1 << 64)
        queue = self._reader.storage(keys.of_para("Dmp", "DownwardMessageQueues", para_id), at)
        return Reader(queue).compact() if queue else 0

    def is_being_checked(self, code_hash: bytes, at: str | None = None) -> bool:
        """Whether validators are voting on whether a code can be prepared."""
        raw = self._reader.storage(keys.PVF_ACTIVE_VOTES, at)
        if raw is None:
            return False
        votes = Reader(raw)
        return code_hash in {votes.take(32) for _ in range(votes.compact())}

    # On both

    def waiting(self, origin: Origin, at: str | None = None) -> Backlog:
        """An origin's messages in `MessageQueue`."""
        raw = self._reader.storage(keys.value("MessageQueue", "BookStateFor") + keys.twox64_concat(origin.raw), at)
        if raw is None:
            return Backlog(0, 0)
        # The two counts come last, after an optional pair of neighbours of any size.
        counts = Reader(raw[-16:])
        return Backlog(counts.u64(), counts.u64())


def _channel(sender: int, recipient: int, raw: bytes) -> Channel:
    fields = Reader(raw)
    capacity, size, _, messages, total = (fields.u32() for _ in range(5))
    return Channel(sender, recipient, capacity, size, messages, total)
