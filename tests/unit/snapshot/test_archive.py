"""Archives: what goes in comes out, keys never do, and what is no archive puts nothing in place."""

import gzip
import io
import tarfile

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.errors import SnapshotError
from orchestrator.snapshot import archive
from tests.budget import schedules

NAMES = st.text("abcdefghij0123456789_-.", min_size=1, max_size=12).filter(lambda name: name.strip("."))
PLACES = st.lists(NAMES, min_size=1, max_size=4).map("/".join).map("chains/x/".__add__)


def files_of(folder):
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def filled(folder, files):
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return folder


def packed(base, file):
    with file.open("wb") as out:
        return archive.pack(base, out)


def tar_of(members, mode="w"):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as tar:
        for member in members:
            info, content = member if isinstance(member, tuple) else (member, b"")
            if isinstance(info, str):
                info = tarfile.TarInfo(info)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


@settings(max_examples=schedules(40), deadline=None)
@given(st.dictionaries(PLACES, st.binary(max_size=300), min_size=1, max_size=8))
def test_a_database_comes_back_as_it_was(tmp_path_factory, files):
    names = sorted(files)
    for name in names:  # A name cannot be a file and a folder.
        for other in names:
            if other.startswith(name + "/"):
                files.pop(name, None)
    folder = tmp_path_factory.mktemp("a")
    base = filled(folder / "base", files)
    contents = packed(base, folder / "a.tar.zst")
    (folder / "out").mkdir()
    assert archive.unpack(folder / "a.tar.zst", folder / "out") == contents
    assert files_of(folder / "out") == files_of(base)


KEYS = (
    "chains/x/keystore/6772616e00",
    "chains/x/network/secret_ed25519",
    "polkadot/chains/y/keystore/6772616e00",
    "polkadot/chains/y/network/secret_ed25519",
)


def test_no_key_goes_into_an_archive_and_none_comes_out_of_one(tmp_path):
    database = {"chains/x/db/full/CURRENT": b"1", "chains/x/network/peers": b"2"}
    base = filled(tmp_path / "base", {**database, **dict.fromkeys(KEYS, b"secret"), ".coalmine/snapshot": b"sum"})
    contents = packed(base, tmp_path / "a.tar.zst")
    assert contents.files == 2
    plain = zstandard.ZstdDecompressor().decompressobj().decompress((tmp_path / "a.tar.zst").read_bytes())
    assert b"secret" not in plain.replace(b"secret_ed25519", b"")
    assert set(contents.left_out) == {
        "chains/x/keystore",
        "chains/x/network/secret_ed25519",
        "polkadot/chains/y/keystore",
        "polkadot/chains/y/network/secret_ed25519",
    }

    (tmp_path / "foreign.tar").write_bytes(tar_of([*((name, b"secret") for name in KEYS), ("chains/x/db/a", b"1")]))
    (tmp_path / "out").mkdir()
    assert set(archive.unpack(tmp_path / "foreign.tar", tmp_path / "out").left_out) == set(KEYS)
    assert files_of(tmp_path / "out") == {"chains/x/db/a": b"1"}


@pytest.mark.parametrize(
    "compress",
    [bytes, gzip.compress, zstandard.ZstdCompressor().compress],
    ids=["plain", "gzip", "zstd"],
)
def test_layouts_and_compressions_are_told_by_their_content(tmp_path, compress):
    tar = tar_of([("data/chains/para/db/a", b"1"), ("relay-data/chains/relay/db/b", b"2")])
    (tmp_path / "archive").write_bytes(compress(tar))
    (tmp_path / "out").mkdir()
    archive.unpack(tmp_path / "archive", tmp_path / "out")
    assert files_of(tmp_path / "out") == {"chains/para/db/a": b"1", "polkadot/chains/relay/db/b": b"2"}


def link(kind, target):
    info = tarfile.TarInfo("chains/link")
    info.type, info.linkname = kind, target
    return info


@pytest.mark.parametrize(
    "member",
    [
        ("../outside", b"x"),
        ("chains/../../outside", b"x"),
        ("/etc/outside", b"x"),
        link(tarfile.SYMTYPE, "/etc"),
        link(tarfile.LNKTYPE, "../../outside"),
        link(tarfile.CHRTYPE, ""),
        link(tarfile.FIFOTYPE, ""),
    ],
    ids=["up", "through", "absolute", "symlink", "hardlink", "device", "pipe"],
)
def test_nothing_leads_out_of_its_folder(tmp_path, member):
    (tmp_path / "a.tar").write_bytes(tar_of([member]))
    (tmp_path / "out").mkdir()
    with pytest.raises(SnapshotError, match="not a file or folder inside it"):
        archive.unpack(tmp_path / "a.tar", tmp_path / "out")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.tar", "out"]


WHOLE = tar_of([("chains/x/db/a", bytes(50_000))])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>not found</html>",
        gzip.compress(WHOLE)[:60],
        zstandard.ZstdCompressor().compress(WHOLE)[:30],
        WHOLE[:9000],
        tar_of([]),
    ],
    ids=["empty", "page", "half-gzip", "half-zstd", "half-tar", "no-files"],
)
def test_what_is_no_archive_is_said_to_be_none(tmp_path, content):
    (tmp_path / "a").write_bytes(content)
    (tmp_path / "out").mkdir()
    with pytest.raises(SnapshotError):
        archive.unpack(tmp_path / "a", tmp_path / "out")
