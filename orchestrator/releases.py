"""The lines of the node that are supported, and what changed with each for whoever starts or reads one.

One list for all: `metrics.names` dates metrics by it, `cli.describe` tells a node's line and its differences. From the
release notes (`prdoc/` of polkadot-sdk), each named; where real binaries of a line were at hand, tried on them.
"""

import re
from dataclasses import dataclass

Line = tuple[int, int]
"""The first two numbers of `system_version` of a relay node, and of `substrate_build_info`."""

_VERSION = re.compile(r"^(\d+)\.(\d+)\.")


@dataclass(frozen=True, slots=True)
class Release:
    """A line; `changes` are against the one before, a sentence each, with its source."""

    name: str
    line: Line
    supported_until: str
    changes: tuple[str, ...] = ()


RELEASES = (
    Release("stable2512", (1, 21), "2027-01"),
    Release(
        "stable2603",
        (1, 22),
        "2027-03",
        (
            "--public-addr must name a port (pr_10954)",
            "--prometheus-external binds [::] instead of 0.0.0.0 (pr_11224)",
            "the HostConfiguration has max_relay_parent_session_age, which older runtimes refuse in a genesis",
            "runtimes of system_version 3 keep new code pending for two blocks before it is :code (pr_6029)",
        ),
    ),
    Release(
        "stable2606",
        (1, 24),
        "2027-07",
        (
            "System.CodeUpdated carries the code's hash (pr_11804)",
            "code may be 5 MiB large instead of 3 MiB, where the chain's configuration allows it (pr_11894)",
            "ParityDB no longer breaks when it is killed in mid-write (pr_12082)",
        ),
    ),
    Release(
        "stable2609",
        (1, 25),
        "",
        (
            "Westend's relay chain has no staking of its own (pr_11940)",
            "downward messages are kept a page each, under Dmp.DownwardMessageQueueMeta",
        ),
    ),
)
"""Oldest first."""


def release_of(system_version: str) -> Release | None:
    """The line of a relay node's version such as `1.24.0-0123abcd`; None for one that is not known.

    Between two lines there were none, so 1.23 is not taken for 1.22.
    """
    found = _VERSION.match(system_version)
    if found is None:
        return None
    line = (int(found[1]), int(found[2]))
    return next((release for release in RELEASES if release.line == line), None)
