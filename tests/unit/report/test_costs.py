"""What a disturbance cost: by a chain clock of one entry a second."""

import pytest

from orchestrator import report
from orchestrator.journal import Clock, Event, Journal
from orchestrator.report.story import tell
from tests.unit.report import runs


def costs(journal):
    return {cost.stage: cost for cost in tell(journal, runs.judged(journal)).costs}


@pytest.fixture(scope="module")
def passed():
    return costs(runs.passed())


def test_a_paused_validator_costs_no_finality(passed):
    cost = passed["one-validator-paused"]
    assert (cost.what, cost.lasted, cost.undone, cost.standstill) == ("pause", "21.0 s", "1.0 s", "2.0 s")
    assert cost.recovered == ()


def test_a_partition_stops_finality_until_it_is_lifted(passed):
    """The model's finality stands from 1 s after the fault began until 7 s after its end was confirmed."""
    cost = passed["two-against-two"]
    assert (cost.finality, cost.standstill, cost.lag) == ("7.0 s", "31.0 s", "18 blocks")
    assert cost.recovered == ("finality-recovers: 7 s", "parachain-recovers: 7 s")


def test_an_upgrade_is_told_with_the_finality_of_its_own_chain(passed):
    relay, nest = passed["relay-upgrade"], passed["parachain-upgrade"]
    assert (relay.chain, relay.undone, relay.standstill, relay.built) == ("relay", "8.0 s", "2.0 s", "17 of 17")
    assert (nest.chain, nest.undone, nest.standstill) == ("nest", "8.0 s", "4.0 s")


def test_what_did_not_come_or_is_not_known_is_said():
    failed = costs(runs.failed())["relay-upgrade"]
    assert (failed.undone, failed.finality, failed.built) == ("not enacted", "not enacted", "3 of 7")
    timeless = Journal.of(entry for entry in runs.passed().entries if not isinstance(entry, Clock))
    cost = costs(timeless)["two-against-two"]
    assert {cost.finality, cost.standstill, cost.built, cost.lag} == {"not known"}
    endless = Journal.of(
        e for e in runs.passed().entries if not (isinstance(e, Event) and e.name == "recover.confirmed")
    )
    assert costs(endless)["two-against-two"].undone == "not undone"


def test_finality_that_did_not_return_in_the_stage_is_said():
    journal = runs.changed(runs.passed(), Clock, lambda clock: {"finalized": min(clock.finalized, 59)})
    assert costs(journal)["two-against-two"].finality == "not in this stage"


@pytest.mark.parametrize("form", ["html", "markdown"])
def test_the_table_is_in_the_formats_that_people_read(form):
    text = report.render(runs.passed(), runs.judged(runs.passed()), form)
    assert "31.0 s" in text
    assert "13 of 12" in text
