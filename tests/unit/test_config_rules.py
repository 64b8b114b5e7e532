from __future__ import annotations

import pytest

from crawler.config import (
    AdaptiveConfig,
    BreakerConfig,
    BudgetConfig,
    CheckpointConfig,
    CrawlConfig,
    FetchConfig,
    LimitsConfig,
    Pace,
    ScopeConfig,
    UrlsConfig,
)
from crawler.config.hosts import address_problem, host_problem, name_problem
from crawler.config.rules import problems
from crawler.units import Duration, Number, Rate, Size


def keys_of(config):
    return [problem.key for problem in problems(config)]


def test_the_defaults_are_right():
    assert keys_of(CrawlConfig()) == []


@pytest.mark.parametrize(
    "text",
    [
        "example.org",
        "*.example.org",
        "localhost",
        "no",
        "xn--mnchen-3ya.de",
        "_dmarc.a-b.org",
        "example.org:8080",
        "*.example.org:8080",
        "192.0.2.1",
        "192.0.2.1:8080",
        "[::1]",
        "[2001:db8::1]:8080",
        "a" * 63 + ".org",
    ],
)
def test_a_host_pattern_is_a_name_a_wildcard_or_an_address(text):
    assert host_problem(text) is None


@pytest.mark.parametrize(
    ("text", "likely"),
    [
        ("Example.ORG", "example.org"),
        ("https://example.org/a/b", "example.org"),
        ("http://example.org:8080/", "example.org:8080"),
        ("example.org.", "example.org"),
        ("example.org:443", "example.org"),
        ("*.münchen.de", "*.xn--mnchen-3ya.de"),
        ("::1", "[::1]"),
        ("[0:0::1]", "[::1]"),
    ],
)
def test_another_spelling_of_a_host_is_refused_with_the_right_one(text, likely):
    assert host_problem(text).endswith(f"(did you mean {likely}?)")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("EXAMPLE.org", "expected lower case, as in canonical URLs (did you mean example.org?)"),
        ("Bücher.de", "expected punycode (xn--), as in canonical URLs (did you mean xn--bcher-kva.de?)"),
        ("[::1]:80", "expected no port 80 or 443, as canonical URLs leave them out (did you mean [::1]?)"),
        ("https://Example.org:80/", "expected a host such as"),
    ],
)
def test_a_host_that_is_only_spelt_otherwise_is_told_how_and_why(text, expected):
    assert host_problem(text).startswith(expected)


def test_a_limit_for_every_host_has_its_own_key():
    [problem] = problems(CrawlConfig(limits=LimitsConfig(hosts={"*": Pace()})))
    assert problem.expected.endswith("; for every host use limits.default")


@pytest.mark.parametrize(
    "text",
    [
        *("10.0.0.0/8", "2001:db8::/32"),
        *("", "*", "*.", "*.*.org", "a.*.org", "*example.org", "a..b", "-a.org", "a b", "a.org:0", "a.org:99999"),
        *("a.org:x", "1.2.3", "256.1.1.1", "*.192.0.2.1", "*.[::1]", "[::g]", "[::1%eth0]", "é\ud800"),
        *("a" * 64 + ".org", "a." * 127 + "org"),
    ],
)
def test_what_no_host_can_be_called_is_refused_without_a_guess(text):
    assert "did you mean" not in host_problem(text)


def test_resolve_takes_names_without_ports():
    assert name_problem("*.test") is None
    assert "did you mean" not in name_problem("127.0.0.1")
    assert [name_problem(text) is None for text in ("a.test:80", "[::1]", "127.0.0.1", "https://a.test")] == [False] * 4


@pytest.mark.parametrize("text", ["127.0.0.1", "127.0.0.1:8080", "::1", "[::1]:8080", "[::1]", "2001:db8::1"])
def test_resolve_leads_to_addresses_with_or_without_port(text):
    assert address_problem(text) is None


@pytest.mark.parametrize(
    "text", ["", "localhost", "127.1", "127.0.0.1:0", "127.0.0.1:99999", "::1%lo", "*.127.0.0.1", "[127.0.0.1]"]
)
def test_resolve_leads_nowhere_else(text):
    assert address_problem(text) is not None


@pytest.mark.parametrize(
    "pattern",
    [
        "*",
        "*/logout*",
        "https://a.org/*",
        "http*",
        "h?tps://*",
        "https://a.org/b",
        "/[?&]sort=/",
        "/^https:/",
        "/[^ü]/",
    ],
)
def test_a_glob_that_can_match_and_an_re2_are_patterns(pattern):
    assert keys_of(CrawlConfig(scope=ScopeConfig(include=(pattern,), exclude=(pattern,)))) == []


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("/private/*", "(did you mean */private/*?)"),
        ("example.org/*", "(did you mean *example.org/*?)"),
        ("", "/RE2/"),
        ("logout", "(did you mean *logout*?)"),
        ("http", "a whole URL, or /RE2/"),
        ("http://", "a whole URL, or /RE2/"),
        ("https://a.org", "(did you mean https://a.org/?)"),
        ("https://A.org/#b", "(did you mean https://a.org/?)"),
        ("*ü*", "percent-encoded"),
        ("/(a/", "missing )"),
        (r"/(?=a)/", "invalid perl operator"),
        (r"/\1/", "invalid escape sequence"),
    ],
)
def test_a_pattern_that_matches_no_url_is_refused(pattern, expected):
    [problem] = problems(CrawlConfig(scope=ScopeConfig(exclude=("*", pattern))))
    assert problem.key == "scope.exclude[1]"
    assert expected in problem.expected


