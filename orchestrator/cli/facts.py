"""Everything that the cluster and the chain say about one testnet, node or parachain. Called by `describe`."""

import shlex
from collections.abc import Iterable
from typing import Any

import yaml
from pydantic import ValidationError

from orchestrator import releases
from orchestrator.cli import listing
from orchestrator.cluster import Cluster
from orchestrator.errors import ChainError
from orchestrator.inspection import live, networks
from orchestrator.inspection.networks import NodeState, ParachainState, TestnetState
from orchestrator.inspection.reach import ask_all
from orchestrator.spec import Testnet
from orchestrator.spec.testnet import RELAY

_EVENTS = 10
"""How many of the last events are shown."""

Facts = dict[str, Any]
"""Name -> value, in the order of printing. If an answer did not come, the value is the reason."""


def of_testnet(cluster: Cluster, testnet: TestnetState) -> Facts:
    session = ask_all(testnet.relay[:1], lambda node: live.reader(cluster, node).session())
    return {
        "name": testnet.name,
        "namespace": testnet.namespace,
        "status": testnet.phase,
        "created": testnet.created.isoformat() if testnet.created else None,
        "session": _answer(next(iter(session.values()), None)),
        "genesis": {
            labels["coalmine.dev/chain"]: item["data"]["genesis-hash"]
            for item in cluster.list("ConfigMap", testnet.namespace, "app.kubernetes.io/component=chain-spec")
            if "genesis-hash" in item.get("data", {}) and (labels := item["metadata"]["labels"])
        },
        "groups": _groups(testnet.nodes),
        "not ready": {node.name: node.trouble for node in testnet.nodes if not node.ready},
        "disturbances": [
            f"{item['kind']} {item['metadata']['name']}: {item.get('status', {}).get('phase', 'Pending')}"
            for item in networks.experiments(cluster, testnet.namespace)
        ],
        "warnings": _events(cluster, testnet.namespace, None),
        "applied": testnet.applied,
    }


def without_defaults(testnet: TestnetState) -> Any:
    """The applied Testnet without default values; complete if another version of coalmine applied other fields."""
    try:
        applied = Testnet.model_validate(testnet.applied)
    except ValidationError:
        return testnet.applied
    return applied.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def of_node(cluster: Cluster, node: NodeState) -> Facts:
    usage = live.usage(cluster, [node]).get(node.name)
    view = live.look(cluster, [node])[node.name]
    facts: Facts = {
        "name": node.name,
        "testnet": node.testnet,
        "group": node.group,
        "role": node.role,
        "chain": node.chain,
        "parachain": node.para_id,
        "status": node.trouble or "Ready",
        "restarts": node.restarts,
        "last end": _last_end(node),
        "created": node.created.isoformat() if node.created else None,
        "machine": node.machine,
        "ip": node.ip,
        "image": node.image,
        "command": _command(node),
        "cpu": usage.cpu if usage else None,
        "memory": usage.memory if usage else None,
    }
    if isinstance(view, ChainError):
        facts["node"] = view.message
    else:
        facts |= {"best": view.best, "finalized": view.finalized, "peers": view.peers, "syncing": view.syncing}
        facts |= _identity(cluster, node)
    return facts | {"events": _events(cluster, node.namespace, [node.name])}


def _identity(cluster: Cluster, node: NodeState) -> Facts:
    reader = live.reader(cluster, node)
    try:
        version = reader.runtime_version()
        software = str(reader.rpc.call("system_version"))
        release = releases.release_of(software) if node.chain == RELAY else None
        return {
            "peer id": reader.peer_id(),
            "client": f"{reader.rpc.call('system_name')} {software}",
            "release": release.name if release else None,
            "new in it": list(release.changes) if release else None,
            "runtime": f"{version.spec_name}-{version.spec_version}",
        }
    except ChainError as error:
        return {"node": error.message}


def _command(node: NodeState) -> str | None:
    for container in node.pod.get("spec", {}).get("containers", []):
        if container["name"] == "node":
            return shlex.join([*container.get("command", []), *container.get("args", [])])
    return None


def _last_end(node: NodeState) -> str | None:
    """How the node's container ended the last time; None if it never did."""
    for status in node.pod.get("status", {}).get("containerStatuses", []):
        if ended := status.get("lastState", {}).get("terminated"):
            return f"{ended.get('reason')}, exit code {ended.get('exitCode')}, at {ended.get('finishedAt')}"
    return None


def of_parachain(cluster: Cluster, testnet: TestnetState, name: str) -> Facts:
    para = _para(testnet, name)
    head = live.included(cluster, testnet.relay, [para.id])[para.id]
    code = ask_all(testnet.relay[:1], lambda node: live.reader(cluster, node).current_code_hash(para.id))
    views = live.look(cluster, para.nodes)
    specs = (testnet.applied or {}).get("spec", {}).get("parachains", [])
    hash_ = next(iter(code.values()), None)
    return {
        "id": para.id,
        "name": para.chain,
        "testnet": para.testnet,
        "included": _answer(head),
        "validation code": "0x" + hash_.hex() if isinstance(hash_, bytes) else _answer(hash_),
        "groups": _groups(para.nodes),
        "nodes": {
            name: view.message if isinstance(view, ChainError) else f"best {view.best}, finalised {view.finalized}"
            for name, view in views.items()
        },
        "not ready": {node.name: node.trouble for node in para.nodes if not node.ready},
        "applied": next((one for one in specs if one.get("id") == para.id), None),
    }


def _para(testnet: TestnetState, name: str) -> ParachainState:
    for para in testnet.parachains:
        if name in {para.chain, str(para.id)}:
            return para
    raise networks.unknown("parachain", name, [word for p in testnet.parachains for word in (p.chain, str(p.id))])


def _groups(nodes: Iterable[NodeState]) -> dict[str, str]:
    there = tuple(nodes)
    result = {}
    for group in dict.fromkeys(node.group for node in there):
        members = [node for node in there if node.group == group]
        ready = sum(node.ready for node in members)
        result[group] = f"{ready}/{len(members)} ready, {members[0].role} of {members[0].chain}"
    return result


def _events(cluster: Cluster, namespace: str, names: Iterable[str] | None) -> list[str]:
    """The last events about the objects of these names. Without names: the last warnings of the whole namespace."""
    found = networks.events(cluster, namespace, names)
    chosen = [event for event in found if names is not None or event.get("type") == "Warning"]
    return [
        f"{event.get('lastTimestamp') or event.get('eventTime')} {event['involvedObject'].get('name')}: "
        f"{event.get('reason')}: {event.get('message')}"
        for event in chosen[-_EVENTS:]
    ]


def _answer(found: Any) -> Any:
    return found.message if isinstance(found, ChainError) else found


def written(facts: Facts) -> str:
    """The facts as text for people: a name and its value in each line."""
    return listing.facts([(name.capitalize(), _written(value)) for name, value in facts.items()])


def _written(value: Any) -> str:
    """A value as text: a list has one line for each item, nested values are YAML, an empty value is a dash."""
    if value is None or value in ([], {}, ()):
        return "-"
    if isinstance(value, list) and not any(isinstance(item, dict | list) for item in value):
        return "\n".join(map(str, value))
    if isinstance(value, dict | list):
        return yaml.dump(value, Dumper=yaml.CSafeDumper, sort_keys=False, width=110, default_flow_style=False).rstrip()
    return str(value)
