"""What an engine is held to, whichever it is, by a real API server. What a network is held to is in test_provision."""

import os
import secrets
import signal
import subprocess
import sys
import threading
import time

import pytest

from orchestrator.cluster import Cluster
from orchestrator.engine import automation, inventory, lock
from orchestrator.engine.automation import PulumiEngine
from orchestrator.engine.embedded import EmbeddedEngine
from orchestrator.engine.port import Stack
from orchestrator.errors import ProvisionError
from orchestrator.render import Manifest


@pytest.fixture(params=["embedded", "pulumi"])
def make(request):
    """Makes an engine of the kind under test, for a cluster."""
    if request.param == "embedded":
        return EmbeddedEngine
    if not automation.installed():
        pytest.skip("there is no `pulumi` in PATH")
    return PulumiEngine


@pytest.fixture
def engine(make, cluster):
    return make(cluster)


@pytest.fixture
def stack(cluster):
    name = f"e{secrets.token_hex(3)}"
    stack = Stack(program="testnet", name=name, namespace=f"coalmine-{name}")
    cluster.create(namespace(stack).document)
    yield stack
    cluster.delete("Namespace", stack.namespace)


def labelled(stack, kind, name, api="v1", **body):
    metadata = {
        "name": name,
        "labels": {"app.kubernetes.io/managed-by": "coalmine", "coalmine.dev/network": stack.name},
    }
    if kind != "Namespace":
        metadata["namespace"] = stack.namespace
    return Manifest({"apiVersion": api, "kind": kind, "metadata": metadata, **body})


def namespace(stack):
    return labelled(stack, "Namespace", stack.namespace)


def config(stack, name, **more):
    return labelled(stack, "ConfigMap", name, data={"text": "a\nb", "other.yml": "c"}, **more)


def group(stack, name, *, image="none:1", size="1Gi", replicas=0):
    """A StatefulSet without pods: enough for what happens to objects."""
    labels = {"group": name}
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}}
    return labelled(
        stack,
        "StatefulSet",
        name,
        "apps/v1",
        spec={
            "replicas": replicas,
            "serviceName": name,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "node", "image": image, "args": ["--a", "--b"]}]},
            },
            "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": claim}],
        },
    )


def service(stack, name):
    return labelled(stack, "Service", name, spec={"clusterIP": "None", "ports": [{"name": "p2p", "port": 30333}]})


def program(stack, *groups, more=()):
    objects = [piece for name in groups for piece in (service(stack, name), group(stack, name))]
    return [namespace(stack), config(stack, "chain"), *more, *objects]


def up(cluster, engine, stack, manifests):
    with lock.held(cluster, stack.namespace) as held:
        return engine.up(stack, manifests, held, lambda _: None)


def down(cluster, engine, stack):
    with lock.held(cluster, stack.namespace) as held:
        return engine.down(stack, held, lambda _: None)


def actions(changes):
    return {change.key: change.action for change in changes}


def different(changes):
    return {change.key: change for change in changes if change.action != "same"}


def there(cluster, stack, manifests):
    """Which of the objects, the namespace apart, are there."""
    return {
        m.key for m in manifests if m.kind != "Namespace" and cluster.get(m.kind, m.name, stack.namespace) is not None
    }


def keys(manifests):
    return {m.key for m in manifests if m.kind != "Namespace"}


def test_up_creates_all_and_a_second_up_changes_nothing(cluster, engine, stack):
    manifests = program(stack, "a", "b")
    first = actions(up(cluster, engine, stack, manifests))
    assert {key for key, action in first.items() if action == "create"} == keys(manifests)
    assert there(cluster, stack, manifests) == keys(manifests)
    versions = [cluster.get(m.kind, m.name, stack.namespace)["metadata"]["resourceVersion"] for m in manifests]
    assert set(actions(engine.preview(stack, manifests)).values()) == {"same"}
    assert set(actions(up(cluster, engine, stack, manifests)).values()) == {"same"}
    assert versions == [cluster.get(m.kind, m.name, stack.namespace)["metadata"]["resourceVersion"] for m in manifests]


