"""What is swept and what stays: a state table. That nobody's work is swept away is the rule above all others."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.provision import lifetime
from orchestrator.provision.sweep import Space, Survey, Volume, judge

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def at(minutes):
    return lifetime.text(NOW + timedelta(minutes=minutes))


def space(*, expires=None, created=-60, remembered=True, user=None, leaving=False, network="x", kept=False):
    annotations = {lifetime.CREATED: at(created), lifetime.OWNER: "ana@laptop"}
    annotations |= {lifetime.EXPIRES: at(expires)} if expires is not None else {}
    annotations |= {lifetime.KEPT: at(-1)} if kept else {}
    return Space("coalmine-x", network, annotations, leaving, remembered, user)


@pytest.mark.parametrize(
    ("found", "action", "why"),
    [
        (space(), "keep", "has no time to live"),
        (space(expires=5), "keep", "expires in 5m"),
        (space(expires=-90), "delete", "expired 1h30m ago"),
        (space(expires=0), "delete", "expired 0s ago"),
        (space(expires=-90, user="bo@desk:7"), "keep", "in use by bo@desk:7"),
        (space(remembered=False), "delete", "an `up` was interrupted 1h ago, before it created anything"),
        (space(remembered=False, created=-5), "keep", "has no time to live"),
        (space(remembered=False, user="bo@desk:7"), "keep", "in use by bo@desk:7"),
        (space(leaving=True), "delete", "it is already being deleted; waits until it is gone"),
        (
            space(expires=-90, network="y"),
            "keep",
            "it has coalmine's labels, but its name and its network label do not match",
        ),
        (
            space(expires=-90, network=""),
            "keep",
            "it has coalmine's labels, but its name and its network label do not match",
        ),
        (space(kept=True), "keep", "its data is kept (`down --keep-data`), with no time to live"),
        (space(kept=True, expires=-1), "delete", "expired 1m ago"),
    ],
)
def test_a_namespace_goes_or_stays_for_a_reason(found, action, why):
    (finding,) = judge(Survey((found,)), NOW)
    assert (finding.action, finding.why, finding.owner) == (action, why, "ana@laptop")


@given(st.integers(-1000, 1000), st.booleans(), st.booleans(), st.booleans())
def test_nothing_that_is_in_use_is_ever_swept(expires, remembered, leaving, kept):
    used = space(expires=expires, remembered=remembered, leaving=leaving, kept=kept, user="somebody")
    (finding,) = judge(Survey((used,)), NOW)
    assert finding.action == "keep"


def test_an_expiry_that_is_no_time_is_no_reason_to_sweep():
    odd = Space("coalmine-x", "x", {lifetime.EXPIRES: "soon"}, leaving=False, remembered=True, user=None)
    (finding,) = judge(Survey((odd,)), NOW)
    assert finding.action == "keep"


def test_leftovers_of_the_whole_cluster_go_only_with_the_last_network():
    wide = (("ClusterRole", "coalmine-old"),)
    staying, going = judge(Survey((space(),), wide=wide), NOW), judge(Survey((space(expires=-1),), wide=wide), NOW)
    assert [finding.action for finding in staying] == ["keep", "keep"]
    assert [finding.action for finding in going] == ["delete", "delete"]


def test_a_volume_that_a_policy_keeps_is_shown_and_left():
    (finding,) = judge(Survey((), volumes=(Volume("pv-1", "coalmine-x/data-a-0", "Retain"),)), NOW)
    assert finding.action == "keep"
    assert "coalmine-x/data-a-0" in finding.why


def test_definitions_that_nobody_uses_go():
    (finding,) = judge(Survey((), definitions=("chaosexperiments.coalmine.dev",)), NOW)
    assert (finding.kind, finding.action) == ("CustomResourceDefinition", "delete")
