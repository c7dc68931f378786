"""Measuring real pods on a real kernel, and the page on which Prometheus finds it."""

import json
import os
import time

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from chaos.agent.clock_offset import ClockComparison, Offset, offset
from chaos.agent.containers import Machine as RealMachine
from chaos.agent.counters import Counters
from chaos.agent.exposition import Page
from chaos.agent.node_pods import NodePods
from chaos.agent.sampler import Sampler
from chaos.agent.shares import Part
from orchestrator.metrics.names import AGENTS
from tests.unit.chaos.conftest import eventually

LABELS = ("node", "chain", "group", "role")
IDENTITY = '{"group": "validator", "role": "validator", "chains": ["relay"]}'
BUSY = "while :; do :; done"


def node(name, group="validator", role="validator", chains=("relay",)):
    """What a node's container has in its environment."""
    said = json.dumps({"group": group, "role": role, "chains": chains})
    return f"export POD_NAME={name} COALMINE_NODE='{said}'; "


def page(sampler, clock=None):
    """The page: metric -> labels -> value."""
    text = generate_latest(Page(sampler, clock or ClockComparison("")).registry()).decode()
    return {
        family.name: {tuple(sample.labels[label] for label in LABELS): sample.value for sample in family.samples}
        for family in text_string_to_metric_families(text)
    }


def sampler_of(bench, **how):
    return Sampler(NodePods(bench.machine), Counters(), length=1.0, **how)


@pytest.mark.live
def test_of_two_pods_on_one_cpu_the_busy_ones_wait_and_the_idle_one_does_not(bench):
    """Two busy pods share a CPU, so each waits half of its time. The processes of one are many and short-lived."""
    cpu = min(os.sched_getaffinity(0))
    pinned = f"exec taskset -c {cpu} bash -c"
    bench.start(f"{node('validator-0')} {pinned} '{BUSY}'")
    bench.start(f"{node('validator-1')} {pinned} '({BUSY}) & {BUSY}'")
    bench.start(f"{node('validator-2')} exec sleep 1000")
    sampler = sampler_of(bench)
    eventually(lambda: len(sampler.pods.here()) == 3)
    sampler.sample()
    time.sleep(2)
    sampler.sample()
    waits = {labels[0]: ratio for labels, ratio in page(sampler)["coalmine_node_cpu_wait_ratio"].items()}
    assert waits["validator-0"] > 0.3
    assert waits["validator-1"] > 0.3
    assert waits["validator-2"] < 0.05


def test_only_nodes_of_our_namespace_are_found_and_by_the_names_that_they_carry(bench):
    bench.start(f"{node('collator-1', 'collator', 'collator', ('nest', 'relay'))} exec sleep 1000")
    bench.start(f"{node('validator-0')} exec sleep 1000", namespace="coalmine-another")
    bench.start("export POD_NAME=prometheus-0; exec sleep 1000")
    bench.start("export POD_NAME=x COALMINE_NODE='{\"group\": 1}'; exec sleep 1000")
    pods = NodePods(bench.machine)
    eventually(lambda: len(pods.here()) == 1)
    (pod,) = pods.here().values()
    assert (pod.name, pod.identity.role, pod.identity.chains) == ("collator-1", "collator", ("nest", "relay"))


def test_a_node_with_two_chains_has_each_figure_on_both_and_leaves_with_its_pod(bench):
    container = bench.start(f"{node('collator-1', 'collator', 'collator', ('nest', 'relay'))} exec sleep 1000")
    sampler = sampler_of(bench)
    eventually(lambda: bool(sampler.pods.here()))
    for _ in range(2):
        sampler.sample()
    labels = {("collator-1", chain, "collator", "collator") for chain in ("nest", "relay")}
    assert page(sampler)["coalmine_node_cpu_wait_ratio"].keys() == labels
    container.process.kill()
    container.process.wait()
    sampler.sample()
    assert page(sampler)["coalmine_node_cpu_wait_ratio"] == {}


def test_the_page_has_the_metrics_that_the_catalogue_knows_to_be_the_agents():
    clock = ClockComparison("")
    clock.keep(Offset(0.0, 0.0))
    shown = {family.name for family in Page(Sampler(NodePods(RealMachine("x")), Counters(), 1.0), clock).collect()}
    assert shown == AGENTS


