"""Small networks, simulated and real, and rehearsals over them, as files."""

import yaml

CODE = {"simnode": {"model": {"specName": "a", "specVersion": 1}}, "polkadot": {"file": "a.wasm"}}
DISTURBANCE = {
    "baseline": {"hold": "3m"},
    "long-soak": {"hold": "2h"},
    "relay-upgrade": {"upgrade": {"chain": "relay", "code": {"model": {"specName": "a", "specVersion": 2}}}},
    "parachain-upgrade": {"upgrade": {"chain": "nest", "code": {"model": {"specName": "a", "specVersion": 2}}}},
}
FAULT = {"experiment": {"pause": {"target": {"authorities": "one"}}, "duration": "60s"}}


def network(client="simnode", *, parachains=1, validators=4, **relay):
    code = CODE[client]
    groups = [{"name": "validator", "role": "validator", "count": validators}]
    spec = {"relaychain": {"client": client, "runtime": code, "groups": groups, **relay}}
    para = "simnode" if client == "simnode" else "polkadot-omni-node"
    spec["parachains"] = [
        {
            "id": 2000 + number,
            "name": f"nest{number or ''}",
            "client": para,
            "runtime": code,
            "groups": [{"name": f"collator{number or ''}", "count": 2}],
        }
        for number in range(parachains)
    ]
    return {"apiVersion": "coalmine.dev/v1alpha1", "kind": "Testnet", "metadata": {"name": "t"}, "spec": spec}


def rehearsal(*stages):
    spec = {"testnet": "t", "stages": list(stages)}
    return {"apiVersion": "coalmine.dev/v1alpha1", "kind": "Rehearsal", "metadata": {"name": "r"}, "spec": spec}


def stage(*gates, name="a-stage", **what):
    return {"name": name, **(what or {"hold": "1m"}), "gates": list(gates)}


def of_set(name, **use):
    return stage({"use": name, **use}, name=name, **DISTURBANCE.get(name, FAULT))


def written(folder, *documents):
    (folder / "a.wasm").write_bytes(b"\0asm")
    file = folder / "all.yaml"
    file.write_text(yaml.safe_dump_all(documents, sort_keys=False))
    return file
