"""What the URL of a Redis says, and that its secrets are never shown."""

from __future__ import annotations

import pytest

from crawler.errors import ConfigError
from crawler.fleet.target import target_of, without_secrets


def test_all_that_a_url_says_is_heard():
    target = target_of("rediss://me:p%40ss@example.org:7000/3?prefix=mine&ca=/etc/ca.pem&cluster=no", "x", {})
    assert (target.host, target.port, target.database, target.tls) == ("example.org", 7000, 3, True)
    assert (target.username, target.password, target.prefix) == ("me", "p@ss", "mine")
    assert (target.ca, target.cluster) == ("/etc/ca.pem", False)


def test_what_a_url_does_not_say_is_usual():
    target = target_of("redis://[::1]", "shop", {})
    assert (target.host, target.port, target.database, target.tls) == ("::1", 6379, 0, False)
    assert (target.prefix, target.username, target.password, target.cluster) == ("crawler:shop", None, None, None)
    assert target.address == "[::1]:6379"


def test_the_url_that_is_shown_finds_the_same_crawl_and_has_no_secret():
    target = target_of("redis://me:secret@example.org/2?cluster=no", "a", {})
    assert "secret" not in target.shown + repr(target)
    again = target_of(target.shown, "another", {"CRAWLER_REDIS_USERNAME": "me", "CRAWLER_REDIS_PASSWORD": "secret"})
    assert again == target


def test_the_urls_login_comes_before_the_environments():
    environ = {"CRAWLER_REDIS_USERNAME": "other", "CRAWLER_REDIS_PASSWORD": "other"}
    target = target_of("redis://me:mine@h", "x", environ)
    assert (target.username, target.password) == ("me", "mine")
    target = target_of("redis://me@h", "x", environ)
    assert (target.username, target.password) == ("me", "other")


def test_a_variable_that_is_missing_is_named():
    with pytest.raises(ConfigError, match="MINE"):
        target_of("redis://me:${MINE}@h", "x", {})


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://me:secret@h", "redis://HOST"),
        ("redis://", "redis://HOST"),
        ("redis://:secret@h:99999", "redis://HOST"),
        ("redis://:secret@h/zero", "zero"),
        ("redis://:secret@h?cluser=true", "unknown cluser"),
        ("redis://:secret@h?cluster=maybe", "true or false"),
        ("redis://:secret@h/1?cluster=true", "database 0"),
        ("redis://:secret@h?prefix=a{b", "prefix"),
        ("redis://:secret@h?ca=/x.pem", "rediss://"),
        ("redis://:secret/part@h", "redis://"),
    ],
)
def test_what_a_url_may_not_say_is_told_without_its_secrets(url, told):
    with pytest.raises(ConfigError, match=told) as error:
        target_of(url, "x", {})
    assert "secret" not in str(error.value)
    assert "part" not in str(error.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://h:1/0", "redis://h:1/0"),
        ("redis://me:secret@h:1/0?prefix=a", "redis://me:<left out>@h:1/0?prefix=a"),
        ("redis://secret@h", "redis://<left out>@h"),
        ("redis://me:${MINE}@h", "redis://me:${MINE}@h"),
        ("redis://me:se@cret@h", "redis://me:<left out>@h"),
    ],
)
def test_a_password_is_left_out_of_what_is_shown(url, shown):
    assert without_secrets(url) == shown
