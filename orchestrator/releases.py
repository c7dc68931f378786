"""The supported release lines of the Polkadot SDK's nodes, and what changed in each for starting or reading a node.

`metrics.names` uses the list to date metrics, `cli.describe` to show a node's line and its changes. The changes come
from the release notes (`prdoc/` of polkadot-sdk), which are named. Where we had real binaries, we tried them.
"""

import re
from dataclasses import dataclass

Line = tuple[int, int]
"""The first two numbers of a relay node's `system_version` and of its `substrate_build_info`."""

_VERSION = re.compile(r"^(\d+)\.(\d+)\.")


@dataclass(frozen=True, slots=True)
class Release:
    """A release line. `changes` are the differences from the line before, one sentence each, with the source."""

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
    """The release line of a relay node's version such as `1.24.0-0123abcd`. None if it is unknown.

    A version must match exactly: 1.23, which was no release line, is not taken for 1.22.
    """
    found = _VERSION.match(system_version)
    if found is None:
        return None
    line = (int(found[1]), int(found[2]))
    return next((release for release in RELEASES if release.line == line), None)
