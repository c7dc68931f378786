"""Provisioning on a real API server: what is refused changes nothing, nothing changes twice, and all of it goes."""

import secrets
import threading
import time
from datetime import timedelta

import pytest

from orchestrator.engine import inventory, lock
from orchestrator.engine.embedded import EmbeddedEngine
from orchestrator.errors import ClusterError, ProvisionError, Refused
from orchestrator.provision import definitions, effects, lifetime, sweep, vault
from orchestrator.provision import network as networks
from orchestrator.provision.network import BARRIER
from orchestrator.spec import Testnet


def bare(name, *, validators=1, more=(), parachains=(), storage="1Gi", ttl=None, version=1, first=1, args=()):
    """Groups whose nodes wait at the barrier for good: enough for what happens to objects."""
    validator = {"name": "validator", "count": validators, "args": list(args), "resources": {"storage": storage}}
    relay = {"runtime": {"model": {"specName": "canary", "specVersion": version}}, "groups": [validator, *more]}
    spec = {"relaychain": relay, "parachains": list(parachains), **({"ttl": ttl} if ttl else {})}
    return Testnet.model_validate({"kind": "Testnet", "metadata": {"name": name}, "spec": spec})


def nest(**collator):
    runtime = {"model": {"specName": "nest", "specVersion": 1}}
    return {"id": 2000, "name": "nest", "runtime": runtime, "groups": [{"name": "collator", "count": 1, **collator}]}


FULL = {"name": "full", "role": "full", "count": 2}


def quiet(_):
    pass


@pytest.fixture
def engine(cluster):
    return EmbeddedEngine(cluster)


@pytest.fixture
def name(cluster, engine):
    name = f"p{secrets.token_hex(3)}"
    yield name
    networks.down(cluster, engine, name, quiet)


def actions(cluster, engine, testnet, images):
    return {change.action for change in networks.prepare(cluster, engine, testnet, images).changes}


def started(cluster, name):
    """Notes that the nodes have passed the barrier, as the controller does."""
    metadata = {"name": BARRIER, "namespace": f"coalmine-{name}"}
    cluster.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {name: "released"}})


def volumes_of(cluster, name):
    return [
        volume
        for volume in cluster.list_all("PersistentVolume")
        if volume["spec"]["claimRef"]["namespace"] == f"coalmine-{name}"
    ]


def test_up_preview_change_and_down(cluster, engine, images, name):
    assert actions(cluster, engine, bare(name), images) == {"create"}
    assert cluster.get("Namespace", f"coalmine-{name}") is None  # A preview of a new network leaves nothing.
    first = networks.up(cluster, engine, bare(name), images, quiet)
    assert actions(cluster, engine, bare(name), images) == {"same"}

    again = networks.up(cluster, engine, bare(name), images, quiet)
    assert again.genesis.chains == first.genesis.chains  # The seed is kept, so the network is the same one.
    assert networks.attach(cluster, bare(name), images).manifests == again.manifests

    networks.down(cluster, engine, name, quiet)
    assert cluster.get("Namespace", f"coalmine-{name}") is None
    assert not volumes_of(cluster, name)


def test_a_group_joins_a_running_network_and_no_node_restarts(cluster, engine, images, name):
    networks.up(cluster, engine, bare(name), images, quiet)
    started(cluster, name)
    hashes = [chain.genesis_hash for chain in networks.attach(cluster, bare(name), images).genesis.chains]
    prepared = networks.prepare(cluster, engine, bare(name, more=[FULL]), images)
    restarting = {effect.key: effect.restarting for effect in prepared.effects if effect.restarting}
    assert restarting == {"StatefulSet/prometheus": 1}  # It gets another configuration.
    assert {e.key: e.added for e in prepared.effects if e.added} == {"StatefulSet/full": 2}
    grown = networks.up(cluster, engine, bare(name, more=[FULL]), images, quiet)
    assert [chain.genesis_hash for chain in grown.genesis.chains] == hashes
    assert {node.name for node in grown.genesis.nodes} == {"validator-0", "full-0", "full-1"}


def test_what_restarts_is_said_before_it_does(cluster, engine, images, name):
    networks.up(cluster, engine, bare(name, validators=2), images, quiet)
    said = []
    networks.up(cluster, engine, bare(name, validators=2, args=["--verbose"]), images, said.append)
    assert said[0] == "2 pods of 1 object restart"
    assert said[1].startswith("StatefulSet/validator: pods restart: 2 pods restart (containers[0].command")
    assert "objects:" in said[2]  # And only then it was done.


