"""Who ends a fault, and when: an order, its time, a successor, a clean shutdown. The fault itself is a fake."""

import asyncio
import threading

import pytest

from chaos.agent import ledger as ledgers
from chaos.agent.faults import FaultError
from chaos.agent.keeper import Keeper
from chaos.agent.ledger import FaultRecord, Ledger
from chaos.wire import PartitionOrder, PauseOrder


class Recorder:
    """A fault that remembers what is in place, and fails where it is told to."""

    def __init__(self, ledger):
        self.placed = {}
        self.ledger = ledger
        self.refuse = set()
        self.stuck = set()

    def inject(self, fault_id, order):
        assert fault_id in {entry.id for entry in self.ledger.load()}, "injected before it stood in the ledger"
        if fault_id in self.refuse:
            raise FaultError("refused")
        self.placed[fault_id] = order
        return "placed"

    def recover(self, fault_id, _):
        if fault_id in self.stuck:
            raise FaultError("stuck")
        self.placed.pop(fault_id, None)
        return "taken back"


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path / "ledger")


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def fault(ledger):
    return Recorder(ledger)


def make(fault, ledger, clock, unsupported=()):
    faults = {"pause": fault, "partition": fault}
    return Keeper(faults=faults, unsupported=dict(unsupported), ledger=ledger, clock=clock)


def pause(pod="a" * 8, container="ab" * 32, ttl=60):
    return PauseOrder(pod_uid=pod, container_id=container, ttl_seconds=ttl)


async def until(condition):
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  The condition is a plain value of the code under test.
            await asyncio.sleep(0.01)


async def test_the_ledger_knows_of_a_fault_before_it_is_injected_and_until_it_is_recovered(fault, ledger, clock):
    keeper = make(fault, ledger, clock)
    entry = await keeper.place("x", pause())
    assert (entry.effect, entry.expires) == ("placed", 1060.0)
    assert [e.id for e in ledger.load()] == ["x"]
    assert await keeper.end("x") == "taken back"
    assert (ledger.load(), fault.placed) == ((), {})


async def test_ending_what_is_not_there_is_no_error(fault, ledger, clock):
    assert "nothing" in await make(fault, ledger, clock).end("x")


async def test_a_fault_ends_at_its_time_without_anybody_asking(fault, ledger, clock):
    keeper = make(fault, ledger, clock)
    await keeper.place("x", pause(ttl=60))
    await keeper.place("y", pause(pod="b" * 8, ttl=90))
    task = asyncio.create_task(keeper.keep_time())
    clock.now += 61
    await until(lambda: "x" not in fault.placed)
    assert "y" in fault.placed
    task.cancel()


async def test_ordering_again_never_puts_off_the_end(fault, ledger, clock):
    keeper = make(fault, ledger, clock)
    await keeper.place("x", pause(ttl=60))
    assert (await keeper.place("x", pause(ttl=600))).expires == 1060.0
    assert (await keeper.place("x", pause(ttl=10))).expires == 1010.0


async def test_a_successor_ends_what_expired_and_keeps_the_rest(fault, ledger, clock):
    first = make(fault, ledger, clock)
    await first.place("x", pause(ttl=60))
    await first.place("y", pause(pod="b" * 8, ttl=90))
    clock.now += 61  # The first agent is killed: it does nothing any more.
    second = make(fault, ledger, clock)
    second.adopt()
    task = asyncio.create_task(second.keep_time())
    await until(lambda: "x" not in fault.placed)
    assert [entry.id for entry in second.held()] == ["y"]
    clock.now += 30
    await until(lambda: not fault.placed)
    task.cancel()


async def test_entries_of_an_earlier_boot_are_dropped(fault, ledger, clock):
    ledger.write(FaultRecord(id="x", order=pause(), expires=5.0, boot="another"))
    keeper = make(fault, ledger, clock)
    keeper.adopt()
    assert keeper.held() == ()
    assert ledger.load() == ()


async def test_an_entry_that_cannot_be_read_is_set_aside_and_stops_nobody(fault, ledger, clock, tmp_path):
    ledger.write(FaultRecord(id="x", order=pause(), expires=5.0, boot=ledgers.boot_id()))
    (tmp_path / "ledger" / "w.json").write_text("{")
    keeper = make(fault, ledger, clock)
    keeper.adopt()
    assert [entry.id for entry in keeper.held()] == ["x"]
    assert (tmp_path / "ledger" / "w.unreadable").exists()


async def test_a_failed_injection_is_taken_back_and_forgotten(fault, ledger, clock):
    keeper = make(fault, ledger, clock)
    fault.refuse.add("x")
    with pytest.raises(FaultError, match="refused"):
        await keeper.place("x", pause())
    assert (keeper.held(), ledger.load()) == ((), ())


async def test_a_failed_recovery_stays_in_the_ledger_and_is_tried_again_when_its_time_is_over(fault, ledger, clock):
    keeper = make(fault, ledger, clock)
    await keeper.place("x", pause())
    fault.stuck.add("x")
    with pytest.raises(FaultError, match="stuck"):
        await keeper.end("x")
    assert [e.id for e in ledger.load()] == ["x"]
    clock.now += 61
    task = asyncio.create_task(keeper.keep_time())
    fault.stuck.clear()
    await until(lambda: not keeper.held())
    task.cancel()


async def test_a_clean_shutdown_takes_everything_back(fault, ledger, clock):
    keeper = make(fault, ledger, clock)
    for index in range(5):
        await keeper.place(f"x{index}", pause(pod=f"{index}" * 8))
    await keeper.close()
    assert (fault.placed, ledger.load()) == ({}, ())


async def test_one_pod_has_at_most_one_fault_of_a_kind(fault, ledger, clock):
    keeper = make(fault, ledger, clock)
    await keeper.place("x", pause())
    with pytest.raises(FaultError, match="x has a pause"):
        await keeper.place("y", pause())
    await keeper.place("y", PartitionOrder(pod_uid="a" * 8, peers=["10.0.0.1"], ttl_seconds=5))


async def test_what_the_machine_cannot_do_is_refused_before_the_ledger(fault, ledger, clock):
    keeper = make(fault, ledger, clock, unsupported={"pause": "no signals today"})
    with pytest.raises(FaultError, match="no signals today"):
        await keeper.place("x", pause())
    assert ledger.load() == ()


async def test_an_end_that_overtakes_nothing_waits_for_the_injection(fault, ledger, clock):
    """The controller gave up waiting for its order and asks for recovery: the fault must not outlive the answer."""
    keeper = make(fault, ledger, clock)
    gate = threading.Event()
    inject = fault.inject
    fault.inject = lambda fault_id, order: (gate.wait(10), inject(fault_id, order))[1]
    placing = asyncio.create_task(keeper.place("x", pause()))
    await until(lambda: bool(ledger.load()))
    ending = asyncio.create_task(keeper.end("x"))
    gate.set()
    await asyncio.gather(placing, ending)
    assert (fault.placed, ledger.load()) == ({}, ())
