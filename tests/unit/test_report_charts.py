"""Charts show what they are given, with round numbers beside it."""

from xml.etree import ElementTree as ET

import pytest

from crawler.report import charts
from crawler.report.charts import Label
from crawler.report.scales import moment_of, size_ticks, ticks, time_name, time_ticks
from tests.support.charts import draw, rectangles


def test_series_stand_upon_each_other():
    first, second = list(rectangles(draw([[30], [10]], axis=[40])))
    assert (first[1], first[3]) == (100, 75)
    assert (second[1], second[3]) == (25, 25)


def test_a_little_can_be_seen_beside_much():
    *_, little = rectangles(draw([[10**9, 1]], axis=[10**9]))
    assert little[3] >= 0.5


def test_a_bar_is_as_long_as_its_share():
    first, second = ET.fromstring(charts.bar([("a", 1), ("b", 2)], 4)).iter("rect")
    assert (first.get("x"), first.get("width"), second.get("x"), second.get("width")) == ("0", "250", "250", "500")


def test_names_marks_and_hints_are_text():
    svg = draw(
        [[1, 2]], below=[Label(0.0, "<a>"), Label(0.5, "b"), Label(1.0, "c")], marks=[Label(0.2, "&"), Label(0.9, "9")],
        hints=["one <", "two"],
    )  # fmt: skip
    texts = {text.text: text.get("text-anchor") for text in svg.iter("text")}
    assert texts | {"<a>": "start", "b": "middle", "c": "end", "&": None, "9": "end"} == texts
    assert [title.text for title in svg.iter("title")] == ["<t>", "one <", "two"]
    assert svg.get("role") == "img"
    assert svg.get("aria-label") == "<t>. <d>"


@pytest.mark.parametrize(
    ("highest", "expected"),
    [
        (0, [1]),
        (1, [0.5, 1]),
        (7, [2, 4, 6, 8]),
        (100, [50, 100]),
        (99, [50, 100]),
        (1_234, [500, 1_000, 1_500]),
        (0.003, [0.001, 0.002, 0.003]),
        (float("inf"), [1]),
        (float("nan"), [1]),
    ],
)
def test_an_axis_has_round_numbers(highest, expected):
    assert ticks(highest, 2 if highest in (99, 100) else 4) == pytest.approx(expected)


def test_an_axis_of_sizes_is_round_in_its_unit():
    assert size_ticks(45.7 * 1024, 2) == [50 * 1024]
    assert size_ticks(3 * 1024**3, 4) == [1024**3, 2 * 1024**3, 3 * 1024**3]


@pytest.mark.parametrize(
    ("length_s", "expected"),
    [
        (12, ["22:57:10", "22:57:12", "22:57:14", "22:57:16", "22:57:18", "22:57:20", "22:57:22"]),
        (300, ["22:58", "22:59", "23:00", "23:01", "23:02"]),
        (5_000, ["23:00", "23:15", "23:30", "23:45", "28 Nov", "00:15"]),
        (5 * 86_400, ["28 Nov", "29 Nov", "30 Nov", "1 Dec", "2 Dec"]),
    ],
)
def test_times_at_an_axis_are_round(length_s, expected):
    assert [name for _, name in time_ticks(1_795_820_230.0, length_s)] == expected


def test_no_calendar_has_it():
    assert moment_of(1e300) is None
    assert time_name(1e300, 1) == ""


def test_neighbours_are_gathered_without_loss():
    assert charts.gathered([1, 2, 3, 4, 5], 2) == ([6, 9], 3)
    assert charts.gathered([], 10) == ([], 1)
