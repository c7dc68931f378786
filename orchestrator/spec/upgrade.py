"""`RuntimeUpgrade`: an upgrade as production does it. Read by `spec.load` and, as a custom resource, by `chaos`."""

from typing import Literal

from pydantic import Field

from orchestrator.spec.base import Metadata, Model
from orchestrator.spec.runtime import RuntimeCode
from orchestrator.units import Duration


class RuntimeUpgradeSpec(Model):
    """Which chain gets which code: authorised by root, applied by anybody, followed until `settle_sessions` later."""

    chain: str = Field(default="relay", description="`relay`, or a parachain's name or id.")
    code: RuntimeCode
    settle_sessions: int = Field(default=2, ge=0, le=10, description="Relay sessions to follow after enactment.")
    enact_timeout: Duration = Field(
        default=300.0, description="How long a block built by the new code may take to be included and finalised."
    )


class RuntimeUpgrade(Model):
    """An upgrade to rehearse: `kind: RuntimeUpgrade`."""

    api_version: Literal["coalmine.dev/v1alpha1"] = Field(default="coalmine.dev/v1alpha1", description="The format.")
    kind: Literal["RuntimeUpgrade"] = Field(description="What this object is.")
    metadata: Metadata = Field(description="The object's name and labels.")
    spec: RuntimeUpgradeSpec
