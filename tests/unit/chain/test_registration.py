"""Cores from the scheduler's own account, as a real runtime's metadata decodes it."""

from orchestrator.chain.port import POOL, Cores
from orchestrator.chain.registration import cores_of


def work(*holders):
    return {"assignments": [(holder, {"ratio": 57600, "remaining": 57600}) for holder in holders], "end_hint": None}


def described(current=None, queue=None):
    return {"current_work": current, "queue": queue}


def test_a_core_is_held_by_what_it_works_for_and_by_what_is_scheduled_on_it():
    now = {0: described(work({"Task": 2000})), 2: described(work("Pool")), 3: described(queue={"first": 9, "last": 9})}
    to_come = [{"assignments": [({"Task": 2000}, 57600)], "end_hint": None, "next_schedule": None}]
    assert cores_of(5, now, to_come) == Cores(5, {2000: 2, POOL: 1}, (1, 4))


def test_an_idle_core_is_nobodys_but_is_not_given_away():
    assert cores_of(2, {0: described(work("Idle"))}, []) == Cores(2, {}, (1,))


def test_a_chain_that_has_assigned_nothing_has_all_its_cores_free():
    assert cores_of(2, {}, []) == Cores(2, {}, (0, 1))
