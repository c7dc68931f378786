"""Finds the real binaries and runtimes, and unpacks them once. Without them these tests are skipped, with a reason."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator import cache

FOLDER = Path(os.environ.get("COALMINE_REAL") or Path(__file__).resolve().parents[3] / "shared" / "real")


SHORT = {"test_genesis.py", "test_runtimes.py", "test_small_network.py", "test_metric_names.py"}
"""The files that `make test` runs. They need no network, or a short one. All others take many minutes."""


def pytest_collection_modifyitems(items):
    missing = pytest.mark.skip(
        reason=f"no real binaries: there is no folder {FOLDER}, and COALMINE_REAL names no other"
    )
    long = pytest.mark.skip(reason="a long real network: `make test-real` runs it")
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.real)
            if not os.environ.get("COALMINE_THOROUGH") and item.path.name not in SHORT:
                item.add_marker(long)
            if not FOLDER.is_dir():
                item.add_marker(missing)


def say(line):
    sys.stderr.write(line + "\n")


def unpacked(archive: str) -> Path:
    """The folder with an archive's programs. It is kept in the cache under a hash of the archive."""
    file = FOLDER / archive
    digest = hashlib.sha256(file.read_bytes()).hexdigest()[:16]
    target = cache.folder("real") / digest
    if not target.is_dir():
        new = target.with_name(f"{digest}.{os.getpid()}")
        new.mkdir()
        with subprocess.Popen(["zstd", "-dc", "--long=27", file], stdout=subprocess.PIPE) as zstd:
            subprocess.run(["tar", "x", "-C", new], stdin=zstd.stdout, check=True)
        try:
            new.rename(target)
        except OSError:  # Another process was first.
            subprocess.run(["rm", "-r", new], check=True)
    return target


@pytest.fixture(scope="session")
def real():
    """The folder of archives and runtimes."""
    return FOLDER


@pytest.fixture(scope="session")
def omni_node():
    """The `polkadot-omni-node`, which holds `chain-spec-builder` and `export-genesis-head`."""
    return unpacked("polkadot-omni-node-0.24.0-linux-amd64.tar.zst") / "polkadot-omni-node"


@pytest.fixture(scope="session")
def polkadot():
    """The newest `polkadot`, with its workers beside it."""
    return unpacked("polkadot-1.25.1-linux-amd64.tar.zst") / "polkadot"
