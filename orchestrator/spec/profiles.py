"""Default resources of a node, by client and role. Called by `render.groups` and by `gates.library`.

Requests come from measurements: a validator used 185 MB and 0.04 cores, a collator 360 to 450 MB and 0.25 cores. Limits
leave room to prepare one PVF (0.5 GB). The library's memory gate is a share of the limit.
"""

from dataclasses import dataclass

from orchestrator.spec import NodeGroup
from orchestrator.units import quantity


@dataclass(frozen=True, slots=True)
class Profile:
    """Requests and limits, as Kubernetes quantities. `startup` is how many seconds a node may take to serve RPC."""

    cpu: str
    memory: str
    memory_limit: str
    storage: str
    startup: int


_COMPILING = 900
"""A real node compiles its runtime before it serves RPC. On a small machine all nodes do so at the same time."""

_SIMULATED = Profile(cpu="50m", memory="128Mi", memory_limit="512Mi", storage="1Gi", startup=120)
_VALIDATOR = Profile(cpu="100m", memory="512Mi", memory_limit="3Gi", storage="4Gi", startup=_COMPILING)
_COLLATOR = Profile(cpu="250m", memory="640Mi", memory_limit="3Gi", storage="4Gi", startup=_COMPILING)
_FULL = Profile(cpu="50m", memory="384Mi", memory_limit="2Gi", storage="4Gi", startup=_COMPILING)
_ARCHIVE = Profile(cpu="50m", memory="512Mi", memory_limit="3Gi", storage="16Gi", startup=_COMPILING)
_BY_ROLE = {"validator": _VALIDATOR, "collator": _COLLATOR, "archive": _ARCHIVE}


def profile(group: NodeGroup, *, client: str, role: str) -> Profile:
    """The group's resources: the user's settings where given, else the defaults."""
    usual = _SIMULATED if client == "simnode" else _BY_ROLE.get(role, _FULL)
    said = group.resources
    # A user's limit below the default request lowers the request; a user's request above the default limit raises it.
    memory = said.memory or min(usual.memory, said.memory_limit or usual.memory, key=quantity)
    return Profile(
        cpu=said.cpu or usual.cpu,
        memory=memory,
        memory_limit=said.memory_limit or max(usual.memory_limit, memory, key=quantity),
        storage=said.storage or usual.storage,
        startup=usual.startup,
    )
