"""The list of lines: in order, and a version is of exactly the line that it names."""

import itertools

import pytest

from orchestrator import releases


def test_lines_rise_and_each_but_the_first_says_what_changed():
    assert all(older.line < newer.line for older, newer in itertools.pairwise(releases.RELEASES))
    assert all(release.changes for release in releases.RELEASES[1:])


@pytest.mark.parametrize(
    ("version", "name"),
    [
        ("1.21.2-ab12cd34", "stable2512"),
        ("1.24.0", "stable2606"),
        ("1.25.1-0f0f0f0f0f0", "stable2609"),
        ("1.23.0-x", None),
        ("1.2.0", None),
        ("0.1.0-simulated", None),
        ("", None),
    ],
)
def test_a_version_is_of_its_own_line_or_of_none_that_is_known(version, name):
    found = releases.release_of(version)
    assert (found.name if found else None) == name
