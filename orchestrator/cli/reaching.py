"""Finds the cluster that a user means: their own, or a running lab. Called by every verb that needs a cluster."""

import os

from orchestrator import lab
from orchestrator.cli.options import Where
from orchestrator.cluster import Cluster
from orchestrator.errors import Refused, UsageError


def named(where: Where) -> Cluster | None:
    """The user's own cluster if they named one; None means a lab.

    Raises:
        Refused: when COALMINE_CONTEXTS is set and does not list the context.
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
    """The cluster to work on, which must exist. For verbs that never start a lab.

    Raises:
        UsageError: when no context is named and the lab does not run.
        Refused: as `named` does.
    """
    cluster = named(where)
    if cluster is not None:
        return cluster
    found = lab.find(where.lab)
    if found is None:
        raise UsageError(f"lab {where.lab} does not run", hint="name your cluster with --context")
    return found.cluster()
