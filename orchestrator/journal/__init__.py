"""What a run leaves behind: typed entries, and the file that holds them."""

from orchestrator.journal.entries import (
    AnyEntry,
    Chart,
    Clock,
    Entry,
    Event,
    GateVerdict,
    HashRead,
    Judged,
    MeasuredWindow,
    Measurement,
    Node,
    RunFinished,
    RunStarted,
    Series,
    Target,
    Verdict,
)
from orchestrator.journal.file import Journal, JournalWriter, anchors

__all__ = [
    "AnyEntry",
    "Chart",
    "Clock",
    "Entry",
    "Event",
    "GateVerdict",
    "HashRead",
    "Journal",
    "JournalWriter",
    "Judged",
    "MeasuredWindow",
    "Measurement",
    "Node",
    "RunFinished",
    "RunStarted",
    "Series",
    "Target",
    "Verdict",
    "anchors",
]
