"""Where a shared crawl's Redis is, and what its workers heed, is checked and shown without passwords."""

from __future__ import annotations

import pytest

from crawler.config import CrawlConfig, FleetConfig
from crawler.config.file import ConfigMistakesError, dump, loads
from crawler.config.fleet import frontier_problem, is_shared
from crawler.config.rules import problems
from crawler.config.secrets import LEFT_OUT, revealed_frontier
from crawler.errors import ConfigError
from crawler.units import Duration

URL = "redis://127.0.0.1:6379/0"


@pytest.mark.parametrize(
    "url",
    [
        URL,
        "rediss://redis.example.org",
        "redis://[::1]:6379/15?prefix=shop",
        "rediss://crawler:${PASSWORD}@redis.example.org:6380/0",
        "redis://:hush@127.0.0.1",
    ],
)
def test_a_redis_may_be_the_frontier(url):
    assert is_shared(loads("", "x", [f"frontier={url}"]).config.frontier)


@pytest.mark.parametrize(
    ("frontier", "expected"),
    [
        ("memroy", "did you mean memory?"),
        ("redis", "redis://127.0.0.1:6379/0"),
        ("valkey://127.0.0.1", "redis://127.0.0.1:6379/0"),
        ("redis://", "a host and, after a colon, a port"),
        ("redis://a.test:99999", "a port up to 65535"),
        ("redis://a.test/one", "the number of a database"),
        ("redis://a.test/0#one", "the number of a database"),
        ("redis://a test/0", "printable ASCII"),
        ("rediss://u:${PASS WORD}@a.test", "expected ${NAME}"),
    ],
)
def test_what_is_no_frontier_is_told_with_what_was_expected(frontier, expected):
    with pytest.raises(ConfigMistakesError, match="frontier") as told:
        loads(f"frontier: '{frontier}'", "crawl.yaml")
    assert "crawl.yaml:1" in str(told.value)
    assert expected in str(told.value)


@pytest.mark.parametrize("url", ["redis://:hush@a.test/one", "redis://crawler:hush@a.test:0"])
def test_a_mistake_does_not_tell_the_password(url):
    (problem,) = problems(CrawlConfig(frontier=url))
    assert "hush" not in f"{problem.value} {problem.expected}"
    with pytest.raises(ConfigMistakesError) as told:
        loads("", "x", [f"frontier={url}"])
    assert "hush" not in str(told.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://crawler:hush@a.test", f"redis://crawler:{LEFT_OUT}@a.test"),
        ("redis://:hush@a.test", f"redis://:{LEFT_OUT}@a.test"),
        ("redis://crawler:${PASSWORD}@a.test", "redis://crawler:${PASSWORD}@a.test"),
        (URL, URL),
    ],
)
def test_a_password_that_is_written_out_is_not_stored(url, shown):
    text = dump(CrawlConfig(frontier=url))
    assert f"frontier: {shown}\n" in text
    assert loads(text, "stored").config.frontier == shown


def test_a_password_comes_from_the_environment_percent_encoded():
    assert revealed_frontier("redis://:${PASSWORD}@a.test/0", {"PASSWORD": "a/b"}) == "redis://:a%2Fb@a.test/0"


@pytest.mark.parametrize(
    ("url", "told"),
    [("redis://:${PASSWORD}@a.test", "PASSWORD is not set"), (f"redis://:{LEFT_OUT}@a.test", "is not stored")],
)
def test_a_password_that_is_missing_is_told(url, told):
    with pytest.raises(ConfigError, match=f"frontier: .*{told}"):
        revealed_frontier(url, {})


@pytest.mark.parametrize(
    ("fleet", "key"),
    [
        (FleetConfig(lease_s=Duration(0.1)), "fleet.lease"),
        (FleetConfig(lease_s=Duration(3600)), "fleet.lease"),
        (FleetConfig(name="../a"), "fleet.name"),
        (FleetConfig(name=""), "fleet.name"),
    ],
)
def test_what_a_worker_cannot_heed_is_a_mistake(fleet, key):
    assert [problem.key for problem in problems(CrawlConfig(fleet=fleet))] == [key]


def test_plain_frontiers_are_not_shared():
    assert not any(map(is_shared, ("sqlite", "memory")))
    assert not any(map(frontier_problem, ("sqlite", "memory")))
