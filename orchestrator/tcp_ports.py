"""The TCP ports of a network's pods. Whoever opens, declares or dials one takes its number from here.

Every pod has an address of its own, so each port is the same on all nodes. The templates in `manifests/` see this
module as `tcp_ports`.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NodePorts:
    """Where one node process listens."""

    p2p: int
    rpc: int
    """Safe methods and `/health`, for everybody."""
    local_rpc: int
    """Unsafe methods, on loopback only."""
    metrics: int


NODE = NodePorts(p2p=30333, rpc=9944, local_rpc=9955, metrics=9615)
EMBEDDED_RELAY = NodePorts(p2p=30334, rpc=9945, local_rpc=9956, metrics=9616)
"""The relay node inside a parachain's node."""

AGENT = 9700
CONTROLLER = 9701
CONTROLLER_LIVENESS = 9702
AGENT_METRICS = 9703
"""Apart from the agent's orders, so that a policy can open it to Prometheus alone."""
SNAPSHOT = CONTROLLER
"""The pod that sends a volume's snapshot: the controller's number, which the NetworkPolicies leave open anyway."""
PROMETHEUS = 9090