def test_after_one_reading_nothing_is_known_and_nothing_is_shown(bench):
    bench.start(f"{node('validator-0')} exec sleep 1000")
    sampler = sampler_of(bench)
    eventually(lambda: bool(sampler.pods.here()))
    sampler.sample()
    assert not any(page(sampler).values())


class Machine:
    """Files as the kernel would show them, in a folder."""

    UID = "11111111-2222"

    def __init__(self, root):
        self.proc, self.cgroups = root / "proc", root / "cgroups"

    def write(self, where, text):
        where.parent.mkdir(parents=True, exist_ok=True)
        where.write_text(text)

    def thread(self, pid, number, text):
        self.write(self.proc / f"{pid}/task/{number}/schedstat", text)

    def stalls(self, folder, memory, ending=""):
        self.write(folder / f"memory{ending}", f"some avg10=0.00 total={memory}\nfull avg10=0.00 total=99\n")

    def read(self, cgroup="0::/"):
        counters = Counters(self.proc, self.cgroups)
        return counters.pod((7, 8), cgroup, counters.machine(5.0), 5.0)


@pytest.fixture
def kernel(tmp_path):
    return Machine(tmp_path)


V2 = "0::/kubepods.slice/kubepods-pod11111111_2222.slice/cri-containerd-ab.scope\n"
V1 = "4:cpu,cpuacct:/kubepods/pod11111111-2222/ab\n3:memory:/elsewhere\n0::/\n"


class TestASampler:
    """Pods as the kernel would show them, with a clock that the test sets."""

    @pytest.fixture
    def sampler(self, kernel):
        self.now = 0.0
        pods = NodePods(RealMachine("ours", proc=kernel.proc))
        return Sampler(pods, Counters(kernel.proc, kernel.cgroups), length=2.0, clock=lambda: self.now)

    def pod(self, kernel, pid, uid, name="validator-0"):
        process = kernel.proc / str(pid)
        kernel.write(process / "cgroup", f"0::/kubepods/pod{uid}/ab\n")
        kernel.write(process / "environ", f"POD_NAME={name}\0COALMINE_NODE={IDENTITY}\0")
        kernel.write(process / "root/etc/resolv.conf", "search ours.svc.cluster.local\n")
        kernel.thread(pid, pid, "0 0 1\n")

    def second(self, kernel, sampler, pid, running, waiting):
        """Lets a second pass after which the thread has these times, in seconds since it began."""
        kernel.thread(pid, pid, f"{int(running * 1e9)} {int(waiting * 1e9)} 9\n")
        self.now += 1
        sampler.sample()

    def test_says_the_share_over_the_time_since_the_last_scrape(self, kernel, sampler):
        self.pod(kernel, 42, "1-a")
        self.second(kernel, sampler, 42, 0.0, 0.0)
        found = []
        for running, waiting in ((0, 1), (1, 1), (2, 1), (2, 2)):
            self.second(kernel, sampler, 42, running, waiting)
            ((_, shares),) = sampler.shares()
            found.append(shares["cpu_wait"])
        assert found == [1.0, 0.5, 0.0, 0.5]

    def test_shows_a_replaced_pod_once_and_from_its_own_beginning(self, kernel, sampler):
        self.pod(kernel, 42, "1-a")
        for times in ((0, 0), (0, 1)):
            self.second(kernel, sampler, 42, *times)
        self.pod(kernel, 43, "1-b")
        for times in ((0.0, 0.0), (1.0, 0.0)):
            self.second(kernel, sampler, 43, *times)
        text = generate_latest(Page(sampler, ClockComparison("")).registry()).decode()
        assert [line.rpartition(" ")[2] for line in text.splitlines() if line.startswith("coalmine_node_cpu_w")] == [
            "0.0"
        ]


