"""Cleans a cluster: expired networks, and what interrupted work left behind. Called by `cli.sweep`.

`survey` reads the cluster and `judge` decides, purely. Only objects with our labels are looked at. Nothing is deleted
that somebody works with right now: a held lock or a rehearsal's lease protects its network.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from orchestrator import units
from orchestrator.cluster import Cluster
from orchestrator.engine import inventory, lock, ownership
from orchestrator.engine.embedded import EmbeddedEngine
from orchestrator.errors import ClusterError, CoalmineError, ProvisionError
from orchestrator.progress import Progress
from orchestrator.provision import definitions, lifetime, network

Kind = Literal["Namespace", "CustomResourceDefinition", "ClusterRole", "ClusterRoleBinding", "PersistentVolume"]

GRACE = timedelta(minutes=10)
"""A younger namespace without an inventory may belong to an `up` that has just begun."""

CLUSTER_WIDE: tuple[Kind, ...] = ("ClusterRoleBinding", "ClusterRole")
"""Kinds outside of namespaces that other versions of coalmine may have created. They have our labels."""


@dataclass(frozen=True, slots=True)
class Space:
    """What sweeping needs to know of one of our namespaces. `user` is who works with it right now."""

    name: str
    network: str
    annotations: dict[str, str]
    leaving: bool
    remembered: bool
    user: str | None


@dataclass(frozen=True, slots=True)
class Volume:
    """A PersistentVolume whose namespace is gone. The namespace had a name like ours."""

    name: str
    claim: str
    policy: str


@dataclass(frozen=True, slots=True)
class Survey:
    """Our objects in a cluster. `definitions` are those that nobody uses. `wide` are cluster-wide, as (kind, name)."""

    spaces: tuple[Space, ...]
    definitions: tuple[str, ...] = ()
    wide: tuple[tuple[Kind, str], ...] = ()
    volumes: tuple[Volume, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One object, what should happen to it, and why."""

    kind: Kind
    name: str
    action: Literal["delete", "keep"]
    why: str
    owner: str = ""
    network: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Swept:
    """A finding after the sweep. `failure` says why it was not deleted; empty if it was."""

    finding: Finding
    failure: str = ""


def judge(found: Survey, now: datetime) -> tuple[Finding, ...]:
    """What should happen to each of our objects. Objects that stay are listed too."""
    spaces = [_space(space, now) for space in found.spaces]
    staying = any(finding.action == "keep" for finding in spaces)
    none_left = "no network is left"
    rest = [Finding("CustomResourceDefinition", name, "delete", none_left) for name in found.definitions]
    rest += [
        Finding(kind, name, "keep" if staying else "delete", "a network is left" if staying else none_left)
        for kind, name in found.wide
    ]
    rest += [
        Finding(
            "PersistentVolume",
            volume.name,
            "keep",
            f"its claim {volume.claim} is gone, and its policy {volume.policy} leaves it to the cluster's admin",
        )
        for volume in found.volumes
    ]
    return (*spaces, *rest)


def survey(cluster: Cluster, now: datetime) -> Survey:
    """Reads what `judge` needs."""
    spaces = tuple(_read_space(cluster, item, now) for item in cluster.list_all("Namespace", ownership.SELECTOR))
    unused = definitions.unused(cluster, leaving={space.name for space in spaces if _goes(space, now)})
    return Survey(
        spaces=spaces,
        definitions=tuple(str(definition["metadata"]["name"]) for definition in unused),
        wide=tuple((kind, name) for kind in CLUSTER_WIDE for name in _named(cluster, kind)),
        volumes=tuple(_lost_volumes(cluster)),
    )


def sweep(cluster: Cluster, findings: Iterable[Finding], progress: Progress) -> tuple[Swept, ...]:
    """Deletes the findings to delete, networks first. A failure does not stop the others."""
    swept = []
    for finding in findings:
        if finding.action != "delete":
            continue
        try:
            _delete(cluster, finding, progress)
        except CoalmineError as error:
            swept.append(Swept(finding, error.message))
        else:
            swept.append(Swept(finding))
    return tuple(swept)


