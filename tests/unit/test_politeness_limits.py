"""The most specific pattern wins, field by field, and says so."""

import pytest

from crawler.config import LimitsConfig, Pace
from crawler.politeness.limits import LimitTable
from crawler.units import Duration, Rate

TABLE = LimitTable(
    LimitsConfig(
        default=Pace(concurrency=2),
        hosts={
            "*.org": Pace(delay_s=Duration(5)),
            "*.Example.org": Pace(concurrency=4),
            "*.example.org:8080": Pace(concurrency=5),
            "www.example.org": Pace(rate_per_s=Rate(4)),
            "www.example.org:8080": Pace(delay_s=Duration(0)),
            "192.0.2.1": Pace(concurrency=9),
            "[::1]": Pace(concurrency=7),
            "[::1]:81": Pace(concurrency=8),
        },
    )
)


@pytest.mark.parametrize(
    ("host_key", "delay_s", "concurrency"),
    [
        ("other.test", 1.0, 2),
        ("example.org", 5.0, 2),  # *.example.org covers the names below only
        ("a.b.example.org", 5.0, 4),
        ("a.example.org:8080", 5.0, 5),
        ("a.example.org:81", 5.0, 4),
        ("www.example.org", 0.25, 4),
        ("www.example.org:8080", 0.0, 5),
        ("192.0.2.1", 1.0, 9),
        ("192.0.2.1:8000", 1.0, 9),
        ("[::1]", 1.0, 7),
        ("[::1]:81", 1.0, 8),
        ("[::1]:82", 1.0, 7),
        ("[::2]", 1.0, 2),
    ],
)
def test_each_value_comes_from_the_most_specific_pattern_that_gives_it(host_key, delay_s, concurrency):
    resolved = TABLE.resolve(host_key)
    assert (resolved.delay_s, resolved.concurrency) == (delay_s, concurrency)


def test_source_of_each_value_is_named():
    resolved = TABLE.resolve("www.example.org")
    assert resolved.delay_from == 'limits.hosts["www.example.org"].rate'
    assert resolved.concurrency_from == 'limits.hosts["*.Example.org"].concurrency'
    assert TABLE.resolve("other.test").delay_from == "built in"


def explained(host_key, **limits):
    return LimitTable(LimitsConfig(**limits)).explain(host_key)


def test_explanation_tells_what_is_built_in_only_where_that_says_something():
    assert explained("a.test", default=Pace()) == ["delay 1s, which is built in", "concurrency 1, which is built in"]
    assert explained("a.test") == [
        "delay 1s, from limits.default.delay",
        "concurrency 1, from limits.default.concurrency",
    ]
    assert explained("a.test", default=Pace(rate_per_s=Rate(5), concurrency=4)) == [
        "delay 200ms, from limits.default.rate",
        "  over the built-in 1s",
        "concurrency 4, from limits.default.concurrency",
        "  over the built-in 1",
    ]


def test_explanation_names_winner_losers_and_near_misses():
    lines = TABLE.explain("www.example.org")
    assert lines[0].startswith("delay ")
    assert lines[0].endswith('from limits.hosts["www.example.org"].rate')
    assert any('limits.hosts["*.org"].delay, which is less specific' in line for line in lines)
    assert 'limits.hosts["*.Example.org"] does not match: it covers the names below example.org only' in TABLE.explain(
        "example.org"
    )
