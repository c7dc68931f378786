"""What the core asks of the shell, in order. The order matters: a vote must be on disk before any peer sees it."""

from dataclasses import dataclass
from typing import Any

from simnode.core.messages import Message

Record = dict[str, Any]
"""One line of the database, JSON."""


@dataclass(frozen=True, slots=True)
class Send:
    """A message to one peer, by peer id."""

    peer: str
    message: Message


@dataclass(frozen=True, slots=True)
class Persist:
    """A record that must be written before any effect after it."""

    record: Record


@dataclass(frozen=True, slots=True)
class Log:
    line: str


Effect = Send | Persist | Log


class Outbox:
    """Collects effects. All parts of one node share it."""

    def __init__(self) -> None:
        self.effects: list[Effect] = []

    def send(self, peer: str, message: Message) -> None:
        self.effects.append(Send(peer, message))

    def persist(self, record: Record) -> None:
        self.effects.append(Persist(record))

    def log(self, line: str) -> None:
        self.effects.append(Log(line))

    def drain(self) -> list[Effect]:
        effects, self.effects = self.effects, []
        return effects
