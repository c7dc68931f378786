"""The cluster that a user means: their own, or a lab that runs. Called by every verb that asks a cluster."""

import os

from orchestrator import lab
from orchestrator.cli.options import Where
from orchestrator.cluster import Cluster
from orchestrator.errors import Refused, UsageError


def named(where: Where) -> Cluster | None:
    """The user's own cluster when they named one; None means a lab.

    Raises:
        Refused: when the context is one that the user's own allow-list does not hold.
    """
    if where.context is None and where.kubeconfig is None:
        return None
    cluster = Cluster.connect(context=where.context, kubeconfig=where.kubeconfig)
    allowed = os.environ.get("COALMINE_CONTEXTS", "").split()
    if allowed and cluster.context not in allowed:
        raise Refused(
            f"context {cluster.context} is not among the allowed ones ({', '.join(allowed)})",
            hint="COALMINE_CONTEXTS lists the contexts that coalmine may change",
        )
    return cluster


def existing(where: Where) -> Cluster:
    """The cluster to work on, which must be there: a verb that looks or takes down starts nothing.

    Raises:
        UsageError: when neither a context is named nor the lab runs.
    """
    cluster = named(where)
    if cluster is not None:
        return cluster
    found = lab.find(where.lab)
    if found is None:
        raise UsageError(f"lab {where.lab} does not run", hint="name your cluster with --context")
    return found.cluster()
