"""Commands that take long and start others: whatever ends us ends all of them, and their mounts with them.

Called by `image`, `store` and `toolchain`. Ctrl-C reaches all programs of a terminal, but SIGTERM and SIGKILL reach one
only: without this, a compiler or a half-made file system would go on behind the back of whoever ended coalmine.
"""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from orchestrator.errors import LabError

_NAMESPACES = ("unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child")


def run(
    *command: str,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    hint: str,
) -> None:
    """Runs the command as PID 1 of its own PID namespace, which the kernel ends when we end.

    Raises:
        LabError: with the command's last words, when it fails.
    """
    # setpriv, not a function of ours between fork and exec: other threads of this process may hold locks then.
    namespaces = _NAMESPACES if os.geteuid() == 0 else ()  # Only root may; another's tools end with their pipes.
    contained = ("setpriv", "--pdeathsig", "KILL", *namespaces, *command)
    done = subprocess.run(
        contained,
        cwd=folder,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        said = " | ".join((done.stderr.strip() or done.stdout.strip()).splitlines()[-3:])
        raise LabError(f"{Path(command[0]).name} failed: {said}", hint=hint)
