"""How much is explored. `make test` tries few schedules; `make explore` tries COALMINE_EXPLORE times as many."""

import os

TIMES = int(os.environ.get("COALMINE_EXPLORE", "1"))


def schedules(few: int) -> int:
    """Seeds, examples or files for one test, `few` of them in `make test`."""
    return few * TIMES
