"""The sources of a run's evidence: Prometheus, the nodes and their pods, all through the API server.

They implement the protocols of `gates.ports`. Called by `lifecycle`.
"""

import requests

from orchestrator.cluster import Cluster
from orchestrator.gates.ports import Sources
from orchestrator.journal import Node as JournalNode
from orchestrator.metrics.prometheus import Prometheus
from orchestrator.provision.network import Network
from orchestrator.readiness.access import Access
from orchestrator.render import PrometheusEndpoint, prometheus_endpoint
from orchestrator.run.node_reads import NodeReads
from orchestrator.run.pods import PodLogs, PodWatch


def inventory(network: Network) -> tuple[JournalNode, ...]:
    """The planned nodes, in the journal's form."""
    by_rpc = {parachain.chain for parachain in network.testnet.spec.parachains if parachain.relay == "rpc"}
    return tuple(
        JournalNode(
            name=node.name,
            chain=node.chain,
            group=node.group,
            role=node.role,
            ordinal=node.ordinal,
            authority=node.authority,
            embeds_relay=node.chain not in by_rpc,
        )
        for node in network.genesis.nodes
    )


def sources(cluster: Cluster, network: Network) -> Sources:
    """Sources for all gates of a network."""
    namespace = network.testnet.namespace
    nodes = inventory(network)
    return Sources(
        prometheus=_prometheus(cluster, prometheus_endpoint(network.testnet)),
        chains=NodeReads(Access(cluster, network)),
        pods=PodWatch(cluster, namespace, frozenset(node.name for node in nodes)),
        logs=PodLogs(cluster, namespace),
        nodes=nodes,
        scrape=prometheus_endpoint(network.testnet).scrape_interval,
    )


def _prometheus(cluster: Cluster, at: PrometheusEndpoint) -> Prometheus:
    authority, certificate, headers = cluster.tls()
    session = requests.Session()
    session.trust_env = False  # A proxy from the environment does not reach the API server.
    session.verify = authority or True
    session.cert = certificate
    url = f"{cluster.host}/api/v1/namespaces/{at.namespace}/services/{at.service}:{at.port}/proxy"
    return Prometheus(url, session=session, headers=headers)