class TestReading:
    def test_what_is_not_there_is_absent(self, kernel):
        reading = kernel.read()
        assert (reading.threads, reading.totals) == (None, {})

    def test_all_threads_of_all_processes_count(self, kernel):
        kernel.thread(7, 7, "100 20 3\n")
        kernel.thread(7, 9, "5 6 1\n")
        kernel.thread(8, 8, "1 2 1\n")
        assert {n: (t.running, t.waiting) for n, t in kernel.read().threads.items()} == {
            7: (100, 20), 9: (5, 6), 8: (1, 2),
        }  # fmt: skip

    def test_a_kernel_that_does_not_count_gives_noughts_and_no_answer(self, kernel):
        kernel.thread(7, 7, "0 0 0\n")
        assert kernel.read().threads is None

    def test_steal_is_of_the_time_of_all_cpus_without_counting_guests_twice(self, kernel):
        kernel.write(kernel.proc / "stat", "cpu  1 2 3 4 5 6 7 80 9 10\ncpu0 1 1 1 1 1 1 1 1 1 1\n")
        assert kernel.read().totals == {"cpu_steal": Part(80, 108)}

    def test_stalls_are_the_pods_where_the_kernel_says_them_of_pods(self, kernel):
        kernel.stalls(kernel.proc / "pressure", 2_000_000)
        assert kernel.read(V1).totals == {"memory_stall": Part(2.0, 5.0)}
        kernel.write(kernel.cgroups / "cgroup.controllers", "")
        kernel.stalls(kernel.cgroups / "kubepods.slice/kubepods-pod11111111_2222.slice", 3_500_000, ".pressure")
        assert kernel.read(V2).totals == {"memory_stall": Part(3.5, 5.0)}

    def test_the_machines_stalls_do_not_stand_for_what_the_pods_own_file_lacks(self, kernel):
        kernel.stalls(kernel.proc / "pressure", 2_000_000)
        kernel.write(kernel.cgroups / "cgroup.controllers", "")
        assert kernel.read(V2).totals == {}

    @pytest.mark.parametrize(
        ("cgroup", "pod"),
        [
            pytest.param(V1, "cpu/kubepods/pod11111111-2222", id="version 1"),
            pytest.param(V2, "unified/kubepods.slice/kubepods-pod11111111_2222.slice", id="version 2 beside 1"),
        ],
    )
    def test_a_limit_may_be_the_pods_or_one_of_its_containers(self, kernel, cgroup, pod):
        kernel.write(kernel.cgroups / pod / "cpu.stat", "nr_periods 10\nnr_throttled 1\nthrottled_usec 900\n")
        kernel.write(kernel.cgroups / pod / "ab/cpu.stat", "nr_periods 30\nnr_throttled 4\nthrottled_usec 900\n")
        assert kernel.read(cgroup).totals == {"cpu_throttled": Part(5, 40)}

    def test_a_path_that_climbs_out_of_the_agents_own_group_leads_nowhere(self, kernel):
        (kernel.cgroups / "cpu").mkdir(parents=True)
        kernel.write(kernel.cgroups / "pod1/cpu.stat", "nr_periods 10\nnr_throttled 1\n")
        assert kernel.read("4:cpu:/../pod1/ab").totals == {}


class TestTheClock:
    def test_the_answer_is_of_the_middle_of_the_question(self):
        assert offset(100.0, 98.25, 100.5) == Offset(2.0, 0.25)

    @pytest.mark.parametrize("ahead", [-30.0, 0.0, 0.5])
    @pytest.mark.parametrize("there", [0.0, 0.1, 0.4])
    def test_it_is_never_wrong_by_more_than_it_says(self, ahead, there):
        """However the 0.4 s of the round trip are divided between the way there and the way back."""
        sent = 1000.0
        found = offset(sent, sent + there - ahead, sent + 0.4)
        assert abs(found.seconds - ahead) <= found.error + 1e-9

    def test_of_the_last_answers_the_quickest_counts_until_ten_have_followed(self):
        clock = ClockComparison("")
        assert clock.best() is None
        for error in (0.3, 0.001, 0.2):
            clock.keep(Offset(1.0, error))
        assert clock.best() == Offset(1.0, 0.001)
        for _ in range(9):
            clock.keep(None)
        assert clock.best() == Offset(1.0, 0.2)
        clock.keep(None)
        assert clock.best() is None

    def test_every_node_of_the_machine_has_its_offset(self, bench):
        bench.start(f"{node('validator-0')} exec sleep 1000")
        sampler, clock = sampler_of(bench), ClockComparison("")
        eventually(lambda: bool(sampler.pods.here()))
        sampler.sample()
        clock.keep(Offset(-1.5, 0.25))
        found = page(sampler, clock)
        who = ("validator-0", "relay", "validator", "validator")
        assert found["coalmine_machine_clock_offset_seconds"] == {who: -1.5}
        assert found["coalmine_machine_clock_offset_error_seconds"] == {who: 0.25}
