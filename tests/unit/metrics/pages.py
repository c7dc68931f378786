"""Metrics pages to judge by: of the simulated client, run in virtual time, and of real ones as they were recorded."""

from functools import cache
from pathlib import Path
from types import SimpleNamespace

from orchestrator.metrics.exposed import Page, read_page
from orchestrator.runtime.blob import model_blob
from orchestrator.spec.runtime import ModelRuntime
from simnode.metrics import Metrics
from simnode.testing.explorer import network

NAMES = Path(__file__).parent / "names"
VERSION = "1.25.1-00000000000"
"""What all three recorded pages say of themselves."""


def recorded_page(client: str, *, version: str = "", without: tuple[str, ...] = ()) -> Page:
    """A real client's page, built from the names, kinds and labels of a scrape; every label has one empty value."""
    lines = [line.split() for line in (NAMES / f"{client}.txt").read_text().splitlines()]
    lines = [(name, kind, labels) for name, kind, *labels in lines if name not in without]
    samples = {}
    for name, kind, labels in lines:
        sample = dict.fromkeys(labels, "")
        for each in [f"{name}_{part}" for part in ("bucket", "sum", "count")] if kind == "histogram" else [name]:
            samples[each] = (sample,)
    samples["substrate_block_height"] = tuple({"status": status} for status in ("best", "finalized", "sync_target"))
    samples["polkadot_parachain_peer_count"] = ({"protocol": "validation/3"},)
    samples["polkadot_parachain_desired_peer_count"] = ({"protocol": "validation"},)
    samples["substrate_sub_libp2p_network_bytes_total"] = ({"direction": "in"}, {"direction": "out"})
    samples = {name: found for name, found in samples.items() if name not in without}
    return Page(version or VERSION, {name: kind for name, kind, _ in lines}, samples)


def relay_page(**how):
    return recorded_page("polkadot-1.25.1", **how)


@cache
def _after_a_minute():
    relay, para = (model_blob(ModelRuntime(spec_name=name, spec_version=1)) for name in ("relay", "para"))
    net = network(1, validators=4, code=relay, para_code=para, collators=1)
    net.run(60)
    return net


@cache
def simulated_text(kind):
    """What a simnode validator, collator or the relay node within a collator shows after a minute."""
    site = _after_a_minute().sites["v0" if kind == "validator" else "c0"]
    node = site.para if kind == "collator" else site.relay
    shell = SimpleNamespace(peers=dict(node.peers), bytes_in=1, bytes_out=1)
    metrics = Metrics(node, shell, chain="n_relay", name="a", started=1.0, ended={("babe", "finished"): 1})
    metrics.collator = lambda: site.para
    return metrics.render().decode()


def simulated_page(kind):
    return read_page(simulated_text(kind))
