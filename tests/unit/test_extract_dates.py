"""Dates as people and programs write them, and what is none."""

# ruff: noqa: RUF001 - words of many languages, on purpose
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.extract.dates import MAX_CHARS, find_date, parse_date

DATES = [
    ("2023-05-06", "2023-05-06"),
    ("2023-5-6", "2023-05-06"),
    ("2023/05/06", "2023-05-06"),
    ("2023.05.06.", "2023-05-06"),
    ("20230506", "2023-05-06"),
    ("2023-05-06T10:11:12Z", "2023-05-06T10:11:12Z"),
    ("2023-05-06T10:11:12.345+02:00", "2023-05-06T10:11:12.345+02:00"),
    ("2023-05-06T10:11:12+0200", "2023-05-06T10:11:12+02:00"),
    ("2023-05-06T10:11", "2023-05-06T10:11:00"),
    ("2023-05-06 10:11:12", "2023-05-06T10:11:12"),
    ("20230506T101112Z", "2023-05-06T10:11:12Z"),
    ("Sat, 06 May 2023 10:11:12 GMT", "2023-05-06T10:11:12Z"),
    ("Sat, 06 May 2023 10:11:12 -0500", "2023-05-06T10:11:12-05:00"),
    ("Sat May  6 10:11:12 2023", "2023-05-06T10:11:12"),
    ("Sat May 6 10:11:12 UTC 2023", "2023-05-06T10:11:12Z"),
    ("May 6, 2023 at 3:04 PM EST", "2023-05-06T15:04:00-05:00"),
    ("May 6, 2023 12 a.m.", "2023-05-06T00:00:00"),
    ("Published: May 6th, 2023", "2023-05-06"),
    ("6 May 2023", "2023-05-06"),
    ("6-May-2023", "2023-05-06"),
    ("Sept. 6, 2023", "2023-09-06"),
    ("6. Mai 2023", "2023-05-06"),
    ("Dienstag, den 12. März 2019, 14:05 Uhr", "2019-03-12T14:05:00"),
    ("12.3.2019, 14.05 Uhr", "2019-03-12T14:05:00"),
    ("12.03.19", "2019-03-12"),
    ("1er janvier 2020 à 08h30", "2020-01-01T08:30:00"),
    ("6 de mayo de 2023", "2023-05-06"),
    ("quinta-feira, 5 de janeiro de 2023", "2023-01-05"),
    ("6 maggio 2023", "2023-05-06"),
    ("6 d’abril de 2023", "2023-04-06"),
    ("6 maja 2023 r.", "2023-05-06"),
    ("6. května 2023", "2023-05-06"),
    ("6 мая 2023 г.", "2023-05-06"),
    ("2023. május 6.", "2023-05-06"),
    ("6 Mayıs 2023", "2023-05-06"),
    ("6 Μαΐου 2023", "2023-05-06"),
    ("2023年5月6日(土) 10:11", "2023-05-06T10:11:00"),
    ("2023년 5월 6일 10:11", "2023-05-06T10:11:00"),
]


@pytest.mark.parametrize(("text", "iso"), DATES)
def test_a_date_is_read_however_it_is_written(text, iso):
    assert parse_date(text) == iso


@pytest.mark.parametrize(
    ("text", "lang", "iso"),
    [
        ("05/06/2023", "en", "2023-05-06"),
        ("05/06/2023", "en-US", "2023-05-06"),
        ("05/06/2023", "en-GB", "2023-06-05"),
        ("05/06/2023", "de", "2023-06-05"),
        ("05/06/2023", None, "2023-06-05"),
        ("05/23/2023", "fr", "2023-05-23"),
        ("23/05/2023", "en", "2023-05-23"),
        ("05-06-2023", "en_US", "2023-05-06"),
        ("05-06-2023", "en", "2023-06-05"),
        ("05.06.2023", "en-US", "2023-06-05"),
        ("5. listopada 2023", "hr-HR", "2023-10-05"),
        ("5 listopada 2023", "pl", "2023-11-05"),
        ("5. lipnja 2023", None, "2023-06-05"),
    ],
)
def test_the_language_decides_where_a_date_may_be_two(text, lang, iso):
    assert parse_date(text, lang) == iso


def test_who_knows_better_may_say_where_the_day_is():
    assert parse_date("05/06/2023", "en", day_first=True) == "2023-06-05"
    assert parse_date("05.06.2023", "de", day_first=False) == "2023-05-06"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2023",
        "May 2023",
        "2023-05",
        "2023-13-45",
        "31.02.2023",
        "30 of 40 2000",
        "version 1.2.3",
        "192.168.10.10",
        "1.2.3.4",
        "+49 30 123456",
        "12345678901",
        "6 Mayonnaise 2023",
        "10:11:12",
        "ISBN 978-3-16-148410-0",
        "from 2023-05-06 to 2023-05-09",
        "the shop has been open since the year of our lord 2023-05-06",
        "9999-01-01",
        "٢٠٢٣-٠٥-٠٦",
    ],
)
def test_what_is_no_single_date_is_none(text):
    assert parse_date(text) is None


def test_a_time_that_is_none_leaves_the_date():
    assert parse_date("2023-05-06 99:99") is None
    assert find_date("2023-05-06 99:99") == "2023-05-06"
    assert find_date("6 May 2023 25:00") == "2023-05-06"


def test_the_first_date_in_a_text_is_found():
    assert find_date("By Ann | 3 min read | May 6, 2023, updated June 7, 2023") == "2023-05-06"
    assert find_date("Posted 7.6.2023 by Ann, 2 comments", "de") == "2023-06-07"
    assert find_date("no date at all, but 12 apples for 2023 people") is None


def test_no_more_than_the_beginning_of_a_text_is_looked_at():
    assert find_date("x" * MAX_CHARS + " 2023-05-06") is None


@given(st.text(alphabet="0123456789-/.:T ,May\u2013年月日 apmUTC+\ud800\0", max_size=80) | st.text(max_size=80))
def test_any_text_is_a_date_or_none(text):
    iso = parse_date(text)
    assert iso is None or parse_date(iso) == iso
    assert iso is None or find_date(text) == iso
