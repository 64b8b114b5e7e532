"""Charts stay within their box, whatever they are given."""

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.report import charts
from crawler.report.scales import size_ticks, ticks, time_ticks
from tests.support.charts import PATH, draw, rectangles

pytestmark = pytest.mark.slow

AMOUNTS = st.one_of(
    st.integers(0, 10**20), st.floats(0, 1e300), st.sampled_from((0, 0.0, 5e-324, 1e-9, 1, 1.7976931348623157e308))
)
SERIES = st.integers(0, 40).flatmap(
    lambda n: st.lists(st.lists(AMOUNTS, min_size=n, max_size=n), min_size=1, max_size=3)
)
SLACK = 0.03  # coordinates have two decimals


@settings(max_examples=50)
@given(SERIES)
def test_columns_stay_within_their_box(series):
    svg = draw(series)
    assert (svg.findtext("title"), svg.findtext("desc")) == ("<t>", "<d>")
    box = svg.find("svg")
    assert box.get("viewBox") == "0 0 1000 100"
    for left, bottom, width, height in rectangles(box):
        assert -SLACK <= left <= left + width <= 1000 + SLACK
        assert -SLACK <= bottom - height <= bottom <= 100 + SLACK
        assert width > 0
    drawn = sum(len(PATH.findall(path.get("d"))) for path in svg.iter("path"))
    assert drawn == sum(value > 0 for values in series for value in values)


@settings(max_examples=50)
@given(st.lists(AMOUNTS, max_size=6), AMOUNTS)
def test_bars_stay_within_their_box(values, whole):
    svg = ET.fromstring(charts.bar([("c-failed", value) for value in values], whole))
    for rect in svg.iter("rect"):
        left, width = float(rect.get("x")), float(rect.get("width"))
        assert -SLACK <= left <= left + width <= 1000 + SLACK


@settings(max_examples=50)
@given(AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS, st.tuples(st.floats(1e-6, 1e6), st.floats(0, 1e9)))
def test_spreads_stay_within_their_box(low, middle, high, highest, scale):
    svg = ET.fromstring(charts.spread(low, middle, high, highest, scale))
    for rect in svg.iter("rect"):
        left, width = float(rect.get("x")), float(rect.get("width"))
        assert -SLACK <= left <= left + width <= 1000 + 4


@settings(max_examples=50)
@given(AMOUNTS)
def test_an_axis_ends_at_or_above_the_highest_value(highest):
    for values in (ticks(highest), size_ticks(highest)):
        assert 1 <= len(values) <= 6
        assert values == sorted(set(values))
        assert values[0] > 0
        assert values[-1] >= highest * (1 - 1e-6)


@settings(max_examples=50)
@given(st.floats(-1e300, 1e300), st.floats(0, 1e300))
def test_times_stand_within_their_axis(began_at, length_s):
    found = list(time_ticks(began_at, length_s))
    assert len(found) <= 8
    assert all(0 <= place <= 1 for place, _ in found)
