"""`RuntimeUpgrade`: an upgrade as in production. Read by `spec.load`, and as a custom resource by `chaos`."""

from typing import Literal

from pydantic import Field

from orchestrator.spec.base import Metadata, Model
from orchestrator.spec.runtime import RuntimeCode
from orchestrator.units import Duration


class RuntimeUpgradeSpec(Model):
    """Which chain gets which code. Root authorises it, anybody applies it, and it is followed for `settleSessions`."""

    chain: str = Field(default="relay", description="`relay`, or a parachain's name or id.")
    code: RuntimeCode
    settle_sessions: int = Field(default=2, ge=0, le=10, description="Relay sessions to follow after enactment.")
    enact_timeout: Duration = Field(
        default=300.0, description="How long it may take until a block built by the new code is finalised."
    )


class RuntimeUpgrade(Model):
    """An upgrade to rehearse: `kind: RuntimeUpgrade`."""

    api_version: Literal["coalmine.dev/v1alpha1"] = Field(default="coalmine.dev/v1alpha1", description="The format.")
    kind: Literal["RuntimeUpgrade"] = Field(description="What this object is.")
    metadata: Metadata = Field(description="The object's name and labels.")
    spec: RuntimeUpgradeSpec
