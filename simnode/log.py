"""Log lines on standard output, with the time in Substrate's format."""

import sys
import time


def say(line: str) -> None:
    now = time.time()
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(now))
    sys.stdout.write(f"{stamp}.{int(now % 1 * 1000):03d} {line}\n")
    sys.stdout.flush()
