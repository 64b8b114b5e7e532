"""What must a configuration satisfy beyond its types?  Pure checks of values that are there, key by key.

They hold for configurations made in Python too. What a host pattern is, `crawler.config.hosts` says.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

from crawler.config import dotted_key
from crawler.config.hosts import address_problem, host_problem, name_problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.config import CrawlConfig, FetchConfig, LimitsConfig, Pace, ScopeConfig, UrlsConfig

_NAME: Final = re.compile(r"\w[\w.-]{0,99}")
#: RFC 9110 sections 5.1 and 5.5, without the obsolete bytes above ASCII
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE: Final = re.compile(r"[!-~](?:[\t -~]*[!-~])?")
_ONE_LINE: Final = "expected printable ASCII on one line, no blanks at its ends"
_OWN_HEADERS: Final = {
    "accept-encoding": "the crawler asks for what it can decode",
    "connection": "the crawler decides it",
    "content-length": "requests have no body",
    "host": "it is the URL's",
    "transfer-encoding": "requests have no body",
    "user-agent": "set fetch.user_agent",
}
_SCHEMES: Final = ("http://", "https://")


class Problem(msgspec.Struct, frozen=True):
    """A value that cannot be used."""

    #: dotted, as `crawler.config.values` writes it
    key: str
    value: str
    expected: str


def problems(config: CrawlConfig) -> Iterator[Problem]:
    """Everything wrong with `config`."""
    if not _NAME.fullmatch(config.name):
        expected = "expected a folder name: at most 100 letters, digits, '_', '-' or '.', the last two not first"
        yield Problem("name", _quoted(config.name), expected)
    yield from _scope(config.scope)
    yield from _urls(config.urls)
    yield from _limits(config.limits, config.fetch)
    yield from _fetch(config.fetch)
    yield from _zeros(config)


def _scope(scope: ScopeConfig) -> Iterator[Problem]:
    for key, patterns in (("include", scope.include), ("exclude", scope.exclude)):
        for position, pattern in enumerate(patterns):
            if expected := _pattern_problem(pattern):
                yield Problem(f"scope.{key}[{position}]", _quoted(pattern), expected)


def _urls(urls: UrlsConfig) -> Iterator[Problem]:
    for position, pattern in enumerate(urls.drop_params):
        if not pattern:
            yield Problem(f"urls.drop_params[{position}]", '""', "expected a name or glob such as utm_*")


def _limits(limits: LimitsConfig, fetch: FetchConfig) -> Iterator[Problem]:
    if limits.memory_bytes < fetch.max_body_bytes:
        expected = f"expected at least fetch.max_body, which is {fetch.max_body_bytes}, or nothing could start"
        yield Problem("limits.memory", str(limits.memory_bytes), expected)
    yield from _pace(limits.default, "limits.default")
    for pattern, pace in limits.hosts.items():
        key = dotted_key("limits.hosts", pattern)
        if problem := host_problem(pattern):
            every = "; for every host use limits.default" if pattern == "*" else ""
            yield Problem(key, _quoted(pattern), problem + every)
        yield from _pace(pace, key)


def _pace(pace: Pace, key: str) -> Iterator[Problem]:
    if pace.delay_s is not None and pace.rate_per_s is not None:
        expected = f"expected rate or delay, not both (delay is {pace.delay_s})"
        yield Problem(f"{key}.rate", str(pace.rate_per_s), expected)
    if pace.rate_per_s is not None and not pace.rate_per_s > 0:
        expected = "expected more than 0; to leave a host alone, put it into scope.exclude"
        yield Problem(f"{key}.rate", str(pace.rate_per_s), expected)


def _fetch(fetch: FetchConfig) -> Iterator[Problem]:
    if not _HEADER_VALUE.fullmatch(fetch.user_agent):
        yield Problem("fetch.user_agent", _quoted(fetch.user_agent), _ONE_LINE)
    for name, value in fetch.headers.items():
        key = dotted_key("fetch.headers", name)
        if problem := _header_name_problem(name):
            yield Problem(key, _quoted(name), problem)
        elif value and not _HEADER_VALUE.fullmatch(value):
            yield Problem(key, _quoted(value), _ONE_LINE)
    for pattern, address in fetch.resolve.items():
        key = dotted_key("fetch.resolve", pattern)
        if problem := name_problem(pattern):
            yield Problem(key, _quoted(pattern), problem)
        if problem := address_problem(address):
            yield Problem(key, _quoted(address), problem)


def _zeros(config: CrawlConfig) -> Iterator[Problem]:
    """Values that stop everything at 0."""
    positive = {
        "fetch.timeout": config.fetch.timeout_s,
        "fetch.connect_timeout": config.fetch.connect_timeout_s,
        "fetch.max_body": config.fetch.max_body_bytes,
        "parse.deadline": config.parse.deadline_s,
        "parse.memory": config.parse.memory_bytes,
        "checkpoint.every": config.checkpoint.every_s,
    }
    for key, value in positive.items():
        if not value > 0:
            yield Problem(key, str(value), "expected more than 0")


def _pattern_problem(pattern: str) -> str | None:
    """Why `pattern` could not be compiled, or never match a URL."""
    if len(pattern) > 2 and pattern.startswith("/") and pattern.endswith("/"):
        return _expression_problem(pattern[1:-1])
    literal = re.split(r"[*?]", pattern, maxsplit=1)[0]
    if any(scheme.startswith(literal) or literal.startswith(scheme) for scheme in _SCHEMES) and pattern:
        return None
    hint = f" (did you mean *{pattern}?)" if pattern else ""
    return f"expected a glob that can match a whole URL, or /RE2/{hint}"


def _expression_problem(expression: str) -> str | None:
    import re2  # noqa: PLC0415 - only configurations with expressions pay for it

    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(expression, options)
    except re2.error as error:
        return f"expected a regular expression as RE2 knows it: {error.args[0].decode(errors='replace')}"
    return None


def _header_name_problem(name: str) -> str | None:
    if not _HEADER_NAME.fullmatch(name):
        return "expected a header name as in RFC 9110: letters, digits and !#$%&'*+-.^_`|~"
    if reason := _OWN_HEADERS.get(name.lower()):
        return f"expected any header but this one: {reason}"
    return None


def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()
