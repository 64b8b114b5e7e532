"""Counts, times, sizes and foreign text, as a person reads them."""

from __future__ import annotations

import pytest

from crawler.wording import counted, delay, duration, printable, roughly, short_time, size


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"),
        (9.94, "9.9 s"),
        (9.97, "10 s"),
        (59.6, "1 min 00 s"),
        (123.4, "2 min 03 s"),
        (3_599.7, "1 h 00 min"),
        (86_400 * 3 + 4 * 3_600, "3 d 04 h"),
    ],
)
def test_duration_is_told_in_two_units(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 ms"), (0.0008, "0.8 ms"), (0.34, "340 ms"), (0.9994, "999 ms"), (0.9996, "1.0 s"), (123.4, "2 min 03 s")],
)
def test_what_may_take_less_than_a_second_is_told_in_milliseconds(seconds, text):
    assert short_time(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "0 s"),
        (89, "89 s"),
        (90, "1.5 min"),
        (596, "9.9 min"),
        (598, "10 min"),
        (5_399, "90 min"),
        (5_400, "1.5 h"),
        (3_600 * 36, "1.5 d"),
        (86_400 * 1_234, "1,234 d"),
    ],
)
def test_time_nobody_knows_exactly_is_told_in_one_unit(seconds, text):
    assert roughly(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (0.2, "200ms"), (1 / 3, "333ms"), (1.5, "1.5s"), (60, "1m"), (12.345, "12.345s"), (2.4690001, "2.47s")],
)
def test_delay_is_told_as_it_is_written(seconds, text):
    assert delay(seconds) == text


def test_counts_have_their_nouns_in_number():
    assert [counted(0, "page"), counted(1, "page"), counted(1_526, "page")] == ["0 pages", "1 page", "1,526 pages"]


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (1_023, "1023 B"),
        (1_536, "1.5 KiB"),
        (1_023_999, "1.0 MiB"),
        (36_700_160, "35.0 MiB"),
        (2**50, "1024.0 TiB"),
    ],
)
def test_size_is_told_in_the_unit_that_fits(count, text):
    assert size(count) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("a\tb", r"a\tb"),
        ("zwölf 東京", "zwölf 東京"),
        ("\u202eab", r"\u202eab"),
        ("\ud800", r"\ud800"),
    ],
)
def test_printable_escapes_what_a_terminal_obeys_and_nothing_else(text, shown):
    assert printable(text) == shown


def test_printable_cuts_with_an_ellipsis():
    assert printable("abcdef", 4) == "abc…"
    assert printable("abcd", 4) == "abcd"
