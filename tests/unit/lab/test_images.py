"""Archives and layers: what is in them is what their names say, and equal content makes equal names."""

import hashlib
import json
import tarfile

import pytest

from orchestrator.lab import image, oci, state, store
from orchestrator.lab.oci import Layer
from orchestrator.progress import silent


@pytest.fixture
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("COALMINE_CACHE", str(tmp_path))
    return tmp_path


def layer(folder, name, content=b"x"):
    file = folder / f"{name}.tar"
    with tarfile.open(file, "w") as archive:
        (folder / name).write_bytes(content)
        archive.add(folder / name, name)
    return Layer.of(file)


def read(archive, name):
    return archive.extractfile(name).read()


def test_an_archive_holds_what_its_index_names(tmp_path):
    layers = [layer(tmp_path, "a"), layer(tmp_path, "b")]
    oci.write(tmp_path / "image.tar", "docker.io/x/y:1", layers, {"User": "65532"}, carried=layers)
    with tarfile.open(tmp_path / "image.tar") as archive:
        for name in archive.getnames():
            if name.startswith("blobs/"):
                assert hashlib.sha256(read(archive, name)).hexdigest() == name.rpartition("/")[2]
        index = json.loads(read(archive, "index.json"))["manifests"][0]
        assert index["annotations"] == {"io.containerd.image.name": "docker.io/x/y:1"}
        manifest = json.loads(read(archive, f"blobs/sha256/{index['digest'].removeprefix('sha256:')}"))
        config = json.loads(read(archive, f"blobs/sha256/{manifest['config']['digest'].removeprefix('sha256:')}"))
        assert config["rootfs"]["diff_ids"] == [entry["digest"] for entry in manifest["layers"]]
        assert config["config"] == {"User": "65532"}
        (docker,) = json.loads(read(archive, "manifest.json"))
        assert docker["RepoTags"] == ["x/y:1"]
        assert set(docker["Layers"]) <= set(archive.getnames())


def test_an_update_names_all_layers_and_carries_its_own(tmp_path):
    layers = [layer(tmp_path, "a"), layer(tmp_path, "b")]
    oci.write(tmp_path / "image.tar", "docker.io/x/y:1", layers, {}, carried=layers[1:])
    with tarfile.open(tmp_path / "image.tar") as archive:
        assert f"blobs/sha256/{layers[1].digest}" in archive.getnames()
        assert f"blobs/sha256/{layers[0].digest}" not in archive.getnames()


def test_equal_content_makes_equal_layers(cache):
    def fill(folder):
        (folder / "file").write_text("x")

    first = image._layer("one", "key", fill, silent)
    again = image._layer("two", "key", fill, silent)
    assert first.digest == again.digest


def test_a_layer_is_made_once(cache):
    made = []
    for _ in range(2):
        image._layer("one", "key", made.append, silent)
    assert len(made) == 1


def test_a_layer_that_could_not_be_made_is_not_there(cache):
    def fails(folder):
        raise RuntimeError

    with pytest.raises(RuntimeError):
        image._layer("one", "key", fails, silent)
    assert list((cache / "layers").iterdir()) == []


def test_our_layer_holds_our_code_its_byte_code_and_no_go(cache):
    with tarfile.open(image._code(silent).file) as archive:
        names = archive.getnames()
    home = "./opt/coalmine/app"
    assert f"{home}/orchestrator/errors.py" in names
    assert f"{home}/simnode/__main__.py" in names
    assert any(name.startswith(f"{home}/orchestrator/__pycache__/errors.") for name in names)
    assert not [name for name in names if "golang" in name]


def test_an_image_is_named_by_its_layers_and_its_configuration(cache, tmp_path):
    one, other = layer(tmp_path, "a"), layer(tmp_path, "b", b"y")
    names = {
        image._image("docker.io/x/y", layers, config, progress=silent).reference
        for layers in ([one], [other], [one, other])
        for config in ({}, {"User": "0"})
    }
    assert len(names) == 6
    assert image._image("docker.io/x/y", [one], {}, progress=silent).reference in names


def test_an_update_has_the_name_of_the_whole_image(cache, tmp_path):
    one, other = layer(tmp_path, "a"), layer(tmp_path, "b", b"y")
    whole = image._image("docker.io/x/y", [one, other], {}, progress=silent)
    update = image._image("docker.io/x/y", [one, other], {}, carried=[other], progress=silent)
    assert update.reference == whole.reference
    assert update.archive != whole.archive


def test_old_archives_go_and_the_newest_stay(cache, tmp_path):
    for count in range(6):
        image._image("docker.io/x/y", [layer(tmp_path, "a", b"%d" % count)], {}, progress=silent)
    kept = list((state.cache() / "images").glob("y-*.tar"))
    assert len(kept) == image._KEPT_WHOLE


def test_a_lab_shares_what_is_only_read_and_copies_what_is_written(tmp_path):
    source, root = tmp_path / "store", tmp_path / "lab"
    for file in ("overlay/snapshots/1/fs/bin", "overlay/metadata.db", "content/blobs/sha256/abc", "meta/meta.db"):
        (source / file).parent.mkdir(parents=True, exist_ok=True)
        (source / file).write_text(file)
    store.begin(source, root)
    assert (root / "overlay/snapshots/1").is_symlink()
    assert (root / "overlay/snapshots/1/fs/bin").read_text() == "overlay/snapshots/1/fs/bin"
    assert (root / "content/blobs/sha256/abc").samefile(source / "content/blobs/sha256/abc")
    for database in ("overlay/metadata.db", "meta/meta.db"):
        assert not (root / database).samefile(source / database)
        (root / database).write_text("changed")
        assert (source / database).read_text() == database
