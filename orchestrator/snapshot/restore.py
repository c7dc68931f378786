"""Fills an empty volume with an unpacked database, completely or not at all. Called by `nodeinit`.

A pod may die at any moment and then continues at the same step: files are unpacked into a separate folder until all are
there, and completion is recorded last. An existing database is never touched.
"""

import errno
import shutil
from collections.abc import Callable
from pathlib import Path

from orchestrator.errors import SnapshotError
from orchestrator.snapshot import archive
from orchestrator.snapshot.fetch import fetch

_DONE, _UNPACKED, _ARCHIVE, _ASIDE = "snapshot", "unpacked", "archive", "aside"
"""Names below `archive.OWN`: two notes with the archive's checksum, the archive, and the folder for unpacking."""


def restore(data: Path, url: str, sha256: str, say: Callable[[str], None]) -> None:
    """Fills the volume with the snapshot's database. Fetches nothing if it already has it.

    Raises:
        SnapshotError: the archive cannot be fetched or is wrong, or the volume contains another database.
    """
    own = data / archive.OWN
    done = _note(own / _DONE)
    if done is not None and done != sha256:
        raise SnapshotError(f"the volume was filled from the snapshot {done}, not from {sha256}", hint=_HINT)
    if done is None:
        if _note(own / _UNPACKED) != sha256:
            _fill_aside(data, own, url, sha256, say)
        for entry in sorted((own / _ASIDE).iterdir()):
            entry.rename(data / entry.name)
        _write_note(own / _DONE, sha256)
    else:
        say("the volume was filled from this snapshot before")
    _tidy(own)


_HINT = "a snapshot needs an empty volume: name a new group, or take the network down with its data"


def _fill_aside(data: Path, own: Path, url: str, sha256: str, say: Callable[[str], None]) -> None:
    there = sorted(entry.name for entry in data.iterdir() if entry.name not in {archive.OWN, "lost+found"})
    if there:
        raise SnapshotError(f"the volume is not empty, it contains {', '.join(there[:3])}", hint=_HINT)
    shutil.rmtree(own / _ASIDE, ignore_errors=True)
    (own / _ASIDE).mkdir(parents=True)
    fetch(url, own / _ARCHIVE, sha256=sha256, say=say)
    say("the checksum is right; unpacking")
    try:
        contents = archive.unpack(own / _ARCHIVE, own / _ASIDE)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise SnapshotError("no room on the volume to unpack the snapshot", hint="raise `resources.storage`") from error
    say(f"unpacked {contents.files} files, {contents.bytes >> 20} MiB")
    if contents.left_out:
        say(f"left out keys that were in it: {', '.join(contents.left_out[:3])} ({len(contents.left_out)} in all)")
    _write_note(own / _UNPACKED, sha256)


def _tidy(own: Path) -> None:
    """Removes the archive and the empty folder, which are not needed any more."""
    shutil.rmtree(own / _ASIDE, ignore_errors=True)
    for name in (_ARCHIVE, _UNPACKED):
        (own / name).unlink(missing_ok=True)


def _note(file: Path) -> str | None:
    return file.read_text().strip() if file.exists() else None


def _write_note(file: Path, text: str) -> None:
    """Writes a note, completely or not at all."""
    new = file.with_suffix(".new")
    new.write_text(text + "\n")
    new.rename(file)
