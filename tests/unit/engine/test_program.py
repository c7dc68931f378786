"""What the program makes wait for what: enough that no pod is made without what it mounts, and no more."""

from orchestrator.engine import program
from orchestrator.genesis import chainspec
from orchestrator.render import Images, render
from orchestrator.spec import Testnet

MODEL = {"model": {"specName": "canary", "specVersion": 1}}


def objects(groups):
    return {manifest.key: manifest.document for manifest in manifests(groups)}


def manifests(groups):
    relay = {"runtime": MODEL, "groups": [{"name": f"g{n}"} for n in range(groups)]}
    net = Testnet.model_validate({"kind": "Testnet", "metadata": {"name": "n"}, "spec": {"relaychain": relay}})
    return render(net, chainspec.build(net, bytes(32)), Images(coalmine="c", prometheus="p"))


def test_a_group_waits_for_its_spec_its_service_and_what_guards_it_and_for_no_other_group():
    found = objects(groups=3)
    needed = program.needs(found["StatefulSet/g1"], found)
    assert {"Namespace/coalmine-n", "ConfigMap/chain-relay-0000", "Service/g1"} <= set(needed)
    assert any(key.startswith("NetworkPolicy/") for key in needed)
    assert not {"Service/g0", "StatefulSet/g0", "ConfigMap/prometheus"} & set(needed)


def test_the_controller_waits_for_its_rights():
    found = objects(groups=1)
    needed = set(program.needs(found["Deployment/coalmine-controller"], found))
    assert {f"{kind}/coalmine-controller" for kind in ("ServiceAccount", "Role", "RoleBinding")} <= needed


def test_edges_grow_with_the_groups_and_not_with_their_square():
    def edges(groups):
        found = objects(groups)
        return sum(len(program.needs(document, found)) for document in found.values())

    assert edges(40) - edges(20) == edges(60) - edges(40)


def test_the_program_registers_each_object_after_what_it_needs():
    wanted, found, taken, early = manifests(groups=6), objects(groups=6), set(), []

    def take(manifest):
        early.extend(set(program.needs(manifest.document, found)) - taken - {manifest.key})
        taken.add(manifest.key)

    program.execute("testnet", "n", wanted, take)
    assert early == []
    assert taken == set(found)