def test_preview_says_what_up_would_do_and_changes_nothing(cluster, engine, stack):
    manifests = program(stack, "a")
    up(cluster, engine, stack, manifests)
    before = cluster.get("StatefulSet", "a", stack.namespace)
    changed = [*manifests[:-1], group(stack, "a", image="none:2"), config(stack, "new")]
    expected = {"StatefulSet/a": "update", "ConfigMap/new": "create"}
    assert {key: change.action for key, change in different(engine.preview(stack, changed)).items()} == expected
    after = cluster.get("StatefulSet", "a", stack.namespace)
    # Not its resourceVersion: its controller goes on writing its status.
    assert (after["metadata"]["generation"], after["spec"]) == (before["metadata"]["generation"], before["spec"])
    assert cluster.get("ConfigMap", "new", stack.namespace) is None
    assert {key: c.action for key, c in different(up(cluster, engine, stack, changed)).items()} == expected


def test_a_changed_field_is_named_by_its_path(cluster, engine, stack):
    up(cluster, engine, stack, program(stack, "a"))
    changed = [*program(stack)[:1], config(stack, "chain"), service(stack, "a"), group(stack, "a", image="none:2")]
    changed[1].document["data"]["other.yml"] = "d"
    seen = different(up(cluster, engine, stack, changed))
    assert seen["StatefulSet/a"].paths == ("spec.template.spec.containers[0].image",)
    assert seen["ConfigMap/chain"].paths == ("data.other.yml",)
    assert len(seen) == 2


def test_what_leaves_the_program_goes_in_reverse_order(cluster, engine, stack):
    up(cluster, engine, stack, program(stack, "a", "b", "c"))
    fewer = program(stack, "a")
    leaving = [c.key for c in up(cluster, engine, stack, fewer) if c.action == "delete"]
    assert set(leaving) == {"StatefulSet/b", "Service/b", "StatefulSet/c", "Service/c"}
    assert {key.partition("/")[0] for key in leaving[:2]} == {"StatefulSet"}  # What runs goes before what it needs.
    assert there(cluster, stack, program(stack, "a", "b", "c")) == keys(fewer)


def test_down_leaves_nothing_and_says_what_went(cluster, engine, stack):
    manifests = program(stack, "a", "b")
    up(cluster, engine, stack, manifests)
    gone = [change.key for change in down(cluster, engine, stack)]
    assert set(gone) == {m.key for m in manifests}
    assert gone[-1] == f"Namespace/{stack.namespace}"
    assert {key.partition("/")[0] for key in gone[:2]} == {"StatefulSet"}


def test_an_edit_by_hand_is_seen_and_mended(cluster, engine, stack):
    manifests = program(stack, "a")
    up(cluster, engine, stack, manifests)
    declared = {"metadata": {"labels": {"coalmine.dev/network": stack.name}}, "data": {"text": "by hand"}}
    cluster.patch("ConfigMap", "chain", stack.namespace, declared)
    cluster.patch("StatefulSet", "a", stack.namespace, {"spec": {"replicas": 3}, "metadata": {"labels": None}})
    drift = different(engine.preview(stack, manifests))
    assert drift["ConfigMap/chain"].paths == ("data.text",)
    assert "spec.replicas" in drift["StatefulSet/a"].paths
    assert "metadata.labels" in " ".join(drift["StatefulSet/a"].paths)
    up(cluster, engine, stack, manifests)
    assert cluster.get("ConfigMap", "chain", stack.namespace)["data"]["text"] == "a\nb"
    assert cluster.get("StatefulSet", "a", stack.namespace)["spec"]["replicas"] == 0
    assert set(actions(engine.preview(stack, manifests)).values()) == {"same"}


def test_an_object_deleted_by_hand_comes_back(cluster, engine, stack):
    manifests = program(stack, "a")
    up(cluster, engine, stack, manifests)
    cluster.delete("Service", "a", stack.namespace)
    assert {k: c.action for k, c in different(engine.preview(stack, manifests)).items()} == {"Service/a": "create"}
    up(cluster, engine, stack, manifests)
    assert there(cluster, stack, manifests) == keys(manifests)


