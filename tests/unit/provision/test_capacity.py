"""Whether pods fit onto machines: as the scheduler counts, with figures, and never by guessing."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import ProvisionError
from orchestrator.provision import capacity
from orchestrator.provision.capacity import Amount, Capacity, Demand, Machine, quantity
from orchestrator.render import Manifest

GIB = 1024**3


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("0", 0), ("2", 2), ("1.5", 1.5), (".5", 0.5), ("100m", 0.1), ("250u", 0.00025), ("5n", 5e-9)),
        *(("1k", 1000), ("1Ki", 1024), ("129M", 129e6), ("123Mi", 123 * 1024**2), ("1Gi", GIB), ("2Ti", 2 * 1024**4)),
        *(("1e3", 1000), ("12E", 12e18), ("1Ei", 1024**6), ("-3", -3)),
    ],
)
def test_quantities_are_read_as_kubernetes_reads_them(text, value):
    assert quantity(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "1 Gi", "Gi", "1Gib", "1,5", "0x10", "1e", "1KI"])
def test_what_is_no_quantity_is_an_error(text):
    with pytest.raises(ValueError, match="not a Kubernetes quantity"):
        quantity(text)


def pods(count, cpu=0.0, memory=0.0, key="StatefulSet/a"):
    return Demand(key, Amount(cpu, memory, 1), count)


def machines(*sizes, autoscaler=False):
    found = (Machine(f"m{index}", Amount(cpu, memory, 110)) for index, (cpu, memory) in enumerate(sizes))
    return Capacity(tuple(found), autoscaler)


def test_what_fits_machine_by_machine_fits():
    assert capacity.shortage([pods(4, cpu=1.0)], machines((2, GIB), (2, GIB))) is None


def test_what_fits_together_but_on_no_single_machine_does_not():
    said = capacity.shortage([pods(1, cpu=3.0)], machines((2, GIB), (2, GIB)))
    assert said == (
        "1 of 1 pods of StatefulSet/a (3.00 cores, 0.00 GiB, 1 pods each) fit on no machine, though 2 machines have "
        "4.00 cores, 2.00 GiB, 220 pods free together"
    )


def test_the_largest_are_placed_first_so_that_small_ones_do_not_take_their_room():
    small, large = pods(2, cpu=1.0, key="StatefulSet/small"), pods(1, cpu=3.0, key="StatefulSet/large")
    assert capacity.shortage([small, large], machines((2, GIB), (3, GIB))) is None


@pytest.mark.parametrize(("cpu", "memory"), [(0.0, GIB), (1.0, 0.0)])
def test_either_resource_alone_can_be_short(cpu, memory):
    assert capacity.shortage([pods(5, cpu=cpu, memory=memory)], machines((4, 4 * GIB)))


def test_the_number_of_pods_can_be_short():
    assert "pods" in capacity.shortage([pods(111)], machines((4, GIB)))


def test_a_daemonset_takes_room_on_every_machine():
    agents = Demand("DaemonSet/agent", Amount(0.5, 0.0, 1), 1, everywhere=True)
    assert capacity.shortage([pods(4, cpu=1.0)], machines((2, GIB), (2, GIB))) is None
    assert capacity.shortage([agents, pods(4, cpu=1.0)], machines((2, GIB), (2, GIB)))
    assert capacity.shortage([agents, pods(2, cpu=1.5)], machines((2, GIB), (2, GIB))) is None


@given(
    st.lists(st.tuples(st.integers(1, 5), st.integers(1, 4)), max_size=3),
    st.lists(st.integers(1, 6), min_size=1, max_size=3),
)
def test_what_is_said_to_fit_fits(asked, sizes):
    """Against every placement there is: no false yes, and a false no only where first fit decreasing has one."""
    wanted = [pods(count, cpu=float(cpu), key=f"StatefulSet/{index}") for index, (cpu, count) in enumerate(asked)]
    fits = capacity.shortage(wanted, machines(*((size, GIB) for size in sizes))) is None
    each = sorted((cpu for cpu, count in asked for _ in range(count)), reverse=True)
    possible = possible_placement(each, list(sizes))
    assert not fits or possible
    if possible and len(sizes) == 1:
        assert fits


def possible_placement(each, room):
    if not each:
        return True
    for index in range(len(room)):
        if each[0] <= room[index]:
            room[index] -= each[0]
            if possible_placement(each[1:], room):
                return True
            room[index] += each[0]
    return False


def test_a_shortage_is_refused_and_an_autoscaler_makes_it_a_loud_line():
    wanted = [pods(9, cpu=1.0)]
    with pytest.raises(ProvisionError, match=r"asks for 9.00 cores") as caught:
        capacity.require(wanted, machines((2, GIB)))
    assert caught.value.hint
    assert capacity.require(wanted, machines((2, GIB), autoscaler=True)).startswith("WARNING: ")
    assert capacity.require([pods(1, cpu=1.0)], machines((2, GIB))) is None


def machine(name, *, ready="True", taints=(), unschedulable=False):
    return {
        "metadata": {"name": name},
        "spec": {"unschedulable": unschedulable, "taints": list(taints)},
        "status": {
            "allocatable": {"cpu": "4", "memory": "8Gi", "pods": "110"},
            "conditions": [{"type": "Ready", "status": ready}],
        },
    }


def container(cpu, memory="0", **more):
    return {"resources": {"requests": {"cpu": cpu, "memory": memory}}, **more}


def pod(where, *containers, phase="Running", labels=None, init=()):
    spec = {"nodeName": where, "containers": list(containers), "initContainers": list(init)}
    return {"metadata": {"name": "p", "labels": labels or {}}, "spec": spec, "status": {"phase": phase}}


def test_only_machines_that_take_pods_count_and_only_what_is_not_requested_yet():
    tainted = [{"key": "a", "effect": "NoSchedule"}]
    preferred = [{"key": "a", "effect": "PreferNoSchedule"}]
    found = capacity.capacity_of(
        [
            machine("a"),
            machine("cordoned", unschedulable=True),
            machine("tainted", taints=tainted),
            machine("down", ready="Unknown"),
            machine("b", taints=preferred),
        ],
        [pod("a", container("1", "1Gi"), container("500m")), pod("a", container("9"), phase="Succeeded")],
    )
    assert found.machines == (
        Machine("a", Amount(2.5, 7 * GIB, 109)),
        Machine("b", Amount(4.0, 8 * GIB, 110)),
    )
    assert not found.autoscaler


def test_a_pod_asks_for_its_largest_init_container_or_all_that_runs_together():
    first, sidecar = container("2"), container("250m", restartPolicy="Always")
    found = capacity.capacity_of([machine("a")], [pod("a", container("1"), init=[first, sidecar])])
    assert found.machines[0].free.cpu == pytest.approx(2.0)
    found = capacity.capacity_of([machine("a")], [pod("a", container("3"), init=[first, sidecar])])
    assert found.machines[0].free.cpu == pytest.approx(0.75)


@pytest.mark.parametrize("name", ["cluster-autoscaler", "karpenter"])
def test_an_autoscaler_is_seen(name):
    assert capacity.capacity_of([], [pod("a", labels={"app.kubernetes.io/name": name})]).autoscaler


def workload(kind, replicas, cpu):
    spec = {"template": {"spec": {"containers": [container(cpu)]}}, **({"replicas": replicas} if replicas else {})}
    return Manifest({"kind": kind, "metadata": {"name": "x"}, "spec": spec})


@pytest.mark.parametrize(
    ("before", "after", "cores"),
    [
        (None, (3, "1"), 3),
        ((3, "1"), (3, "1"), 0),
        ((3, "1"), (5, "1"), 2),
        ((3, "1"), (2, "1"), 0),
        ((3, "1"), (3, "2"), 3),
    ],
    ids=["new", "same", "more", "fewer", "larger"],
)
def test_only_what_is_not_there_yet_is_asked_for(before, after, cores):
    live = {"StatefulSet/x": workload("StatefulSet", *before).document if before else None}
    wanted = capacity.demands([workload("StatefulSet", *after)], live)
    assert sum(demand.each.cpu * demand.count for demand in wanted) == cores


def test_objects_without_pods_ask_for_nothing():
    config = Manifest({"kind": "ConfigMap", "metadata": {"name": "x"}})
    assert capacity.demands(itertools.repeat(config, 2), {}) == ()
