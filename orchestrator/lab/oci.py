"""Writes OCI archives without a container engine. Called by `image`.

An archive is a tar of `oci-layout`, `index.json` and blobs named by their sha256 (OCI image-spec, "Image Layout"). It
also contains a `manifest.json`, which `docker load` needs in engines that are older than OCI archives.
"""

import hashlib
import io
import json
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Config = dict[str, Any]
"""How an image's containers start: Env, User, Entrypoint and so on, by their names in the OCI image-spec."""

FORMAT = 2
"""Increased when `write` makes something different of the same layers."""

_MEDIA = "application/vnd.oci.image"


@dataclass(frozen=True, slots=True)
class Layer:
    """An uncompressed tar file, and its sha256 in hex. Local images are read only once, so compression does not pay."""

    file: Path
    digest: str

    @classmethod
    def of(cls, file: Path) -> "Layer":
        with file.open("rb") as stream:
            return cls(file, hashlib.file_digest(stream, "sha256").hexdigest())


def write(target: Path, reference: str, layers: list[Layer], config: Config, *, carried: list[Layer]) -> None:
    """Writes an archive of one image atomically. Layers that are not `carried`, the reader must already have."""
    image = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": config,
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer.digest}" for layer in layers]},
        }
    ).encode()
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": f"{_MEDIA}.manifest.v1+json",
            "config": _descriptor("config.v1+json", image),
            "layers": [
                {
                    "mediaType": f"{_MEDIA}.layer.v1.tar",
                    "digest": f"sha256:{layer.digest}",
                    "size": layer.file.stat().st_size,
                }
                for layer in layers
            ],
        }
    ).encode()
    index = {
        "schemaVersion": 2,
        "manifests": [
            {**_descriptor("manifest.v1+json", manifest), "annotations": {"io.containerd.image.name": reference}}
        ],
    }
    for_docker = [
        {
            "Config": _blob(hashlib.sha256(image).hexdigest()),
            "RepoTags": [reference.removeprefix("docker.io/")],
            "Layers": [_blob(layer.digest) for layer in layers],
        }
    ]
    unfinished = partial(target)
    with tarfile.open(unfinished, "w") as archive:
        _add(archive, "oci-layout", json.dumps({"imageLayoutVersion": "1.0.0"}).encode())
        _add(archive, "index.json", json.dumps(index).encode())
        _add(archive, "manifest.json", json.dumps(for_docker).encode())
        for blob in (image, manifest):
            _add(archive, _blob(hashlib.sha256(blob).hexdigest()), blob)
        for layer in carried:
            archive.add(layer.file, _blob(layer.digest))
    unfinished.rename(target)


def partial(target: Path) -> Path:
    """The file that an archive is written to until it is complete."""
    return target.with_suffix(".partial")


def _descriptor(kind: str, blob: bytes) -> dict[str, Any]:
    return {
        "mediaType": f"{_MEDIA}.{kind}",
        "digest": f"sha256:{hashlib.sha256(blob).hexdigest()}",
        "size": len(blob),
    }


def _blob(digest: str) -> str:
    return f"blobs/sha256/{digest}"


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))
