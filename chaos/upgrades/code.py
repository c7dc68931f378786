"""The new code of an upgrade: built in place, or put together from ConfigMaps. Called by `reconciler`, once."""

import base64
import binascii
import hashlib

from chaos.upgrades.view import Code
from orchestrator.cluster import Cluster
from orchestrator.errors import ClusterError, RuntimeBlobError
from orchestrator.runtime import blob
from orchestrator.spec.runtime import CodeChunks, RuntimeCode


class CodeError(Exception):
    """There is no code to upgrade to, and why."""


def load(code: RuntimeCode, cluster: Cluster) -> bytes:
    """The code itself.

    Raises:
        CodeError: when it is not there or not what was announced.
    """
    if code.model is not None:
        return blob.model_blob(code.model)
    if code.chunks is not None:
        return _from_chunks(code.chunks, cluster)
    raise CodeError("a file is on somebody's machine and not in the cluster; put it there as chunks")


def describe(code: bytes) -> Code:
    """What it says of itself; CodeError when it is no runtime."""
    try:
        found = blob.read(code)
    except RuntimeBlobError as error:
        raise CodeError(error.message) from error
    version = found.version
    return Code(version.spec_name, version.spec_version, version.transaction_version, found.code_hash, len(code))


def _from_chunks(chunks: CodeChunks, cluster: Cluster) -> bytes:
    pieces = []
    for name in chunks.config_maps:
        try:
            config_map = cluster.get("ConfigMap", name)
        except ClusterError as error:
            raise CodeError(error.message) from error
        if config_map is None:
            raise CodeError(f"there is no ConfigMap {name}")
        try:
            pieces.append(base64.b64decode(config_map["binaryData"]["chunk"], validate=True))
        except (KeyError, binascii.Error) as error:
            raise CodeError(f"ConfigMap {name} has no chunk in its binaryData") from error
    code = b"".join(pieces)
    found = hashlib.sha256(code).hexdigest()
    if found != chunks.sha256:
        raise CodeError(f"the chunks' sha256 is {found}, announced is {chunks.sha256}")
    return code
