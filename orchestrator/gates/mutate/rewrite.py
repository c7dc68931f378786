"""Applies edits to a journal, up to the moment at which a stage's evidence was complete. It shares what they leave."""

from collections.abc import Iterable, Sequence

from orchestrator.gates.mutate.edit import Edit, Recorded
from orchestrator.gates.mutate.subject import subject
from orchestrator.gates.mutate.world import World
from orchestrator.journal import AnyEntry, Clock, Event, Journal, Occurrences, Readings, Row, Samples, Target


def rewritten(journal: Journal, edits: Sequence[Edit], world: World, until: int) -> Journal:
    """The journal with the edits, one after the other, made to its first `until` entries."""
    head: Iterable[AnyEntry] = journal.entries[:until]
    for edit in edits:
        head = [found for entry in head if (found := _edited(entry, edit, world)) is not None]
    return Journal((*head, *journal.entries[until:]), torn=journal.torn)


def _edited(entry: AnyEntry, edit: Edit, world: World) -> AnyEntry | None:
    match entry:
        case Samples():
            return _samples(entry, edit, world)
        case Clock() if entry.at in edit.span:
            return edit.clock(entry, world)
        case Readings() if entry.at in edit.span:
            return edit.readings(entry, world)
        case Occurrences():
            return edit.occurrences(subject(entry.key), entry, world) if entry.at >= edit.span.start else entry
        case Event():
            return edit.event(entry)
    return entry


def _samples(entry: Samples, edit: Edit, world: World) -> Samples:
    last = entry.first + (entry.count - 1) * entry.step
    if last < edit.span.start or entry.first > edit.span.end:
        return entry
    rows = tuple(_row(row, entry, edit, world) for row in entry.rows)
    same = all(new is old for new, old in zip(rows, entry.rows, strict=True))
    return entry if same else entry.model_copy(update={"rows": rows})


def _row(row: Row, entry: Samples, edit: Edit, world: World) -> Row:
    about = subject(entry.key)
    target = Target(node=row.labels.get("node", ""), chain=row.labels.get("chain"))
    if not edit.touches(about, target):
        return row
    series = Recorded(about, target, world.past(entry.key, row.labels), world)
    times = (entry.first + index * entry.step for index in range(len(row.values)))
    values = tuple(
        edit.value(series, at, value) if at in edit.span else value for at, value in zip(times, row.values, strict=True)
    )
    return row if values == row.values else row.model_copy(update={"values": values})


def changed(before: Journal, after: Journal) -> set[int] | None:
    """The indices of entries that differ; None if entries came or went."""
    if len(before.entries) != len(after.entries):
        return None
    pairs = enumerate(zip(before.entries, after.entries, strict=True))
    return {index for index, (old, new) in pairs if old is not new}
