"""Commands that take long and start others: whatever ends us ends all of them, and their mounts with them.

Called by `image`, `store` and `building`. Ctrl-C reaches all programs of a terminal, but SIGTERM and SIGKILL reach one
only: without this, a compiler or a half-made file system would go on behind the back of whoever ended coalmine.
"""

import os
import subprocess
import tempfile
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path

from orchestrator.errors import LabError

_NAMESPACES = ("unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child")
_LAST_WORDS = 3


def _nothing(_: str) -> bool:
    return False


def run(
    *command: str,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    takes: Callable[[str], bool] = _nothing,
    hint: str,
) -> str:
    """Runs the command as PID 1 of its own PID namespace, which the kernel ends when we end; returns its output.

    Args:
        command: the program and its arguments.
        folder: where it runs.
        environment: what it finds in its environment besides ours.
        takes: is shown each line of standard error as it comes; a line that it takes counts as no last word.
        hint: what helps when the command fails.

    Raises:
        LabError: with the command's last words, when it fails.
    """
    # setpriv, not a function of ours between fork and exec: other threads of this process may hold locks then.
    namespaces = _NAMESPACES if os.geteuid() == 0 else ()  # Only root may; another's tools end with their pipes.
    contained = ("setpriv", "--pdeathsig", "KILL", *namespaces, *command)
    last: deque[str] = deque(maxlen=_LAST_WORDS)
    # Standard output goes to a file, for nobody empties a second pipe while the first is read.
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        process = subprocess.Popen(
            contained,
            cwd=folder,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
        with process:
            try:
                assert process.stderr is not None
                lines = (line.rstrip() for line in process.stderr)
                last.extend(line for line in lines if line and not takes(line))
            except BaseException:  # Ctrl-C included.
                process.kill()
                raise
        output.seek(0)
        said = output.read()
    if process.returncode:
        words = last or said.strip().splitlines()[-_LAST_WORDS:]
        raise LabError(f"{Path(command[0]).name} failed: {' | '.join(words)}", hint=hint)
    return said