def test_a_parachain_leaves_a_running_network_by_its_file(cluster, engine, images, name):
    networks.up(cluster, engine, bare(name, parachains=[nest()]), images, quiet)
    started(cluster, name)
    before = networks.attach(cluster, bare(name, parachains=[nest()]), images).genesis.chain("relay")
    after = networks.up(cluster, engine, bare(name), images, quiet)
    (chain,) = after.genesis.chains
    assert (chain.spec, chain.genesis_hash) == (before.spec, before.genesis_hash)  # It goes on with what it has.
    left = [item["metadata"]["name"] for item in cluster.list("StatefulSet", f"coalmine-{name}")]
    assert sorted(left) == ["prometheus", "validator"]
    assert actions(cluster, engine, bare(name), images) == {"same"}
    networks.up(cluster, engine, bare(name, parachains=[nest()]), images, quiet)  # And it may come back.
    assert cluster.get("StatefulSet", "collator", f"coalmine-{name}")


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"validators": 2}, "the authorities"),
        ({"version": 2}, "the runtime code"),
        ({"parachains": [{**nest(), "id": 2001}]}, "the parachains"),
    ],
    ids=["validators", "code", "parachain"],
)
def test_what_needs_another_genesis_is_refused_before_anything_is_changed(
    cluster, engine, images, name, changed, named
):
    networks.up(cluster, engine, bare(name), images, quiet)
    before = inventory.read(cluster, f"coalmine-{name}")
    with pytest.raises(Refused, match="another genesis") as caught:
        networks.up(cluster, engine, bare(name, more=[FULL], **changed), images, quiet)
    assert named in caught.value.message
    assert inventory.read(cluster, f"coalmine-{name}") == before
    assert cluster.get("StatefulSet", "full", f"coalmine-{name}") is None


def test_fields_of_a_statefulset_that_cannot_change_are_refused_with_what_to_do(cluster, engine, images, name):
    networks.up(cluster, engine, bare(name), images, quiet)
    with pytest.raises(Refused, match=r"StatefulSet/validator \(.*spec.volumeClaimTemplates.*storage") as caught:
        networks.up(cluster, engine, bare(name, storage="2Gi", more=[FULL]), images, quiet)
    assert "another name" in caught.value.hint
    assert cluster.get("StatefulSet", "full", f"coalmine-{name}") is None


def test_more_than_the_cluster_has_room_for_is_refused_before_anything_is_created(cluster, engine, images, name):
    with pytest.raises(ProvisionError, match=r"cores, .* GiB, .* pods free"):
        networks.up(cluster, engine, bare(name, more=[{**FULL, "count": 5000}]), images, quiet)
    assert cluster.get("Namespace", f"coalmine-{name}") is None


def test_two_do_not_change_one_network_at_once(cluster, engine, images, name):
    networks.up(cluster, engine, bare(name), images, quiet)
    with (
        lock.held(cluster, f"coalmine-{name}"),
        pytest.raises(ProvisionError, match=f"{lock.user()}:.* is changing this network right now"),
    ):
        networks.up(cluster, engine, bare(name), images, quiet)


def test_of_two_first_ups_at_once_one_wins_and_the_seed_is_one(cluster, images, name):
    done, refused, start = [], [], threading.Barrier(2)

    def bring():
        start.wait()
        try:
            done.append(networks.up(cluster, EmbeddedEngine(cluster), bare(name), images, quiet))
        except ProvisionError as error:
            refused.append(error)

    threads = [threading.Thread(target=bring) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) + len(refused) == 2
    assert done
    assert all("is changing this network" in str(error) for error in refused)
    attached = networks.attach(cluster, bare(name), images)
    assert all(network.genesis.chains == attached.genesis.chains for network in done)


def test_two_networks_on_one_cluster_do_not_meet(cluster, engine, images, name):
    other = f"{name}-b"
    try:
        mine = networks.up(cluster, engine, bare(name), images, quiet)
        theirs = networks.up(cluster, engine, bare(other), images, quiet)
        assert mine.genesis.chain("relay").genesis_hash != theirs.genesis.chain("relay").genesis_hash
        networks.down(cluster, engine, name, quiet)
        assert actions(cluster, engine, bare(other), images) == {"same"}
        # The first of two users to go leaves the definitions to the other.
        definitions.ensure(cluster, at="now", patience=1.0)
        assert cluster.list("ChaosExperiment", f"coalmine-{other}") == []
    finally:
        networks.down(cluster, engine, other, quiet)


