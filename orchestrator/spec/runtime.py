"""Runtime code as a user names it: a file, or the description of a model runtime. Used by testnets and upgrades."""

from typing import Literal

from pydantic import Field

from orchestrator.spec.base import ExactlyOne, Model


class ModelRuntime(Model):
    """A runtime for simnode's `model` state transition: a wasm module whose custom sections describe what it does."""

    spec_name: str = Field(description="The runtime's spec_name; an upgrade to another name is refused on chain.")
    spec_version: int = Field(ge=1, description="The runtime's spec_version; an upgrade must raise it.")
    transaction_version: int = Field(
        default=1, ge=1, description="The runtime's transaction_version; if it changes, signers must be rebuilt."
    )
    migration: Literal["none", "succeeds", "panics"] = Field(
        default="none", description="What the migration does in the first block that this code executes."
    )
    precheck: Literal["accepted", "rejected"] = Field(
        default="accepted", description="How validators vote when they pre-check this code as a parachain's."
    )


class CodeChunks(Model):
    """Code in the cluster, in ConfigMaps that each hold a piece of it."""

    config_maps: tuple[str, ...] = Field(min_length=1, description="Their names, in order; each has the key `chunk`.")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the whole code.")


class RuntimeCode(ExactlyOne):
    """Where runtime code comes from."""

    model: ModelRuntime | None = Field(default=None, description="A model runtime; only for simnode.")
    file: str | None = Field(default=None, description="A wasm file, relative to the file that names it.")
    chunks: CodeChunks | None = Field(default=None, description="Code in the cluster; only in custom resources.")
