"""The most specific pattern wins, field by field, and says so."""

import pytest

from crawler.config import AdaptiveConfig, LimitsConfig, Pace, PerAddressConfig
from crawler.politeness.limits import LimitTable, beat_s
from crawler.units import Duration, Number, Rate

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


def test_jitter_is_inherited_like_any_value_and_names_its_source():
    table = LimitTable(
        LimitsConfig(
            default=Pace(jitter_s=Duration(0.5)),
            hosts={"a.test": Pace(jitter_s=Duration(2)), "b.test": Pace(delay_s=Duration(9))},
        )
    )
    told = {key: (table.resolve(key).jitter_s, table.resolve(key).jitter_from) for key in ("a.test", "b.test")}
    assert told == {"a.test": (2.0, 'limits.hosts["a.test"].jitter'), "b.test": (0.5, "limits.default.jitter")}
    assert LimitTable(LimitsConfig(default=Pace())).resolve("a.test").jitter_from == "built in"


def explained(host_key, **limits):
    return LimitTable(LimitsConfig(**limits)).explain(host_key)


def test_explanation_tells_what_is_built_in_only_where_that_says_something():
    assert explained("a.test", default=Pace())[:3] == [
        "delay 1s, which is built in",
        "concurrency 1, which is built in",
        "jitter 0s, which is built in",
    ]
    assert explained("a.test")[:3] == [
        "delay 1s, from limits.default.delay",
        "concurrency 1, from limits.default.concurrency",
        "jitter 0s, from limits.default.jitter",
    ]
    assert explained("a.test", default=Pace(rate_per_s=Rate(5), concurrency=4, jitter_s=Duration(1)))[:6] == [
        "delay 200ms, from limits.default.rate",
        "  over the built-in 1s",
        "concurrency 4, from limits.default.concurrency",
        "  over the built-in 1",
        "jitter 1s, from limits.default.jitter",
        "  over the built-in 0s",
    ]


def test_a_rate_is_told_as_a_delay_one_can_read():
    assert explained("a.test", default=Pace(rate_per_s=Rate(3)))[0] == "delay 333ms, from limits.default.rate"


def test_explanation_tells_how_many_requests_an_address_gets():
    cap = PerAddressConfig(concurrency=4)
    assert explained("a.test", per_address=cap)[-2] == (
        "at its address 4 at once, all hosts there together, from limits.per_address.concurrency"
    )
    own = LimitTable(LimitsConfig(per_address=cap, default=Pace(concurrency=9)))
    assert own.at_one_address(own.resolve("a.test")) == 9
    assert own.explain("a.test")[-2] == (
        "at its address 9 at once, all hosts there together, from its own concurrency, as that is more than "
        "limits.per_address.concurrency: 4"
    )


@pytest.mark.parametrize(
    ("adaptive", "delay_s", "line"),
    [
        (True, 1, "slower where it is failing or slow (a pause of 2 answer times), up to 1m"),
        (
            AdaptiveConfig(factor=Number(1.5), max_delay_s=Duration(9)),
            1,
            "slower where it is failing or slow (a pause of 1.5",
        ),
        (AdaptiveConfig(factor=Number(0)), 1, "slower where it is failing, up to 1m, from limits.adaptive"),
        (True, 0, "slower where it is failing, up to 1m, from limits.adaptive"),
        (False, 1, "no slower where it is slow or failing, from limits.adaptive: false"),
    ],
)
def test_explanation_tells_when_a_host_is_asked_more_slowly(adaptive, delay_s, line):
    told = explained("a.test", adaptive=adaptive, default=Pace(delay_s=Duration(delay_s)))
    assert told[-1].startswith(line)


def test_explanation_names_winner_losers_and_near_misses():
    lines = TABLE.explain("www.example.org")
    assert lines[0].startswith("delay ")
    assert lines[0].endswith('from limits.hosts["www.example.org"].rate')
    assert any('limits.hosts["*.org"].delay, which is less specific' in line for line in lines)
    assert 'limits.hosts["*.Example.org"] does not match: it covers the names below example.org only' in TABLE.explain(
        "example.org"
    )


def test_starts_are_gathered_for_a_small_share_of_the_shortest_delay():
    assert beat_s(LimitsConfig()) == 0.005
    assert beat_s(LimitsConfig(default=Pace(delay_s=Duration(30)))) == 0.005
    assert beat_s(LimitsConfig(hosts={"a.test": Pace(rate_per_s=Rate(10)), "b.test": Pace(concurrency=2)})) == 0.0005
    assert beat_s(LimitsConfig(default=Pace(delay_s=Duration(0)))) == 0
    assert beat_s(LimitsConfig(hosts={"*.b.test": Pace(delay_s=Duration(0))})) == 0