def test_what_cannot_be_changed_is_replaced(cluster, engine, stack):
    up(cluster, engine, stack, [namespace(stack), config(stack, "fixed", immutable=True)])
    before = cluster.get("ConfigMap", "fixed", stack.namespace)["metadata"]["uid"]
    changed = config(stack, "fixed", immutable=True)
    changed.document["data"]["text"] = "another"
    assert actions(engine.preview(stack, [namespace(stack), changed]))["ConfigMap/fixed"] == "replace"
    up(cluster, engine, stack, [namespace(stack), changed])
    after = cluster.get("ConfigMap", "fixed", stack.namespace)
    assert (after["data"]["text"], after["metadata"]["uid"] != before) == ("another", True)


def test_preview_names_the_fields_of_a_statefulset_that_cannot_change(cluster, engine, stack):
    up(cluster, engine, stack, program(stack, "a"))
    seen = different(engine.preview(stack, [*program(stack, "a")[:-1], group(stack, "a", size="5Gi")]))
    assert seen["StatefulSet/a"].action == "replace"
    assert any(path.startswith("spec.volumeClaimTemplates") for path in seen["StatefulSet/a"].paths)


def test_an_object_that_the_api_server_refuses_is_an_error_that_names_it(cluster, engine, stack):
    bad = labelled(stack, "Service", "bad", spec={"ports": [{"port": 99999}]})
    with pytest.raises(ProvisionError, match=r"bad"):
        up(cluster, engine, stack, [*program(stack, "a"), bad])


# Interruption


class Cut(BaseException):
    """The end of the process, at some write."""


class Dying(Cluster):
    """Lets so many objects through and then nothing more, as for a process that was killed."""

    def __init__(self, living, after):
        super().__init__(living._api, context=living.context, namespace=living.namespace)
        self.left = after
        self.guard = threading.Lock()

    def _json(self, method, path, **more):
        if method in {"PATCH", "POST", "DELETE"} and "dryRun" not in (more.get("query") or {}):
            with self.guard:
                self.left -= 1
                if self.left < 0:
                    raise Cut
        return super()._json(method, path, **more)


def cut_off(make, cluster, stack, work, *, after):
    """Runs the work with an engine that dies after so many writes; says whether it did."""
    if make is not EmbeddedEngine:
        return killed(stack, cluster, lambda: work(make(cluster)), after=after)
    try:
        work(make(Dying(cluster, after)))
    except Cut:
        return True
    return False


def killed(stack, cluster, work, *, after):
    """The same for an engine that is a process of its own: it is killed when so many objects are there."""
    found = []

    def end():
        while len(found) <= after and threading.main_thread().is_alive():
            found[:] = [
                i for kind in ("ConfigMap", "Service", "StatefulSet") for i in cluster.list(kind, stack.namespace)
            ]
            time.sleep(0.01)
        children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(os.getpid())], capture_output=True, check=False)
        for pid in children.stdout.split():
            os.kill(int(pid), signal.SIGKILL)

    watcher = threading.Thread(target=end, daemon=True)
    watcher.start()
    try:
        work()
    except ProvisionError:
        return True
    return False


def held_by(cluster, stack, work):
    def run(engine):
        with lock.held(cluster, stack.namespace) as held:
            return work(engine, held)

    return run


def quiet(_):
    pass


def test_an_up_that_is_cut_off_at_any_object_goes_on_from_there(make, cluster, stack):
    """At every write in turn; each time the cut `up` asks for another program, so that leftovers would show."""
    final = program(stack, "a")
    cuts = 0
    for after in range(12):
        other = program(stack, "a", f"x{after}", more=[config(stack, f"y{after}")])
        work = held_by(cluster, stack, lambda engine, held, other=other: engine.up(stack, other, held, quiet))
        cuts += cut_off(make, cluster, stack, work, after=after)
        left = there(cluster, stack, other) - keys(final)
        assert left <= set(inventory.read(cluster, stack.namespace).objects)  # Known, whatever happens next.
        up(cluster, make(cluster), stack, final)
        assert there(cluster, stack, [*other, *final]) == keys(final)
        assert inventory.read(cluster, stack.namespace).objects == tuple(m.key for m in final)
        assert set(actions(make(cluster).preview(stack, final)).values()) == {"same"}
    assert cuts >= 6


