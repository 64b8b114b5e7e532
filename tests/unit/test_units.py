from __future__ import annotations

import re

import pytest

from crawler.units import Duration, Rate, Size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("2s", 2), ("1.5m", 90), ("1h", 3600), ("1d", 86_400), ("0", 0), ("0.1s", 0.1), (" 5 s ", 5)],
)
def test_duration_is_read_as_seconds(text, seconds):
    assert Duration.parse(text) == seconds


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("512", 512),
        ("64KiB", 65_536),
        ("10MiB", 10_485_760),
        ("10MB", 10_000_000),
        ("1.5kib", 1536),
        ("0", 0),
        ("7B", 7),
    ],
)
def test_size_is_read_as_bytes(text, count):
    assert Size.parse(text) == count


@pytest.mark.parametrize(("text", "per_s"), [("5/s", 5), ("30/min", 0.5), ("100/h", 100 / 3600), ("0.5/s", 0.5)])
def test_rate_is_read_per_second(text, per_s):
    assert Rate.parse(text) == per_s


@pytest.mark.parametrize("unit", [Duration, Size, Rate])
@pytest.mark.parametrize(
    "text",
    ["", "-1s", "-1", "-1/s", "nan", "inf", "NaNs", "1e3s", "1,5s", "1_000", "s", "٣s", "1s 2s", "1h30m", "/s", "ms"],
)
def test_what_is_no_quantity_is_refused_with_what_was_expected(unit, text):
    with pytest.raises(ValueError, match=r"^expected "):
        unit.parse(text)


def test_duration_without_unit_suggests_one():
    with pytest.raises(ValueError, match="such as 5s or 5ms"):
        Duration.parse("5")


@pytest.mark.parametrize(
    ("unit", "text", "expected"),
    [
        (Duration, "5x", "in d, h, m, s, ms"),
        (Duration, "5M", "in d, h, m, s, ms"),
        (Size, "10MX", "in TiB, GiB, MiB"),
        (Size, "0.1KiB", "a whole number of bytes"),
        (Rate, "5", "a rate such as 5/s"),
        (Rate, "5s", "a rate such as 5/s"),
        (Rate, "5/x", "expected a rate per s, min, h or d, such as 5/s"),
        (Duration, "9" * 400 + "d", "a smaller number"),
    ],
)
def test_wrong_unit_is_refused_with_the_right_ones(unit, text, expected):
    with pytest.raises(ValueError, match=re.escape(expected)):
        unit.parse(text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Duration(0.5), "500ms"),
        (Duration(0), "0s"),
        (Duration(90), "90s"),
        (Duration(120), "2m"),
        (Duration(86_400), "1d"),
        (Duration(0.0005), "0.0005s"),
        (Size(10 * 1024**2), "10MiB"),
        (Size(2_000_000), "2MB"),
        (Size(1536), "1536"),
        (Size(0), "0"),
        (Rate(5), "5/s"),
        (Rate(0.5), "30/min"),
        (Rate(100 / 3600), "100/h"),
        (Rate(0), "0/s"),
    ],
)
def test_a_quantity_prints_as_whole_units_where_it_can(value, text):
    assert str(value) == f"{value}" == text
