"""Networks of every client and feature, drawn at random or taken from the good files, and a genesis for each.

Rendering takes genesis as it comes. That of real clients needs their runtimes, so here every chain gets the model's,
which has the same nodes, keys and names; what real runtimes make is rendered in tests/real.
"""

from pathlib import Path

from hypothesis import strategies as st

from orchestrator.gates.library import expand
from orchestrator.genesis.chainspec import build
from orchestrator.render import Images, render
from orchestrator.spec import Testnet, testnet_rules
from orchestrator.spec.load import load
from tests.unit.spec import good

IMAGES = Images(coalmine="coalmine:x", prometheus="prometheus:x", clients={"polkadot": "polkadot:x"})
MODEL = {"model": {"specName": "model", "specVersion": 1}}
_SOURCE = ("runtime", "specFile", "builtin", "client", "onboarding", "cores", "authoring", "rawOverride")


def genesis_of(testnet, seed=bytes(32)):
    """The model's genesis of a network with these nodes."""
    document = testnet.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
    document["kind"] = "Testnet"
    for chain in (document["spec"]["relaychain"], *document["spec"].get("parachains", ())):
        for field in _SOURCE:
            chain.pop(field, None)
        chain["runtime"] = MODEL
        for group in chain["groups"]:
            group.pop("client", None)
    return build(Testnet.model_validate(document), seed)


def rendered(testnet, seed=bytes(32)):
    return render(testnet, genesis_of(testnet, seed), IMAGES)


def of_good_files(folder: Path):
    """All testnets of the examples and of the maximal specs, by file."""
    files = good.copied(folder)
    return {file.name: testnet for file in files for testnet in load([file], expand=expand).testnets.values()}


# Drawn at random

_words = st.sampled_from(["on", "off", "yes", "no", "null", "true", "false", "a", "x-1", "validator", "e1", "inf"])
_text = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=8)
_labels = st.dictionaries(st.sampled_from(["a", "example.org/b"]), st.sampled_from(["on", "1", "x_y", "null", ""]))
_resources = st.fixed_dictionaries(
    {},
    optional={
        "cpu": st.sampled_from(["1", "50m", "0.5"]),
        "memory": st.sampled_from(["64Mi", "1G", "8Gi"]),
        "storage": st.sampled_from(["1Gi", "10Gi"]),
    },
)
_snapshots = st.sampled_from(
    [{"volumeClaim": "a"}, {"volumeSnapshot": "null"}, {"archive": {"url": "https://x/y.tar", "sha256": "0" * 64}}]
)


def _group(roles):
    return st.fixed_dictionaries(
        {"count": st.integers(1, 4), "role": st.sampled_from(roles)},
        optional={
            "image": st.sampled_from(["a/b:c", "x"]),
            "args": st.lists(st.sampled_from(["--x", "-:--no-mdns", "--y=on", "{{ x }}", "'\"#: "]), max_size=3),
            "env": st.dictionaries(st.sampled_from(["A", "B_1"]), _text, max_size=2),
            "resources": _resources,
            "storageClass": st.sampled_from(["fast", "null", "1"]),
            "labels": _labels,
            "region": st.sampled_from(["eu", "on", "1"]),
            "database": st.sampled_from(["auto", "rocksdb", "paritydb"]),
            "pruning": st.sampled_from(["archive", "256"]),
            "snapshot": _snapshots,
            "balance": st.integers(0, 10**30),
            "invulnerable": st.booleans(),
        },
    )


_SIMNODE, _POLKADOT = {"client": "simnode", "runtime": MODEL}, {"client": "polkadot", "builtin": "westend-local"}
_COMMAND = {"client": "command", "builtin": "x", "image": "i"}
_EXISTING = {"existing": {"namespace": "m", "service": "p"}}
_PARA = {"onboarding": "none", "builtin": "x"}


@st.composite
def testnets(draw):
    """A testnet that `spec.load` would take."""
    simulated = draw(st.booleans())
    command = {"program": ["x", "{name}", "{bootnodes}"]}
    names = draw(st.lists(_words, min_size=8, max_size=8, unique=True))
    relay = draw(st.sampled_from([_SIMNODE] if simulated else [_POLKADOT, _COMMAND]))
    clients = ["simnode"] if simulated else ["polkadot-omni-node", "polkadot-parachain"]
    relay_groups = [{"count": 4, "name": names.pop()}]
    relay_groups += [
        {**draw(_group(["full", "bootnode", "rpc", "archive", "validator"])), "name": names.pop()}
        for _ in range(draw(st.integers(0, 2)))
    ]
    parachains = [
        {
            "id": 2000 + number,
            "client": draw(st.sampled_from(clients)),
            **({"runtime": MODEL} if simulated else _PARA),
            "relay": draw(st.sampled_from(["embedded", "rpc"])),
            "groups": [{**draw(_group(["collator"])), "name": names.pop()}],
        }
        for number in range(draw(st.integers(0, 2)))
    ]
    if relay["client"] == "command":
        relay_groups = [{**group, **command} for group in relay_groups]
    observability = draw(st.sampled_from([{"own": {}}, {"own": {"scrapeInterval": "2s"}}, _EXISTING]))
    spec = {
        "relaychain": {**relay, "groups": relay_groups},
        "parachains": parachains,
        "observability": observability,
        "isolation": {"networkPolicy": draw(st.booleans()), "forkId": draw(st.none() | _text)},
    }
    document = {"kind": "Testnet", "metadata": {"name": draw(_words)}, "spec": spec}
    testnet = Testnet.model_validate(document)
    assert list(testnet_rules.check(testnet)) == []
    return testnet


def shuffled(value, chance):
    """The same data with the keys of every mapping in another order, but for `env`: one may name another."""
    if isinstance(value, dict):
        keys = list(value)
        chance.shuffle(keys)
        return {key: value[key] if key == "env" else shuffled(value[key], chance) for key in keys}
    return [shuffled(item, chance) for item in value] if isinstance(value, list) else value


def larger(testnet, times):
    """The same network with so many times the nodes."""
    document = testnet.model_dump(mode="json", by_alias=True, exclude_none=True)
    for chain in (document["spec"]["relaychain"], *document["spec"].get("parachains", ())):
        for group in chain["groups"]:
            group["count"] *= times
    return Testnet.model_validate(document)
