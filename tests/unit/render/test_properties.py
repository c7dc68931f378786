"""What holds for the objects of any network, whatever its clients and features."""

import base64
import json
import os
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator import node_identity, tcp_ports
from orchestrator.engine import program
from orchestrator.genesis import keys
from orchestrator.node_identity import NodeIdentity
from orchestrator.spec import Testnet
from orchestrator.units import quantity
from tests.budget import schedules
from tests.unit.render import networks

ROOT = Path(__file__).parents[3]
NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
SEEDS = st.binary(min_size=32, max_size=32)
FEW = settings(max_examples=schedules(5), deadline=None, suppress_health_check=list(HealthCheck))


def text_of(manifests):
    return json.dumps([manifest.document for manifest in manifests])


@FEW
@given(networks.testnets(), SEEDS, st.randoms(use_true_random=False))
def test_the_same_network_gives_the_same_bytes_in_whatever_order_it_is_written(testnet, seed, chance):
    document = json.loads(testnet.model_dump_json(by_alias=True, exclude_none=True))
    again = Testnet.model_validate(networks.shuffled(document, chance))
    assert text_of(networks.rendered(testnet, seed)) == text_of(networks.rendered(again, seed))


@FEW
@given(networks.testnets(), st.sampled_from([2, 7]))
def test_objects_are_per_group_and_not_per_node(testnet, times):
    few, many = networks.rendered(testnet), networks.rendered(networks.larger(testnet, times))
    groups = [group for _, group in testnet.spec.groups()]
    assert [one.key for one in few if one.kind != "ConfigMap"] == [one.key for one in many if one.kind != "ConfigMap"]
    own = sum(one.kind == "StatefulSet" and one.name != "prometheus" for one in few)
    assert own == len(groups)


@FEW
@given(networks.testnets())
def test_every_object_has_a_name_of_its_own_that_is_a_name(testnet):
    manifests = networks.rendered(testnet)
    keys_ = [manifest.key for manifest in manifests]
    assert len(keys_) == len(set(keys_))
    for manifest in manifests:
        metadata = manifest.document["metadata"]
        assert NAME.fullmatch(metadata["name"]), metadata
        assert all(isinstance(value, str) for value in metadata.get("labels", {}).values()), metadata
        assert manifest.kind == "Namespace" or metadata["namespace"] == testnet.namespace


def pods(manifests):
    """The pod templates of all workloads, by the object's key."""
    kinds = {"StatefulSet", "Deployment", "DaemonSet"}
    return {one.key: one.document["spec"]["template"] for one in manifests if one.kind in kinds}


