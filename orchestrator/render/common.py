"""What all parts of the rendering share: images and labels. Used by the modules of `render`."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.spec import Testnet


@dataclass(frozen=True, slots=True)
class Images:
    """References of the images that the network runs on.

    `clients` names one for each client whose own default is not wanted; a group's or a chain's own image goes first.
    """

    coalmine: str
    prometheus: str
    clients: Mapping[str, str] = field(default_factory=dict)


def labels(testnet: Testnet, component: str, **more: str) -> dict[str, str]:
    """The labels of an object of the network; `component` says what it is."""
    return {
        "app.kubernetes.io/managed-by": "coalmine",
        "app.kubernetes.io/component": component,
        "coalmine.dev/network": testnet.name,
        **{f"coalmine.dev/{key.replace('_', '-')}": value for key, value in more.items()},
    }
