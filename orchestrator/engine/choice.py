"""Chooses the engine. Called by `cli`."""

from orchestrator.cluster import Cluster
from orchestrator.engine import automation, inventory
from orchestrator.engine.embedded import EmbeddedEngine
from orchestrator.engine.names import Name
from orchestrator.engine.port import Engine
from orchestrator.errors import UsageError


def choose(wanted: Name | None, cluster: Cluster, network: str) -> Engine:
    """The engine that the user named, else the one that brought the network up, else Pulumi's if it is installed.

    Raises:
        UsageError: Pulumi is wanted and not installed.
    """
    installed = automation.installed()
    known = inventory.read(cluster, f"coalmine-{network}").engine
    if wanted is None:
        wanted = Name(known) if known else Name.PULUMI if installed else Name.EMBEDDED
    if wanted is Name.EMBEDDED:
        return EmbeddedEngine(cluster)
    if not installed:
        raise UsageError(
            "there is no `pulumi` in PATH" + (", and it brought this network up" if known == Name.PULUMI else ""),
            hint="install the Pulumi CLI, or do without: --engine embedded can also take any network down",
        )
    return automation.PulumiEngine(cluster)
