"""The two locks belong to pyproject.toml and to each other, so that what is tested is what is installed."""

import re
import tomllib
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

HOME = Path(__file__).parents[2]
PROJECT = tomllib.loads((HOME / "pyproject.toml").read_text())
IMAGE_GROUP = PROJECT["dependency-groups"]["image"]
ALL = [*PROJECT["project"]["dependencies"], *chain.from_iterable(PROJECT["dependency-groups"].values())]


def locked(path):
    """Package -> version, and the packages without a hash."""
    entries = re.split(r"\n(?=[a-z])", (HOME / path).read_text())
    versions = dict(re.match(r"([a-z0-9.-]+)(?:\[[a-z,]+\])?==(\S+)", entry).groups() for entry in entries)
    return versions, [entry for entry in entries if "--hash=sha256:" not in entry]


DEVELOPMENT, IMAGE = (locked(path) for path in ("development.lock", "orchestrator/lab/image.lock"))


@pytest.mark.parametrize("lock", [DEVELOPMENT, IMAGE], ids=["development", "image"])
def test_every_locked_package_has_hashes(lock):
    versions, without = lock
    assert len(versions) > 40
    assert without == []


@pytest.mark.parametrize(("wanted", "lock"), [(ALL, DEVELOPMENT), (IMAGE_GROUP, IMAGE)], ids=["development", "image"])
def test_a_lock_has_all_that_is_asked_for_within_its_bounds(wanted, lock):
    versions, _ = lock
    for requirement in map(Requirement, wanted):
        version = versions[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), f"{requirement} is locked at {version}: run `make lock`"


def test_the_image_has_what_was_tested_and_nothing_that_only_users_need():
    image, everything = IMAGE[0], DEVELOPMENT[0]
    assert image.items() <= everything.items()
    assert not {"pulumi", "typer", "pandas", "pytest"} & image.keys()
