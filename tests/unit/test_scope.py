from __future__ import annotations

import pickle

import pytest

from crawler.config import ScopeConfig
from crawler.errors import ConfigError
from crawler.scope import Scope
from crawler.url import Url, canonicalize, host


def refusal(config, url, *, scope_host="example.org", depth=1):
    return Scope(config).refusal(canonicalize(url), scope_host, depth)


def test_a_scope_without_rules_keeps_to_the_host():
    assert refusal(ScopeConfig(), "http://example.org/a", depth=1000) is None
    assert refusal(ScopeConfig(), "http://www.example.org/") == "scope.stay_on: host"
    assert refusal(ScopeConfig(), "http://other.example/") == "scope.stay_on: host"


def test_stay_on_host_looks_at_neither_scheme_nor_port():
    assert refusal(ScopeConfig(), "https://example.org:8080/") is None
    assert refusal(ScopeConfig(), "https://[::1]:8080/", scope_host="[::1]") is None


@pytest.mark.parametrize(
    ("scope_host", "url", "admitted"),
    [
        ("www.example.co.uk", "http://shop.example.co.uk/", True),
        ("www.example.co.uk", "http://example.co.uk:81/", True),
        ("www.example.co.uk", "http://other.co.uk/", False),
        ("me.github.io", "http://you.github.io/", False),
        ("127.0.0.1", "http://126.0.0.1/", False),
        ("127.0.0.1", "http://127.0.0.1/", True),
        ("localhost", "http://other/", False),
    ],
)
def test_stay_on_domain_compares_what_was_registered(scope_host, url, admitted):
    expected = None if admitted else "scope.stay_on: domain"
    assert refusal(ScopeConfig(stay_on="domain"), url, scope_host=scope_host) == expected


def test_stay_on_any_admits_every_host():
    assert refusal(ScopeConfig(stay_on="any"), "http://other.example/") is None


def test_the_deepest_allowed_link_enters_and_no_deeper_one():
    config = ScopeConfig(max_depth=3)
    assert refusal(config, "http://example.org/", depth=3) is None
    assert refusal(config, "http://example.org/", depth=4) == "scope.max_depth: 3"
    assert refusal(ScopeConfig(max_depth=0), "http://example.org/", depth=1) == "scope.max_depth: 0"


@pytest.mark.parametrize(
    ("pattern", "url", "matches"),
    [
        ("*/logout*", "http://example.org/a/logout?b", True),
        ("*/logout", "http://example.org/logout?b", False),
        ("http://example.org/?", "http://example.org/a", True),
        ("http://example.org/?", "http://example.org/ab", False),
        ("http*.php", "http://example.org/xphp", False),
        ("*[ab]*", "http://example.org/a", False),
        ("https://*", "http://example.org/https://", False),
        (r"/\.pdf$/", "http://example.org/a.pdf", True),
        (r"/\.pdf$/", "http://example.org/a.pdf?b", False),
        ("/(?i)PDF/", "http://example.org/a.pdf", True),
        ("/^example/", "http://example.org/", False),
    ],
)
def test_patterns_match_the_canonical_url(pattern, url, matches):
    excluded = f"scope.exclude: {pattern}" if matches else None
    assert refusal(ScopeConfig(exclude=(pattern,)), url) == excluded
    assert refusal(ScopeConfig(include=(pattern,)), url) == (None if matches else "scope.include")


def test_the_first_exclude_that_matches_is_named_and_wins_over_include():
    config = ScopeConfig(include=("*a*",), exclude=("*zz*", "/c/", "*b*", "*b*c*"))
    assert refusal(config, "http://example.org/abc") == "scope.exclude: /c/"
    assert refusal(config, "http://example.org/ab") == "scope.exclude: *b*"
    assert refusal(config, "http://example.org/a") is None


def test_one_matching_include_is_enough():
    config = ScopeConfig(include=("*/a/*", "*/b/*"))
    assert refusal(config, "http://example.org/b/") is None
    assert refusal(config, "http://example.org/c/") == "scope.include"


