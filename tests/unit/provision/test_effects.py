"""What a change does to what runs, said before it is done: a state table."""

import pytest

from orchestrator.engine.port import Change
from orchestrator.errors import Refused
from orchestrator.provision.effects import disturbing, effects, refuse_loss, summary
from orchestrator.render import Manifest

TEMPLATE = ("spec.template.spec.containers[0].image",)


def workload(kind="StatefulSet", replicas=3, partition=None):
    update = {"updateStrategy": {"rollingUpdate": {"partition": partition}}} if partition is not None else {}
    return {"kind": kind, "metadata": {"name": "x"}, "spec": {"replicas": replicas, **update}}


def effect(action, paths=(), *, kind="StatefulSet", before=None, after=None):
    key = f"{kind}/x"
    manifests = [Manifest(after)] if after else []
    (found,) = effects([Change(key, action, paths)], manifests, {key: before})
    return found.impact, found.restarting, found.added, found.removed


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (effect("create", after=workload()), ("created", 0, 3, 0)),
        (effect("delete", before=workload()), ("deleted", 0, 0, 3)),
        (effect("same", before=workload(), after=workload()), ("untouched", 0, 0, 0)),
        (effect("update", TEMPLATE, before=workload(), after=workload()), ("pods restart", 3, 0, 0)),
        (
            effect("update", ("spec.replicas",), before=workload(), after=workload(replicas=5)),
            ("changed in place", 0, 2, 0),
        ),
        (
            effect("update", ("spec.replicas",), before=workload(), after=workload(replicas=1)),
            ("changed in place", 0, 0, 2),
        ),
        (
            effect("update", ("spec.replicas", *TEMPLATE), before=workload(), after=workload(replicas=5)),
            ("pods restart", 3, 2, 0),
        ),
        (effect("update", TEMPLATE, before=workload(), after=workload(partition=2)), ("pods restart", 1, 0, 0)),
        (effect("update", TEMPLATE, before=workload(), after=workload(partition=7)), ("pods restart", 0, 0, 0)),
        (
            effect("update", ("spec.templates",), before=workload(), after=workload()),
            ("changed in place", 0, 0, 0),
        ),
        (
            effect("update", TEMPLATE, kind="Deployment", before=workload("Deployment"), after=workload("Deployment")),
            ("pods restart", 3, 0, 0),
        ),
        (
            effect(
                "replace",
                ("spec.selector",),
                kind="Deployment",
                before=workload("Deployment", 1),
                after=workload("Deployment", 1),
            ),
            ("replaced", 1, 0, 0),
        ),
        (
            effect(
                "update",
                ("data.text",),
                kind="ConfigMap",
                before={"kind": "ConfigMap"},
                after={"kind": "ConfigMap", "metadata": {"name": "x"}},
            ),
            ("changed in place", 0, 0, 0),
        ),
        (effect("delete", kind="Service", before={"kind": "Service"}), ("deleted", 0, 0, 0)),
    ],
)
def test_each_change_has_its_effect(found, expected):
    assert found == expected


def test_restarts_are_said_first_with_their_groups_and_causes():
    before = {f"StatefulSet/{name}": {**workload(), "metadata": {"name": name}} for name in ("a", "b", "gone")}
    wanted = [Manifest({**document, "metadata": {"name": key[12:]}}) for key, document in before.items()][:2]
    wanted.append(Manifest({**workload(replicas=2), "metadata": {"name": "new"}}))
    changes = [
        Change("StatefulSet/new", "create"),
        Change("StatefulSet/a", "same"),
        Change("StatefulSet/gone", "delete"),
        Change("StatefulSet/b", "update", TEMPLATE),
    ]
    found = effects(changes, wanted, before)
    assert summary(found) == (
        "3 pods of 1 object restart, 2 come, 3 go",
        "StatefulSet/b: pods restart: 3 pods restart (containers[0].image)",
        "StatefulSet/gone: deleted: 3 pods go, with their volumes",
    )
    assert [effect.key for effect in disturbing(found)] == ["StatefulSet/b", "StatefulSet/gone"]


def test_nothing_that_restarts_is_said_as_well():
    assert summary(effects([Change("ConfigMap/x", "create")], [], {})) == ("no pod restarts",)


def test_what_keeps_data_is_never_replaced():
    refuse_loss([Change("Deployment/x", "replace", ("spec.selector",)), Change("StatefulSet/x", "update", TEMPLATE)])
    with pytest.raises(Refused, match=r"StatefulSet/x \(spec.serviceName\)") as caught:
        refuse_loss([Change("StatefulSet/x", "replace", ("spec.serviceName",))])
    assert "another name" in caught.value.hint