def test_patterns_too_large_for_re2_when_taken_together_are_refused_where_most_of_them_stand():
    halves = tuple(tuple(f"/{n}a{{900}}/" for n in range(start, 120, 2)) for start in (0, 1))
    config = CrawlConfig(scope=ScopeConfig(include=("*", *halves[0]), exclude=halves[1]))
    [problem] = problems(config)
    assert (problem.key, problem.value) == ("scope.include", "61 patterns")
    assert "121, include and exclude, are too large for RE2" in problem.expected


@pytest.mark.parametrize("name", ["a", "a.b_c-d", "2024-01-01", "_x", "münchen", "a" * 100])
def test_a_name_is_safe_as_a_folder(name):
    assert keys_of(CrawlConfig(name=name)) == []


@pytest.mark.parametrize("name", ["", ".", "..", ".a", "-a", "a/b", "a b", "a\n", "a\\b", "a" * 101])
def test_a_name_that_would_not_be_a_safe_folder_is_refused(name):
    assert keys_of(CrawlConfig(name=name)) == ["name"]


@pytest.mark.parametrize("agent", ["", " a", "a\nb", "a\r\nX: y", "é", "a\x7f"])
def test_a_user_agent_is_one_line_of_printable_ascii(agent):
    assert keys_of(CrawlConfig(fetch=FetchConfig(user_agent=agent))) == ["fetch.user_agent"]


@pytest.mark.parametrize("name", ["", "a b", "a:", "é", "Host", "accept-encoding", "USER-AGENT", "Upgrade"])
def test_a_header_that_is_malformed_or_our_own_is_refused(name):
    assert len(keys_of(CrawlConfig(fetch=FetchConfig(headers={name: "x"})))) == 1


@pytest.mark.parametrize(
    ("value", "right"), [("", True), ("a\tb", True), ("a\nb", False), ("a ", False), ("\x00", False)]
)
def test_a_header_value_cannot_begin_another_header(value, right):
    assert (keys_of(CrawlConfig(fetch=FetchConfig(headers={"X-A": value}))) == []) is right


def test_both_sides_of_a_resolve_entry_are_checked():
    assert keys_of(CrawlConfig(fetch=FetchConfig(resolve={"A.test": "b.test"}))) == ['fetch.resolve["A.test"]'] * 2


def test_a_pace_has_a_delay_or_a_rate():
    both = Pace(delay_s=Duration(1), rate_per_s=Rate(1))
    assert keys_of(CrawlConfig(limits=LimitsConfig(default=both, hosts={"a.org": both, "b": both}))) == [
        "limits.default.rate",
        'limits.hosts["a.org"].rate',
        "limits.hosts.b.rate",
    ]


def test_a_delay_may_be_zero_and_a_rate_may_not():
    assert keys_of(CrawlConfig(limits=LimitsConfig(default=Pace(delay_s=Duration(0))))) == []
    assert keys_of(CrawlConfig(limits=LimitsConfig(default=Pace(rate_per_s=Rate(0))))) == ["limits.default.rate"]


def test_memory_holds_at_least_one_body():
    config = CrawlConfig(limits=LimitsConfig(memory_bytes=Size(1)), fetch=FetchConfig(max_body_bytes=Size(2)))
    assert keys_of(config) == ["limits.memory"]


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("-inf")])
def test_a_time_that_would_stop_everything_is_refused(value):
    config = CrawlConfig(
        fetch=FetchConfig(timeout_s=Duration(value)), checkpoint=CheckpointConfig(every_s=Duration(value))
    )
    assert keys_of(config) == ["fetch.timeout", "checkpoint.every"]


def test_a_pause_that_adapts_has_a_sensible_factor_and_limit():
    adaptive = AdaptiveConfig(factor=Number("nan"), max_delay_s=Duration(0))
    keys = keys_of(CrawlConfig(limits=LimitsConfig(adaptive=adaptive)))
    assert keys == ["limits.adaptive.factor", "limits.adaptive.max_delay"]


def test_a_budget_or_rest_of_nothing_is_refused():
    config = CrawlConfig(
        budget=BudgetConfig(bytes=Size(0), time_s=Duration(0)), breaker=BreakerConfig(rest_s=Duration(0))
    )
    assert keys_of(config) == ["budget.bytes", "budget.time", "breaker.rest"]


def test_a_parameter_to_drop_has_a_name():
    assert keys_of(CrawlConfig(urls=UrlsConfig(drop_params=("utm_*", "")))) == ["urls.drop_params[1]"]