def test_an_object_of_another_owner_is_said_and_not_overwritten(cluster, engine, images, name):
    networks.up(cluster, engine, bare(name), images, quiet)
    metadata = {"name": "full", "namespace": f"coalmine-{name}", "labels": {"app.kubernetes.io/managed-by": "Helm"}}
    cluster.create({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"ports": [{"port": 1}]}})
    with pytest.raises(Refused, match=r"Service/full \(of Helm\)"):
        networks.up(cluster, engine, bare(name, more=[FULL]), images, quiet)
    assert cluster.get("Service", "full", f"coalmine-{name}")["spec"]["ports"][0]["port"] == 1
    assert cluster.get("StatefulSet", "full", f"coalmine-{name}") is None


def test_a_namespace_of_another_owner_is_neither_used_nor_deleted(cluster, engine, images):
    name = f"p{secrets.token_hex(3)}"
    space = {"name": f"coalmine-{name}"}
    cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": space})
    try:
        for work in (
            lambda: networks.up(cluster, engine, bare(name), images, quiet),
            lambda: networks.down(cluster, engine, name, quiet),
        ):
            with pytest.raises(Refused, match="not ours"):
                work()
        assert "deletionTimestamp" not in cluster.get("Namespace", space["name"])["metadata"]
        assert cluster.list("Secret", space["name"]) == []
    finally:
        cluster.delete("Namespace", space["name"])


class Cut(BaseException):
    """The end of the process."""


def dying(monkeypatch, cluster, after):
    """The cluster lets so many writes through, and then the process dies."""
    sent, left = type(cluster)._json, [after]

    def send(self, method, path, **more):
        if method != "GET" and "dryRun" not in (more.get("query") or {}) and threading.current_thread().daemon is False:
            left[0] -= 1
            if left[0] < 0:
                raise Cut
        return sent(self, method, path, **more)

    monkeypatch.setattr(type(cluster), "_json", send)


@pytest.mark.parametrize("after", [0, 1, 3, 4, 6, 9, 14, 21])
def test_an_up_that_is_cut_off_anywhere_goes_on_and_down_leaves_nothing(
    cluster, engine, images, name, monkeypatch, after
):
    with monkeypatch.context() as patch:
        dying(patch, cluster, after)
        with pytest.raises(Cut):
            networks.up(cluster, engine, bare(name), images, quiet)
    # The process is this one and lives, so its lock would stand; one that had died would not hold it.
    cluster.delete("Lease", lock.STACK, f"coalmine-{name}")
    if after % 2:
        networks.up(cluster, engine, bare(name), images, quiet)
        assert actions(cluster, engine, bare(name), images) == {"same"}
    networks.down(cluster, engine, name, quiet)
    assert cluster.get("Namespace", f"coalmine-{name}") is None


@pytest.mark.parametrize("after", [0, 2, 5, 12])
def test_a_down_that_is_cut_off_anywhere_goes_on(cluster, engine, images, name, monkeypatch, after):
    networks.up(cluster, engine, bare(name), images, quiet)
    with monkeypatch.context() as patch:
        dying(patch, cluster, after)
        with pytest.raises(Cut):
            networks.down(cluster, engine, name, quiet)
    cluster.delete("Lease", lock.STACK, f"coalmine-{name}")
    networks.down(cluster, engine, name, quiet)
    assert cluster.get("Namespace", f"coalmine-{name}") is None
    assert not volumes_of(cluster, name)


def test_data_can_be_kept_and_found_again(cluster, engine, images, name):
    namespace = f"coalmine-{name}"
    first = networks.up(cluster, engine, bare(name), images, quiet)
    claims = eventually(lambda: bound(cluster, namespace, "data-validator-0"))
    networks.down_keeping_data(cluster, engine, name, quiet)
    assert cluster.list("StatefulSet", namespace) == []
    assert cluster.list("Pod", namespace) == []
    assert bound(cluster, namespace, "data-validator-0") == claims
    again = networks.up(cluster, engine, bare(name), images, quiet)
    assert again.genesis.chains == first.genesis.chains
    assert eventually(lambda: bound(cluster, namespace, "data-validator-0")) == claims
    networks.down(cluster, engine, name, quiet)
    assert not volumes_of(cluster, name)


