"""Who a node is, as its pod's environment says it. Written by `render`, read by the agent from the running process.

The agent has no access to the API server, and needs a node's labels to name what it measures.
"""

from pydantic import BaseModel, ConfigDict, Field

VARIABLE = "COALMINE_NODE"
NAME_VARIABLE = "POD_NAME"
"""The pod's name, which is the node's, from Kubernetes itself."""


class NodeIdentity(BaseModel):
    """What all nodes of a group have in common. A parachain's node with a relay node inside has two chains."""

    model_config = ConfigDict(frozen=True)

    group: str
    role: str
    chains: tuple[str, ...] = Field(min_length=1)
