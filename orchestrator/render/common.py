"""Images and labels, shared by the modules of `render`."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.spec import Testnet


@dataclass(frozen=True, slots=True)
class Images:
    """References of the images that the network runs on.

    `clients` replaces the default image of a client, by client. An image of a group or of a chain takes precedence.
    """

    coalmine: str
    prometheus: str
    clients: Mapping[str, str] = field(default_factory=dict)


def labels(testnet: Testnet, component: str, **more: str) -> dict[str, str]:
    """The labels of an object of the network. `component` is its kind of part, such as `node` or `agent`."""
    return {
        "app.kubernetes.io/managed-by": "coalmine",
        "app.kubernetes.io/component": component,
        "coalmine.dev/network": testnet.name,
        **{f"coalmine.dev/{key.replace('_', '-')}": value for key, value in more.items()},
    }
