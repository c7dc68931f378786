"""Lines of a chart: thinned without the loss of a peak, broken where samples are missing."""

import re

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.journal import Series
from orchestrator.report.lines import drawn, paths
from orchestrator.report.scale import Times, Values

SCALE = Values(0.0, 100.0, 0.0, 100.0)
"""Upside down: a value is as many units below the top as it lacks to 100."""


def heights(path):
    return [100.0 - float(y) for _, y in re.findall(r"[ML]([\d.]+) ([\d.]+)", path)]


@given(st.integers(1, 4000), st.randoms(use_true_random=False))
def test_a_line_has_few_points_and_all_its_extremes(count, random):
    samples = [(float(at), float(random.randint(10, 90))) for at in range(count)]
    peak, trough = random.randrange(count), random.randrange(count)
    samples[peak], samples[trough] = (float(peak), 100.0), (float(trough), 0.0)
    values = [value for _, value in samples]
    found = heights(drawn(samples, Times(0.0, float(count)), SCALE))
    assert len(found) <= 802
    assert (min(found), max(found)) == (min(values), max(values))


@given(st.integers(3, 3000), st.integers(3, 3000), st.integers(100, 5000))
def test_a_line_is_broken_once_where_samples_are_missing(before, after, missing):
    times = [*range(before), *range(before + missing, before + missing + after)]
    whole = Times(0.0, float(before + missing + after))
    assert drawn([(float(t), float(t % 7)) for t in times], whole, SCALE).count("M") == 2


def test_nodes_that_agree_share_a_line_that_names_them_all():
    def one(node, value):
        return Series(labels={"node": node, "group": "validator"}, samples=((0.0, 1.0), (1.0, value)))

    found = list(
        paths([one("a", 2.0), one("b", 3.0), one("c", 2.0)], ["validator"], Times(0, 1), SCALE, line="l", title="Lag")
    )
    assert [path.title for path in found] == ["a, c: Lag", "b: Lag"]
