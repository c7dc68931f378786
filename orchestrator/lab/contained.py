"""Runs long commands that start others. When this process ends, they all end, and their mounts are gone.

Called by `image`, `store` and `building`. Ctrl-C reaches all programs of a terminal, but SIGTERM and SIGKILL reach only
one. Without this, a compiler or mmdebstrap would go on running after coalmine was killed.
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
    """Runs the command in its own PID namespace, which the kernel ends when we end. Returns its standard output.

    Args:
        command: the program and its arguments.
        folder: its working directory.
        environment: variables that are added to our own environment.
        takes: is called with each line of standard error. Lines for which it returns True are left out of the error.
        hint: the error's hint.

    Raises:
        LabError: when the command fails, with its last lines of output.
    """
    # setpriv is used instead of preexec_fn, because other threads may hold locks between fork and exec.
    # Only root can make namespaces. Other users' tools end when their pipes close.
    namespaces = _NAMESPACES if os.geteuid() == 0 else ()
    contained = ("setpriv", "--pdeathsig", "KILL", *namespaces, *command)
    last: deque[str] = deque(maxlen=_LAST_WORDS)
    # Standard output goes to a file, because nothing reads a second pipe while the first is read.
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
