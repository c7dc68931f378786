"""What a client's programs need of a system that is not theirs, and where it comes from."""

import io
import shutil
import tarfile
from pathlib import Path

import pytest

from orchestrator.errors import LabError
from orchestrator.lab import libraries

PROGRAM = "cat"


@pytest.fixture
def program():
    return Path(shutil.which(PROGRAM))


def archive(file, *names):
    with tarfile.open(file, "w") as made:
        for name in names:
            entry = tarfile.TarInfo(name)
            entry.size = 1
            made.addfile(entry, io.BytesIO(b"x"))
    return file


@pytest.mark.parametrize(
    ("library", "package"),
    [
        ("librocksdb.so.7.8", "librocksdb7.8"),
        ("libstdc++.so.6", "libstdc++6"),
        ("libgcc_s.so.1", "libgcc-s1"),
        ("libnl-3.so.200", "libnl-3-200"),
        ("libBrokenLocale.so.1", "libbrokenlocale1"),
    ],
)
def test_a_library_is_in_the_package_that_debians_policy_names(library, package):
    assert libraries.package(library) == package


def test_a_program_says_what_it_needs(program):
    assert libraries.needed([program]) == {"libc.so.6": PROGRAM}


def test_what_the_root_has_is_not_fetched(program, tmp_path):
    root = archive(tmp_path / "root.tar", "./usr/lib/x86_64-linux-gnu/libc.so.6", "./lib/x86_64-linux-gnu/libm.so.6")
    assert libraries.present(root) == {"libc.so.6", "libm.so.6"}
    libraries.add([program], root, pytest.fail, tmp_path, print)
    assert not (tmp_path / "usr").exists()


def test_what_it_lacks_comes_with_what_that_needs_and_replaces_nothing(program, tmp_path):
    root = archive(tmp_path / "root.tar", "./usr/lib/x86_64-linux-gnu/libz.so.1")
    wanted = []

    def fetch(packages, target, _):
        wanted.extend(packages)
        folder = "./lib/x86_64-linux-gnu"
        archive(target, f"{folder}/libc.so.6", f"{folder}/libz.so.1", "./usr/lib/x86_64-linux-gnu/libm.so.6", "./etc/x")

    libraries.add([program], root, fetch, tmp_path, print)
    assert wanted == ["libc6"]
    assert {file.name for file in (tmp_path / "usr" / "lib").iterdir()} == {"libc.so.6", "libm.so.6"}


def test_a_library_that_no_package_has_is_named_with_the_program(program, tmp_path):
    root = archive(tmp_path / "root.tar")
    with pytest.raises(LabError, match=r"no libc\.so\.6") as raised:
        libraries.add([program], root, lambda _, target, __: archive(target), tmp_path, print)
    assert raised.value.hint == f"{PROGRAM} needs libc.so.6: link it statically"


def test_what_is_no_program_is_an_error_and_no_traceback(tmp_path):
    (tmp_path / "node").write_bytes(b"\x7fELF but no more")
    with pytest.raises(LabError, match="node is no program that Linux runs"):
        libraries.needed([tmp_path / "node"])