@FEW
@given(networks.testnets())
def test_no_pod_but_the_agent_needs_a_privilege(testnet):
    for key, template in pods(networks.rendered(testnet)).items():
        if key == "DaemonSet/coalmine-agent":
            continue
        pod = template["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
        assert not [volume for volume in pod["volumes"] if "hostPath" in volume]
        for container in [*pod["containers"], *pod.get("initContainers", ())]:
            context = container["securityContext"]
            assert context["allowPrivilegeEscalation"] is False
            assert context["capabilities"] == {"drop": ["ALL"]}


@FEW
@given(networks.testnets())
def test_no_container_asks_for_more_than_its_limit(testnet):
    for key, template in pods(networks.rendered(testnet)).items():
        for container in template["spec"]["containers"]:
            asked, limits = (container["resources"].get(what, {}) for what in ("requests", "limits"))
            for what in limits.keys() & asked.keys():
                assert quantity(asked[what]) <= quantity(limits[what]), key


@FEW
@given(networks.testnets())
def test_what_the_user_writes_arrives_as_it_is(testnet):
    templates = pods(networks.rendered(testnet))
    for _, group in testnet.spec.groups():
        template = templates[f"StatefulSet/{group.name}"]
        (node,) = template["spec"]["containers"]
        env = {one["name"]: one.get("value") for one in node["env"]}
        assert {name: env[name] for name in group.env} == group.env
        theirs = [argument for argument in group.args if not argument.startswith("-:")]
        assert [argument for argument in node["command"] if argument in theirs] or not theirs
        assert group.labels.items() <= template["metadata"]["labels"].items()


def scrapes(manifests):
    """What Prometheus, ours or an existing one, is told to scrape: the fixed labels of each job of nodes."""
    found = []
    for one in manifests:
        if one.key == "ConfigMap/prometheus":
            jobs = yaml.safe_load(one.document["data"]["prometheus.yml"])["scrape_configs"]
            rules = [job.get("relabel_configs", []) for job in jobs]
        elif one.kind == "PodMonitor":
            (endpoint,) = one.document["spec"]["podMetricsEndpoints"]
            rules = [endpoint["relabelings"]]
        else:
            continue
        labels = [{r.get("target_label", r.get("targetLabel")): r.get("replacement") for r in each} for each in rules]
        found += [each for each in labels if "group" in each]
    return found


@FEW
@given(networks.testnets())
def test_the_agent_names_a_node_as_its_own_metrics_are_named(testnet):
    manifests = networks.rendered(testnet)
    said = set()
    for _, group in testnet.spec.groups():
        (node,) = pods(manifests)[f"StatefulSet/{group.name}"]["spec"]["containers"]
        (text,) = [one["value"] for one in node["env"] if one["name"] == node_identity.VARIABLE]
        who = NodeIdentity.model_validate_json(text)
        said |= {(who.group, who.role, chain) for chain in who.chains}
    assert said == {(each["group"], each["role"], each["chain"]) for each in scrapes(manifests)}


def selects(selector, labels):
    """Whether a pod with these labels is one of a selector's."""
    excluded = [one for one in selector.get("matchExpressions", ()) if labels.get(one["key"]) in one["values"]]
    assert all(one["operator"] == "NotIn" for one in selector.get("matchExpressions", ()))
    return selector.get("matchLabels", {}).items() <= labels.items() and not excluded


def sources_of(policy, port):
    """From where a policy lets in connections to a port."""
    rules = [rule for rule in policy["spec"]["ingress"] if port in {one["port"] for one in rule.get("ports", ())}]
    return [source for rule in rules for source in rule["from"]]


@FEW
@given(networks.testnets())
def test_agents_take_orders_from_the_controller_and_show_themselves_to_prometheus_alone(testnet):
    isolation = testnet.spec.isolation.model_copy(update={"network_policy": True})
    testnet = testnet.model_copy(update={"spec": testnet.spec.model_copy(update={"isolation": isolation})})
    manifests = networks.rendered(testnet)
    policies = [one.document for one in manifests if one.kind == "NetworkPolicy"]
    existing = testnet.spec.observability.existing
    label = "app.kubernetes.io/component"
    ours = [policy for policy in policies if selects(policy["spec"]["podSelector"], {label: "agent"})]
    (policy,) = ours
    (orders,) = sources_of(policy, tcp_ports.AGENT)
    (metrics,) = sources_of(policy, tcp_ports.AGENT_METRICS)
    assert orders == {"podSelector": {"matchLabels": {label: "controller"}}}
    assert metrics == (
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": existing.namespace}}}
        if existing is not None
        else {"podSelector": {"matchLabels": {label: "prometheus"}}}
    )


@FEW
@given(networks.testnets())
def test_prometheus_finds_the_agent_of_every_machine(testnet):
    objects = {one.key: one.document for one in networks.rendered(testnet)}
    daemons = objects["DaemonSet/coalmine-agent"]["spec"]["template"]
    (port,) = [one for one in daemons["spec"]["containers"][0]["ports"] if one["name"] == "metrics"]
    if testnet.spec.observability.existing is not None:
        monitor = objects["PodMonitor/coalmine-agent"]["spec"]
        assert monitor["selector"]["matchLabels"].items() <= daemons["metadata"]["labels"].items()
        assert monitor["podMetricsEndpoints"][0]["port"] == "metrics"
        return
    service = objects["Service/coalmine-agent"]
    assert service["spec"]["clusterIP"] == "None"  # A headless Service's name stands for all its pods.
    assert service["spec"]["selector"].items() <= daemons["metadata"]["labels"].items()
    jobs = yaml.safe_load(objects["ConfigMap/prometheus"]["data"]["prometheus.yml"])["scrape_configs"]
    (found,) = [job["dns_sd_configs"][0] for job in jobs if job["job_name"] == "coalmine-agent"]
    assert found["names"] == [f"coalmine-agent.{testnet.namespace}.svc.cluster.local"]
    assert (found["type"], found["port"]) == ("A", port["containerPort"])


def forms(secret):
    """How 32 bytes may be written."""
    yield secret.hex()
    for encoded in (
        base64.b64encode(secret),
        base64.urlsafe_b64encode(secret),
        base64.b64encode(secret.hex().encode()),
    ):
        yield encoded.decode().rstrip("=")


@FEW
@given(networks.testnets(), SEEDS)
def test_no_object_holds_a_secret(testnet, seed):
    found = [seed, keys.sudo(seed).secret, keys.sudo(seed, "ecdsa").secret]
    for _, group in testnet.spec.groups():
        for ordinal in range(group.count):
            where = {"group": group.name, "ordinal": ordinal}
            pairs = keys.node_keys(seed, **where, types={**keys.RELAY_KEY_TYPES, **keys.PARA_KEY_TYPES}).values()
            nodes = (keys.network_key, keys.embedded_network_key, keys.stash)
            found += [pair.secret for pair in (*pairs, *(one(seed, **where) for one in nodes))]
    text = text_of(networks.rendered(testnet, seed))
    assert not [form for secret in found for form in forms(secret) if form in text]


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return networks.of_good_files(tmp_path_factory.mktemp("good"))


def test_the_program_declares_every_good_file_as_it_was_rendered(good):
    for testnet in good.values():
        manifests = networks.rendered(testnet)
        assert program.declared("testnet", testnet.name, manifests) == manifests


ELSEWHERE = """
import sys, hashlib
from pathlib import Path
from tests.unit.render import networks, test_properties as here
for name, testnet in sorted(networks.of_good_files(Path(sys.argv[1])).items()):
    print(name, hashlib.sha256(here.text_of(networks.rendered(testnet)).encode()).hexdigest())
"""


def test_another_process_renders_the_same(good, tmp_path):
    """Sets and hashes have another order there."""
    seed = str(random.Random(1).randrange(2**32))
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    both = [
        subprocess.run(
            [sys.executable, "-c", ELSEWHERE, str(folder)],
            env={**os.environ, "PYTHONHASHSEED": one},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for one in ("0", seed)
    ]
    assert both[0] == both[1]
    assert len(both[0].splitlines()) == len(good)
