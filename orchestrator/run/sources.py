"""Where a run's evidence comes from: Prometheus and the nodes, through the API server. Called by `lifecycle`."""

import requests

from orchestrator.cluster import Cluster
from orchestrator.gates.measure import Sources
from orchestrator.genesis.chainspec import Node
from orchestrator.journal import Node as JournalNode
from orchestrator.metrics.prometheus import Prometheus
from orchestrator.provision.access import Access
from orchestrator.provision.network import Network
from orchestrator.render import Endpoint, endpoint


class NodeReads:
    """The chain reads that gates need."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._nodes: dict[str, Node] = {node.name: node for node in access.nodes}

    def finalized_height(self, node: str, chain: str) -> int:
        return self._access.reader(self._nodes[node], chain=chain).finalized().number

    def block_hash(self, node: str, chain: str, height: int) -> str | None:
        return self._access.reader(self._nodes[node], chain=chain).hash_at(height)


def inventory(network: Network) -> tuple[JournalNode, ...]:
    """The planned nodes as the journal keeps them."""
    return tuple(
        JournalNode(
            name=node.name,
            chain=node.chain,
            group=node.group,
            role=node.role,
            ordinal=node.ordinal,
            authority=node.authority,
        )
        for node in network.genesis.nodes
    )


def sources(cluster: Cluster, network: Network) -> Sources:
    """Sources for all gates of a network."""
    return Sources(
        prometheus=_prometheus(cluster, endpoint(network.testnet)),
        chains=NodeReads(Access(cluster, network)),
        nodes=inventory(network),
        scrape=endpoint(network.testnet).scrape_interval,
    )


def _prometheus(cluster: Cluster, at: Endpoint) -> Prometheus:
    authority, certificate, headers = cluster.tls()
    session = requests.Session()
    session.trust_env = False  # A proxy of the environment does not lead to the API server.
    session.verify = authority or True
    session.cert = certificate
    url = f"{cluster.host}/api/v1/namespaces/{at.namespace}/services/{at.service}:{at.port}/proxy"
    return Prometheus(url, session=session, headers=headers)
