"""What must a configuration satisfy beyond its types?  Pure checks of values that are there, key by key.

They hold for configurations made in Python too. What a host pattern is, `crawler.config.hosts` says, of URL
patterns `crawler.config.patterns`, of headers `crawler.config.headers`; the fetch section has rules of its own in
`crawler.config.rules_fetching`, workers in `crawler.config.rules_fleet`, scraping rules in
`crawler.config.rules_scraping`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from crawler.config.base import dotted_key
from crawler.config.hosts import host_problem
from crawler.config.logins import LOGIN_PROBLEM, has_login, without_login
from crawler.config.manners import AdaptiveConfig
from crawler.config.problem import Problem, quoted
from crawler.config.record_fields import field_problems
from crawler.config.rules_fetching import fetching
from crawler.config.rules_fleet import sharing
from crawler.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.config import CrawlConfig, FetchConfig, LimitsConfig, Pace, ScopeConfig, TrapsConfig, UrlsConfig

_NAME: Final = re.compile(r"\w[\w.-]{0,99}")


def problems(config: CrawlConfig) -> Iterator[Problem]:
    """Everything wrong with `config`."""
    if not _NAME.fullmatch(config.name):
        expected = "expected a folder name: at most 100 letters, digits, '_', '-' or '.', the last two not first"
        yield Problem("name", quoted(config.name), expected)
    for position, seed in enumerate(config.seeds):
        if has_login(seed.strip()):
            yield Problem(f"seeds[{position}]", quoted(without_login(seed.strip())), LOGIN_PROBLEM)
    yield from _scope(config.scope)
    yield from _urls(config.urls)
    yield from _limits(config.limits, config.fetch)
    yield from fetching(config.fetch)
    yield from _traps(config.traps)
    if config.refresh.due > 1:
        yield Problem("refresh.due", str(config.refresh.due), "expected a probability, at most 1")
    yield from _zeros(config)
    yield from sharing(config)
    if config.export.files:
        from crawler.config.filing import filing_problem  # noqa: PLC0415 - only patterns pay for RE2

        for position, pattern in enumerate(config.export.files):
            if problem := filing_problem(pattern):
                yield Problem(f"export.files[{position}]", quoted(pattern), problem)
    yield from field_problems(config.extract)
    if config.extract.rules:
        from crawler.config.rules_scraping import scraping  # noqa: PLC0415 - only rules pay for CSS, JMESPath and RE2

        yield from scraping(config.extract.rules)
    if config.extract.python is not None:
        from crawler.config.function import function_problems  # noqa: PLC0415 - likewise

        yield from function_problems(config.extract)


def _scope(scope: ScopeConfig) -> Iterator[Problem]:
    if not scope.include and not scope.exclude:
        return
    from crawler.config.patterns import pattern_problem, pattern_set  # noqa: PLC0415 - only patterns pay for RE2

    wrong = [
        Problem(f"scope.{key}[{position}]", quoted(pattern), expected)
        for key, patterns in (("include", scope.include), ("exclude", scope.exclude))
        for position, pattern in enumerate(patterns)
        if (expected := pattern_problem(pattern))
    ]
    yield from wrong
    if not wrong:
        try:
            pattern_set([*scope.exclude, *scope.include])
        except ConfigError as error:
            key, patterns = max(("include", scope.include), ("exclude", scope.exclude), key=lambda pair: len(pair[1]))
            yield Problem(f"scope.{key}", f"{len(patterns)} patterns", str(error))


def _traps(traps: TrapsConfig) -> Iterator[Problem]:
    if traps.new_share > 1:
        yield Problem("traps.new_share", str(traps.new_share), "expected a share, at most 1")
    if not traps.allow:
        return
    from crawler.config.patterns import pattern_problem, pattern_set  # noqa: PLC0415 - only patterns pay for RE2

    wrong = [
        Problem(f"traps.allow[{position}]", quoted(pattern), expected)
        for position, pattern in enumerate(traps.allow)
        if (expected := pattern_problem(pattern))
    ]
    yield from wrong
    if not wrong:
        try:
            pattern_set(traps.allow)
        except ConfigError as error:
            yield Problem(
                "traps.allow", f"{len(traps.allow)} patterns", str(error).replace(", include and exclude,", "")
            )


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
            yield Problem(key, quoted(pattern), problem + every)
        yield from _pace(pace, key)


def _pace(pace: Pace, key: str) -> Iterator[Problem]:
    if pace.delay_s is not None and pace.rate_per_s is not None:
        expected = f"expected rate or delay, not both (delay is {pace.delay_s})"
        yield Problem(f"{key}.rate", str(pace.rate_per_s), expected)
    if pace.rate_per_s is not None and not pace.rate_per_s > 0:
        expected = "expected more than 0; to leave a host alone, put it into scope.exclude"
        yield Problem(f"{key}.rate", str(pace.rate_per_s), expected)


def _zeros(config: CrawlConfig) -> Iterator[Problem]:
    """Values that stop everything at 0."""
    positive: dict[str, float | None] = {
        "fetch.timeout": config.fetch.timeout_s,
        "fetch.connect_timeout": config.fetch.connect_timeout_s,
        "fetch.max_body": config.fetch.max_body_bytes,
        "parse.deadline": config.parse.deadline_s,
        "parse.memory": config.parse.memory_bytes,
        "checkpoint.every": config.checkpoint.every_s,
        "log.max_file": config.log.max_file_bytes,
        "budget.bytes": config.budget.bytes,
        "budget.time": config.budget.time_s,
        "breaker.rest": config.breaker.rest_s,
    }
    if isinstance(config.limits.adaptive, AdaptiveConfig):
        if not config.limits.adaptive.factor >= 0:
            yield Problem("limits.adaptive.factor", str(config.limits.adaptive.factor), "expected 0 or more")
        positive["limits.adaptive.max_delay"] = config.limits.adaptive.max_delay_s
    for key, value in positive.items():
        if value is not None and not value > 0:
            yield Problem(key, str(value), "expected more than 0")
