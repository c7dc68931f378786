"""How long the command line takes to start, against Python that does nothing: both in turn, the best of each.

Processor time: starting waits for nothing, and what else the machine does is not ours.
"""

import resource
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROUNDS = 9
_COALMINE = "from orchestrator.cli import main; main()"


def against_nothing(*arguments: str) -> float:
    """The time of `coalmine ARGUMENTS`, in times of `python -c pass`."""
    rounds = [(_seconds("pass"), _seconds(_COALMINE, *arguments)) for _ in range(ROUNDS)]
    nothing, coalmine = (min(times) for times in zip(*rounds, strict=True))
    return coalmine / nothing


def _seconds(program: str, *arguments: str) -> float:
    before = _used()
    subprocess.run([sys.executable, "-c", program, *arguments], check=True, capture_output=True, cwd=ROOT)
    return _used() - before


def _used() -> float:
    """Of all processes that were waited for so far; finer than `os.times`, which counts in hundredths of a second."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
