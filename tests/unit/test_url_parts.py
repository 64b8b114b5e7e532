"""Links against a base, and the parts of a canonical URL."""

from __future__ import annotations

import pytest

from crawler.errors import UrlError
from crawler.url import (
    Base,
    canonicalize,
    fingerprint,
    glob_to_regex,
    host,
    host_key,
    origin,
    path_and_query,
    registrable_domain,
    resolve,
)


@pytest.mark.parametrize(
    ("href", "expected"),
    [
        ("c", "http://example.org/a/c"),
        ("/c", "http://example.org/c"),
        ("//other.example./c", "http://other.example/c"),
        ("?q=%7e", "http://example.org/a/b?q=~"),
        ("", "http://example.org/a/b?x"),
        ("#top", "http://example.org/a/b?x"),
        ("https:c", "https://c/"),
        ("http:c", "http://example.org/a/c"),
    ],
)
def test_links_resolve_against_the_base(href, expected):
    assert Base("http://me:secret@EXAMPLE.org:80/a/b?x#y").join(href) == expected


def test_a_host_that_only_begins_like_the_base_is_no_short_cut():
    base = Base("http://example.org/")
    assert base.join("http://example.org.:80/a") == "http://example.org/a"
    assert base.join("http://example.org@other.example/a") == "http://other.example/a"
    assert base.join("http://example.organic./") == "http://example.organic/"


@pytest.mark.parametrize("href", ["mailto:me@example.org", "http://[", "\ud800"])
def test_a_bad_link_is_named(href):
    with pytest.raises(UrlError) as raised:
        Base("http://example.org/").join(href)
    assert repr(href) in str(raised.value)


@pytest.mark.parametrize("base", ["data:text/html,a", "a/b", "http://["])
def test_a_base_must_be_http(base):
    with pytest.raises(UrlError):
        Base(base)


def test_resolution_names_the_base_it_failed_against():
    with pytest.raises(UrlError, match=r"base 'http://example\.org/'"):
        resolve("http://[", "http://example.org/")


@pytest.mark.parametrize(
    ("url", "key", "name", "site", "target"),
    [
        ("http://example.org/", "example.org", "example.org", "http://example.org", "/"),
        ("https://example.org/a/b?c", "example.org", "example.org", "https://example.org", "/a/b?c"),
        ("https://example.org:8080/", "example.org:8080", "example.org", "https://example.org:8080", "/"),
        ("http://[::1]/a", "[::1]", "[::1]", "http://[::1]", "/a"),
        ("http://[::1]:81/", "[::1]:81", "[::1]", "http://[::1]:81", "/"),
        ("http://example.org/?a:b@c/d", "example.org", "example.org", "http://example.org", "/?a:b@c/d"),
    ],
)
def test_parts_of_a_canonical_url(url, key, name, site, target):
    canonical = canonicalize(url)
    parts = host_key(canonical), host(canonical), origin(canonical), path_and_query(canonical)
    assert parts == (key, name, site, target)


def test_http_and_https_share_a_host_key():
    assert host_key(canonicalize("http://example.org/")) == host_key(canonicalize("https://example.org/"))


@pytest.mark.parametrize("name", ["127.0.0.1", "[::1]", "localhost", "co.uk", "com", "github.io"])
def test_what_nobody_can_register_is_its_own_domain(name):
    assert registrable_domain(name) == name


@pytest.mark.parametrize(
    ("name", "domain"),
    [("a.b.example.co.uk", "example.co.uk"), ("me.github.io", "me.github.io"), ("a.xn--p1ai", "a.xn--p1ai")],
)
def test_registrable_domain_follows_the_public_suffix_list(name, domain):
    assert registrable_domain(name) == domain
    assert registrable_domain(f"www.{name}") == domain


def test_fingerprints_are_unsigned_64_bits_and_depend_on_the_key():
    urls = [canonicalize(f"http://example.org/{n}") for n in range(500)]
    prints = {fingerprint(url, key) for url in urls for key in (0, 1, 2**64 - 1)}
    assert len(prints) == 1500
    assert 0 < min(prints) < 2**56
    assert 2**63 < max(prints) < 2**64


def test_no_fingerprint_is_zero(monkeypatch):
    monkeypatch.setattr("crawler.url.xxh3_64_intdigest", lambda data, seed: 0)
    assert fingerprint(canonicalize("http://example.org/"), 7) == 1


def test_globs_know_two_wildcards_and_no_others():
    assert glob_to_regex("a*.b?[c]") == r"^a.*\.b.\[c\]$"