def test_rules_are_asked_in_their_documented_order():
    config = ScopeConfig(max_depth=1, exclude=("*/x",), include=("*/y",))
    assert refusal(config, "http://other.example/x", depth=2) == "scope.max_depth: 1"
    assert refusal(config, "http://other.example/x") == "scope.stay_on: host"
    assert refusal(config, "http://example.org/x") == "scope.exclude: */x"
    assert refusal(config, "http://example.org/z") == "scope.include"


def test_seeds_face_patterns_only():
    scope = Scope(ScopeConfig(max_depth=0, include=("*/a*",), exclude=("*b*",)))
    assert scope.seed_refusal(canonicalize("http://anything.example/a")) is None
    assert scope.seed_refusal(canonicalize("http://example.org/ab")) == "scope.exclude: *b*"
    assert scope.seed_refusal(canonicalize("http://example.org/")) == "scope.include"


@pytest.mark.parametrize("stay_on", ["host", "domain", "any"])
def test_a_page_answers_like_the_scope_however_often_it_is_asked(stay_on):
    scope = Scope(ScopeConfig(stay_on=stay_on, exclude=("*b",), max_depth=2))
    urls = [canonicalize(f"http://{name}/{path}") for name in ("a.test", "b.a.test", "c.test") for path in "ab"] * 2
    for depth in (2, 3):
        page = scope.for_page("a.test", depth)
        answers = [page.refusal(url, host(url)) for url in urls]
        assert answers == [scope.refusal(url, "a.test", depth) for url in urls]


@pytest.mark.parametrize(
    ("pattern", "wrong"),
    [
        ("/a(b/", "missing )"),
        (r"/(a)\1/", "invalid escape"),
        ("/private/*", "match a whole URL"),
        ("http", "match a whole URL"),
        ("*/müller*", "percent-encoded"),
    ],
)
def test_a_pattern_that_cannot_work_is_named(pattern, wrong, capfd):
    for config in (ScopeConfig(exclude=("*", pattern)), ScopeConfig(include=(pattern,))):
        with pytest.raises(ConfigError) as raised:
            Scope(config)
        assert repr(pattern) in str(raised.value)
        assert wrong in str(raised.value)
    assert capfd.readouterr().err == ""


def test_patterns_too_large_for_re2_are_refused_rather_than_ignored():
    with pytest.raises(ConfigError, match="too large"):
        Scope(ScopeConfig(exclude=tuple(f"/{n}a{{900}}/" for n in range(120))))


def test_hundreds_of_patterns_are_matched_at_once():
    config = ScopeConfig(exclude=tuple(f"*/section-{n}/*" for n in range(500)))
    assert refusal(config, "http://example.org/section-499/a") == "scope.exclude: */section-499/*"
    assert refusal(config, "http://example.org/section-500/a") is None


def test_a_hostile_url_costs_linear_time():
    config = ScopeConfig(exclude=("*a*a*a*a*a*a*a*a*a*a*b",))
    assert refusal(config, f"http://example.org/{'a' * 16_000}") is None


def test_workers_can_build_the_scope_from_its_configuration():
    config = pickle.loads(pickle.dumps(ScopeConfig(exclude=("*/a*",))))
    assert refusal(config, "http://example.org/a") == "scope.exclude: */a*"


@pytest.mark.parametrize("stay_on", ["host", "domain"])
def test_verdicts_stay_right_past_what_is_remembered(stay_on):
    scope = Scope(ScopeConfig(stay_on=stay_on))
    for number in range(1_100):
        page = scope.for_page(f"h{number}.test", 1)
        assert page.refusal(Url("http://other.test/"), "other.test") == f"scope.stay_on: {stay_on}"
    for number in range(1_100):
        assert page.refusal(Url("http://other.test/"), f"h{number}.example") == f"scope.stay_on: {stay_on}"
        assert page.refusal(Url("http://h1099.test/"), "h1099.test") is None


def test_pages_whose_links_fare_alike_share_their_rules():
    scope = Scope(ScopeConfig(max_depth=2))
    assert scope.for_page("a.test", 1) is scope.for_page("a.test", 2)
    assert scope.for_page("a.test", 2) is not scope.for_page("a.test", 3)
    assert scope.for_page("a.test", 2) is not scope.for_page("b.test", 2)