def bound(cluster, namespace, claim):
    """The volume of a claim, once it has one."""
    found = cluster.get("PersistentVolumeClaim", claim, namespace)
    return found["spec"].get("volumeName") if found else None


def eventually(look, patience=60.0):
    deadline = time.monotonic() + patience
    while not (found := look()):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return found


def test_a_network_tells_whose_it_is_and_until_when(cluster, engine, images, name):
    networks.up(cluster, engine, bare(name, ttl="1h"), images, quiet)
    annotations = cluster.get("Namespace", f"coalmine-{name}")["metadata"]["annotations"]
    assert annotations[lifetime.OWNER] == lock.user()
    lasts = lifetime.expires(annotations) - lifetime.created(annotations)
    assert timedelta(minutes=59) < lasts < timedelta(minutes=61)
    networks.up(cluster, engine, bare(name), images, quiet)
    annotations = cluster.get("Namespace", f"coalmine-{name}")["metadata"]["annotations"]
    assert lifetime.expires(annotations) is None
    assert lifetime.CREATED in annotations


def swept(cluster, name, now):
    found = sweep.judge(sweep.survey(cluster, now), now)
    mine = [finding for finding in found if finding.name == f"coalmine-{name}"]
    return [(finding.action, finding.why) for finding in mine], mine


def test_only_what_has_expired_and_is_not_used_is_swept(cluster, engine, images, name):
    networks.up(cluster, engine, bare(name, ttl="1h"), images, quiet)
    later = lock.now() + timedelta(hours=2)
    ((action, why),), _ = swept(cluster, name, lock.now())
    assert (action, why.startswith("expires in")) == ("keep", True)
    ((action, why),), findings = swept(cluster, name, later)
    assert (action, why.startswith("expired")) == ("delete", True)

    # It has expired for the one who looks in two hours; now it has not, so it stays.
    (result,) = sweep.sweep(cluster, findings, quiet)
    assert "expires in" in result.failure

    past = {"metadata": {"annotations": {lifetime.EXPIRES: "2020-01-01T00:00:00Z"}}}
    cluster.patch("Namespace", f"coalmine-{name}", None, past)
    with lock.held(cluster, f"coalmine-{name}", lock.RUN):
        ((action, why),), _ = swept(cluster, name, lock.now())
        assert (action, why) == ("keep", f"in use by {lock.holder(cluster, f'coalmine-{name}', lock.RUN)}")
        (result,) = sweep.sweep(cluster, findings, quiet)
        assert "in use by" in result.failure
    _, findings = swept(cluster, name, lock.now())
    (result,) = sweep.sweep(cluster, findings, quiet)
    assert result.failure == ""
    assert cluster.get("Namespace", f"coalmine-{name}") is None


def test_definitions_that_an_up_has_touched_meanwhile_stay(cluster, monkeypatch):
    """One user's `down` has looked and found no network; before it deletes, another's `up` begins."""
    definitions.ensure(cluster, at="before")
    looked = definitions.unused

    def look_and_be_late(*arguments, **more):
        looked(*arguments, **more)
        found = [cluster.get(definitions.KIND, d["metadata"]["name"]) for d in definitions.crds()]
        definitions.ensure(cluster, at="meanwhile")
        return found

    monkeypatch.setattr(definitions, "unused", look_and_be_late)
    assert definitions.remove_unused(cluster) == []
    assert all(cluster.get(definitions.KIND, d["metadata"]["name"]) for d in definitions.crds())


def test_nothing_of_an_inventory_is_secret(cluster, engine, images, name):
    networks.up(cluster, engine, bare(name, more=[FULL]), images, quiet)
    namespace = f"coalmine-{name}"
    seed = vault.read_seed(cluster, namespace).hex()
    said = str([cluster.list(kind, namespace) for kind in ("ConfigMap", "Event", "Lease", "StatefulSet", "Pod")])
    assert seed not in said
    assert effects.summary(networks.prepare(cluster, engine, bare(name), images).effects)
    with pytest.raises(ClusterError):
        cluster.create(
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "coalmine-seed", "namespace": namespace}}
        )
