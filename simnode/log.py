"""Log lines on standard output, dated as Substrate's are."""

import sys
import time


def say(line: str) -> None:
    now = time.time()
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(now))
    sys.stdout.write(f"{stamp}.{int(now % 1 * 1000):03d} {line}\n")
    sys.stdout.flush()
