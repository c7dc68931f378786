"""The ladder names the rung, the node and the cause when a network does not come up."""

import pytest

from orchestrator.errors import ReadinessError
from orchestrator.genesis import chainspec
from orchestrator.readiness import ladder
from orchestrator.readiness.access import Access
from orchestrator.readiness.rungs import Rung
from orchestrator.render import render


def test_all_rungs_are_reached(cluster, network):
    reached = ladder.climb(cluster, network, lambda _: None)
    assert [rung.name for rung in reached][-1] == "validators have prepared the parachains' code"


def test_a_rung_that_is_not_reached_names_node_and_cause(cluster, network):
    access = Access(cluster, network)
    missing = {"validator-2": "CrashLoopBackOff: back-off"}
    rungs = [Rung("all pods are ready", 0.0, lambda: missing)]
    with pytest.raises(ReadinessError, match=r"all pods are ready.*validator-2 \(CrashLoopBackOff"):
        ladder.climb_rungs(rungs, access, lambda _: None)


def test_the_api_server_takes_every_rendered_object_strictly(cluster, images, network):
    manifests = render(network.testnet, chainspec.build(network.testnet, bytes(32)), images)
    for manifest in manifests:
        if not manifest.name.startswith("chain-"):  # These are immutable, and of another seed here.
            cluster.apply(manifest.document, dry_run=True)