@pytest.mark.parametrize("after", [0, 1, 3, 5])
def test_a_removal_that_is_cut_off_goes_on_from_there(make, cluster, stack, after):
    manifests = program(stack, "a", "b", "c")
    up(cluster, make(cluster), stack, manifests)
    work = held_by(cluster, stack, lambda engine, held: engine.up(stack, manifests[:1], held, quiet))
    cut_off(make, cluster, stack, work, after=after)
    up(cluster, make(cluster), stack, manifests[:1])
    assert there(cluster, stack, manifests) == set()


@pytest.mark.parametrize("after", [1, 2, 4, 6])
def test_an_up_that_is_cut_off_leaves_nothing_that_down_does_not_take(make, cluster, stack, after):
    manifests = program(stack, "a", "b")
    work = held_by(cluster, stack, lambda engine, held: engine.up(stack, manifests, held, quiet))
    cut_off(make, cluster, stack, work, after=after)
    made = there(cluster, stack, manifests)
    gone = {change.key for change in down(cluster, make(cluster), stack)}
    assert made <= gone


# Others


def test_an_object_that_became_somebody_elses_is_not_deleted(cluster, stack):
    """Of the embedded engine: Pulumi knows an object by its name alone."""
    engine = EmbeddedEngine(cluster)
    up(cluster, engine, stack, program(stack, "a", more=[config(stack, "mine")]))
    cluster.delete("ConfigMap", "mine", stack.namespace)
    metadata = {"name": "mine", "namespace": stack.namespace}
    cluster.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"of": "another"}})
    assert "ConfigMap/mine" not in actions(engine.preview(stack, program(stack, "a")))
    up(cluster, engine, stack, program(stack, "a"))
    assert cluster.get("ConfigMap", "mine", stack.namespace)["data"] == {"of": "another"}


def test_an_engine_whose_lock_is_lost_changes_nothing_more(cluster, engine, stack):
    with lock.held(cluster, stack.namespace) as held:
        held.lose()
        with pytest.raises(ProvisionError, match=r"lock .* was lost"):
            engine.up(stack, program(stack, "a"), held, quiet)
    assert there(cluster, stack, program(stack, "a")) == set()


def test_a_lock_of_a_process_that_was_killed_is_taken_over_at_once(cluster, stack, lab):
    holding = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from orchestrator.cluster import Cluster\n"
        "from orchestrator.engine import lock\n"
        "with lock.held(Cluster.connect(kubeconfig=Path(sys.argv[1])), sys.argv[2]):\n"
        "    print('held', flush=True)\n"
        "    time.sleep(60)\n"
    )
    command = [sys.executable, "-c", holding, str(lab.kubeconfig), stack.namespace]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "held\n"
        with (
            pytest.raises(ProvisionError, match=f":{other.pid} is changing this network"),
            lock.held(cluster, stack.namespace),
        ):
            pass
        other.kill()
        other.wait()
        with lock.held(cluster, stack.namespace):
            assert lock.holder(cluster, stack.namespace).endswith(f":{os.getpid()}")
    assert lock.holder(cluster, stack.namespace) is None


def test_of_many_at_a_stale_lock_one_gets_it(cluster, stack):
    with lock.held(cluster, stack.namespace):
        pass
    stale = lock._lease(stack.namespace, lock.STACK, lock.now())
    stale["spec"]["renewTime"] = "2020-01-01T00:00:00.000000Z"
    cluster.create(stale)
    got, refused, start, all_refused = [], [], threading.Barrier(6), threading.Event()

    def reach():
        start.wait()
        try:
            with lock.held(cluster, stack.namespace):
                got.append(1)
                all_refused.wait(timeout=30)
        except ProvisionError as error:
            refused.append(error)
            if len(refused) == 5:
                all_refused.set()

    threads = [threading.Thread(target=reach) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(got), len(refused)) == (1, 5)