def _delete(cluster: Cluster, finding: Finding, progress: Progress) -> None:
    if finding.kind == "Namespace":
        _still_goes(cluster, finding)
        network.down(cluster, EmbeddedEngine(cluster), finding.network, progress)
    elif finding.kind == "CustomResourceDefinition":
        definitions.remove_unused(cluster)
    elif not cluster.list_all("Namespace", ownership.SELECTOR):
        cluster.delete(finding.kind, finding.name)


def _still_goes(cluster: Cluster, finding: Finding) -> None:
    """Raises ProvisionError if somebody uses the network by now, or has brought it up again."""
    item, now = cluster.get("Namespace", finding.name), lock.now()
    if item is not None:
        goes, why = _verdict(_read_space(cluster, item, now), now)
        if not goes:
            raise ProvisionError(why)


def _space(space: Space, now: datetime) -> Finding:
    goes, why = _verdict(space, now)
    owner = space.annotations.get(lifetime.OWNER, "")
    return Finding("Namespace", space.name, "delete" if goes else "keep", why, owner, space.network)


def _goes(space: Space, now: datetime) -> bool:
    return _verdict(space, now)[0]


def _verdict(space: Space, now: datetime) -> tuple[bool, str]:
    """Whether a namespace is deleted, and why."""
    if protected := _protected(space):
        return False, protected
    if cause := _cause(space, now):
        return True, cause
    expires = lifetime.expires(space.annotations)
    if expires is not None:
        return False, f"expires in {_ago(expires - now)}"
    kept = lifetime.KEPT in space.annotations
    return False, "its data is kept (`down --keep-data`), with no time to live" if kept else "has no time to live"


def _protected(space: Space) -> str | None:
    """Why a namespace must stay, even if it has expired. None if nothing protects it."""
    if space.user is not None:
        return f"in use by {space.user}"
    if not space.network or space.name != f"coalmine-{space.network}":
        return "it has coalmine's labels, but its name and its network label do not match"
    return None


def _cause(space: Space, now: datetime) -> str | None:
    """Why a namespace is to be deleted. None if it is not."""
    created, expires = lifetime.created(space.annotations), lifetime.expires(space.annotations)
    if space.leaving:
        return "it is already being deleted; waits until it is gone"
    if expires is not None and expires <= now:
        return f"expired {_ago(now - expires)} ago"
    if not space.remembered and created is not None and now - created > GRACE:
        return f"an `up` was interrupted {_ago(now - created)} ago, before it created anything"
    return None


def _ago(span: timedelta) -> str:
    return units.format_duration(float(int(span.total_seconds())))


def _read_space(cluster: Cluster, item: dict[str, Any], now: datetime) -> Space:
    metadata = item["metadata"]
    name = str(metadata["name"])
    users = [lock.holder(cluster, name, lease, clock=lambda: now) for lease in lock.LEASES]
    return Space(
        name=name,
        network=str(metadata["labels"].get(ownership.NETWORK, "")),
        annotations=dict(metadata.get("annotations") or {}),
        leaving="deletionTimestamp" in metadata,
        remembered=cluster.get("ConfigMap", inventory.NAME, name) is not None,
        user=next((user for user in users if user), None),
    )


def _named(cluster: Cluster, kind: str) -> list[str]:
    try:
        return [str(item["metadata"]["name"]) for item in cluster.list_all(kind, ownership.SELECTOR)]
    except ClusterError as error:
        if error.status == 403:  # A user who may not list them cannot have created any.
            return []
        raise


def _lost_volumes(cluster: Cluster) -> Iterable[Volume]:
    """Volumes that a storage class keeps after their network is gone. Their claim shows that they are ours."""
    try:
        volumes = cluster.list_all("PersistentVolume")
    except ClusterError as error:
        if error.status == 403:
            return
        raise
    spaces = {str(item["metadata"]["name"]) for item in cluster.list_all("Namespace")}
    for volume in volumes:
        claim = volume["spec"].get("claimRef") or {}
        space = str(claim.get("namespace", ""))
        if (
            volume.get("status", {}).get("phase") == "Released"
            and space.startswith("coalmine-")
            and space not in spaces
        ):
            policy = str(volume["spec"].get("persistentVolumeReclaimPolicy", ""))
            if policy == "Retain":  # With another policy the cluster deletes it by itself.
                yield Volume(str(volume["metadata"]["name"]), f"{space}/{claim.get('name')}", policy)
