"""Whether a change has reached all pods: the states that a rollout goes through."""

import pytest

from orchestrator.readiness.rollout import unfinished


def workload(generation=2, seen=2, replicas=3, running=0, partition=None, **status):
    update = {"updateStrategy": {"rollingUpdate": {"partition": partition}}} if partition is not None else {}
    return {
        "metadata": {"name": "x", "generation": generation},
        "spec": {"replicas": replicas, **update},
        "status": {"observedGeneration": seen, "replicas": running, **status},
    }


OLD_NEW = {"currentRevision": "a", "updateRevision": "b"}


@pytest.mark.parametrize(
    ("kind", "document", "why"),
    [
        ("StatefulSet", workload(seen=1), "its controller has not seen the change yet"),
        ("StatefulSet", {"metadata": {"generation": 1}, "spec": {}}, "its controller has not seen the change yet"),
        ("StatefulSet", workload(**OLD_NEW), "0 of 3 pods are updated"),
        ("StatefulSet", workload(**OLD_NEW, updatedReplicas=2), "2 of 3 pods are updated"),
        ("StatefulSet", workload(**OLD_NEW, updatedReplicas=3), None),
        ("StatefulSet", workload(**OLD_NEW, partition=2, updatedReplicas=1), None),
        ("StatefulSet", workload(**OLD_NEW, partition=1, updatedReplicas=1), "1 of 2 pods are updated"),
        ("StatefulSet", workload(currentRevision="a", updateRevision="a"), None),
        ("Deployment", workload(replicas=1, updatedReplicas=0), "0 of 1 pods are updated"),
        ("Deployment", workload(replicas=1, running=2, updatedReplicas=1), "1 old pods still run"),
        ("Deployment", workload(replicas=1, updatedReplicas=1), None),
        ("DaemonSet", workload(desiredNumberScheduled=2, updatedNumberScheduled=1), "1 of 2 pods are updated"),
        ("DaemonSet", workload(desiredNumberScheduled=2, updatedNumberScheduled=2), None),
    ],
)
def test_a_rollout_is_complete_when_all_its_pods_are_new(kind, document, why):
    assert unfinished(kind, document) == why
