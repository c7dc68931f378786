"""Loads the new code of an upgrade: a model's code, or code in ConfigMaps. Called once, by `reconciler`."""

import base64
import binascii
import hashlib

from chaos.upgrades.view import Code
from orchestrator.cluster import Cluster
from orchestrator.errors import ClusterError, RuntimeBlobError
from orchestrator.runtime import blob
from orchestrator.spec.runtime import CodeChunks, RuntimeCode


class CodeError(Exception):
    """The code cannot be loaded. The text says why."""


def load(code: RuntimeCode, cluster: Cluster) -> bytes:
    """The bytes of the code.

    Raises:
        CodeError: the code is missing, or its checksum is wrong.
    """
    if code.model is not None:
        return blob.model_blob(code.model)
    if code.chunks is not None:
        return _from_chunks(code.chunks, cluster)
    raise CodeError("the code is a file on a user's machine; store it in the cluster as chunks")


def describe(code: bytes) -> Code:
    """The versions in the code. Raises CodeError if it is not a runtime."""
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
        raise CodeError(f"the sha256 of the chunks is {found}, but the upgrade names {chunks.sha256}")
    return code
