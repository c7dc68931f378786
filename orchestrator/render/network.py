"""Renders all objects of a network, in the order in which they are applied. Called by `cli.render` and `provision`.

The number of objects grows with the groups, not with the nodes.
"""

import base64
import gzip
import hashlib
from collections.abc import Iterator
from dataclasses import asdict

from orchestrator.genesis.chainspec import ChainGenesis, NetworkGenesis
from orchestrator.render import groups, isolation, observability
from orchestrator.render.common import Images, labels
from orchestrator.render.manifest import Manifest, from_template
from orchestrator.spec import Testnet

CHUNK = 700_000
"""Bytes of a compressed chain spec per ConfigMap. With base64 it stays below the limit of 1 MiB."""


def render(testnet: Testnet, genesis: NetworkGenesis, images: Images) -> tuple[Manifest, ...]:
    """Every object of the network except its Secrets, which `provision` creates."""
    return tuple(_objects(testnet, genesis, images))


def _objects(testnet: Testnet, genesis: NetworkGenesis, images: Images) -> Iterator[Manifest]:
    space, common = testnet.namespace, {"network": testnet.name, "images": asdict(images)}
    yield from from_template("namespace.yaml.j2", space, **common)
    placed = groups.placed(testnet, genesis)
    yield from isolation.objects(testnet, placed)
    chunks: dict[str, int] = {}
    for chain in genesis.chains:
        specs = list(_chain_spec(testnet, chain))
        chunks[chain.name] = len(specs)
        yield from specs
    yield from from_template("controller.yaml.j2", space, labels=labels(testnet, "controller"), **common)
    scrape = f"{observability.prometheus_endpoint(testnet).scrape_interval:g}"
    yield from from_template("agent.yaml.j2", space, labels=labels(testnet, "agent"), scrape=scrape, **common)
    yield from observability.objects(testnet, placed, images)
    for item in placed:
        yield from groups.objects(testnet, genesis, images, item, chunks)


def _chain_spec(testnet: Testnet, chain: ChainGenesis) -> Iterator[Manifest]:
    packed = gzip.compress(chain.spec, compresslevel=9, mtime=0)
    pieces = [packed[start : start + CHUNK] for start in range(0, len(packed), CHUNK)]
    for index, piece in enumerate(pieces):
        yield from from_template(
            "chain-spec.yaml.j2",
            testnet.namespace,
            labels=labels(testnet, "chain-spec", chain=chain.name),
            chain=chain.name,
            index=index,
            chunk=base64.b64encode(piece).decode(),
            sha256=hashlib.sha256(chain.spec).hexdigest(),
            genesis_hash=chain.genesis_hash,
        )
