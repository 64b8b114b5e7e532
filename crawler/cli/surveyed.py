"""How is what hosts said, and what follows from it, told to a person?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.cli.rows import lines_of
from crawler.extract.robots_match import deciding_rule
from crawler.models import MAX_EXAMPLES, Kind
from crawler.politeness.limits import LimitTable
from crawler.survey.forecast import Forecast, forecast, pages_of, pause_of
from crawler.url import origin, path_and_query
from crawler.wording import counted, delay, meaning, roughly

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from crawler.cli.rows import Row
    from crawler.config import CrawlConfig
    from crawler.politeness.limits import Resolved
    from crawler.survey.facts import HostFacts, RobotsFacts, SitemapFacts
    from crawler.survey.forecast import Pages, Pause

_INDENT = 2


def host_lines(config: CrawlConfig, facts: HostFacts) -> Iterator[str]:
    """What one host said, and how it would be asked."""
    limits = LimitTable(config.limits).resolve(facts.host_key)
    yield facts.host_key
    yield from lines_of(_host(config, facts, limits), _INDENT)


def whole_lines(config: CrawlConfig, hosts: Sequence[HostFacts], *, others: int) -> Iterator[str]:
    """What concerns several hosts, and the whole crawl.

    Args:
        hosts: Those asked.
        others: How many were not.
    """
    rows = [*_shared(config, hosts), ("Time", _whole_time(config, hosts))]
    if others:
        rows.append(("Not asked", counted(others, "other host")))
    yield from lines_of(rows)


def forecast_of(config: CrawlConfig, facts: HostFacts) -> Forecast | None:
    """How long a host would take; None if it cannot be said."""
    limits = LimitTable(config.limits).resolve(facts.host_key)
    pause = pause_of(config, limits, facts.crawl_delay_s, facts.answer_s)
    return forecast(config, limits, pause=pause, answer_s=facts.answer_s, pages=_pages(config, facts))


def _pages(config: CrawlConfig, facts: HostFacts) -> Pages:
    return pages_of(
        config,
        seeds=len(facts.allowed),
        listed=facts.sitemaps.urls,
        more=facts.sitemaps.left > 0,
        followed=_is_followed(config, facts),
    )


def _host(config: CrawlConfig, facts: HostFacts, limits: Resolved) -> Iterator[Row]:
    if facts.unresolved is not None:
        yield "address", f"none ({facts.unresolved})"
        yield "time", _time(config, facts)
        return
    for robots in facts.robots:
        yield from _robots(facts, robots)
    yield from _pace(limits, pause_of(config, limits, facts.crawl_delay_s, facts.answer_s))
    yield "address", _address(facts.addresses)
    yield from _sitemaps(config, facts)
    yield "time", _time(config, facts)


def _robots(facts: HostFacts, robots: RobotsFacts) -> Iterator[Row]:
    """The verdict of one robots.txt on the seeds it is about."""
    seeds = [seed for seed in facts.seeds if origin(seed.url) == robots.origin]
    allowed = {seed.url for seed in facts.allowed}
    refused = [seed for seed in seeds if seed.url not in allowed]
    if robots.missing is not None:
        yield "robots.txt", f"none ({_explained(robots.missing)}): all is allowed"
    elif robots.closed is not None:
        yield "robots.txt", f"out of reach ({_explained(robots.closed)}), which closes all"
    elif not refused:
        yield "robots.txt", "allows the seed" if len(seeds) == 1 else f"allows all of {len(seeds):,} seeds"
    else:
        what = "disallows the seed" if len(seeds) == 1 else f"disallows {len(refused):,} of {len(seeds):,} seeds"
        yield "robots.txt", what
        for seed in refused[:MAX_EXAMPLES]:
            _, pattern = deciding_rule(robots.robots, path_and_query(seed.url)) or (False, "")
            yield "", seed.url
            yield "", f"by Disallow: {pattern}"
    if len(facts.robots) > 1:
        yield "", f"in {robots.origin}/robots.txt"


def _pace(limits: Resolved, pause: Pause) -> Iterator[Row]:
    yield "delay", f"{delay(pause.delay_s)}, from {pause.source}"
    if pause.source != limits.delay_from:
        yield "", f"over {delay(limits.delay_s)} from {limits.delay_from}"
    if limits.jitter_s:
        yield "", f"and up to {delay(limits.jitter_s)} more at random, from {limits.jitter_from}"
    yield "concurrency", f"{limits.concurrency}, from {limits.concurrency_from}"


def _address(addresses: Sequence[str]) -> str:
    if not addresses:
        return "not known here: a proxy looks it up"
    others = f", and {counted(len(addresses) - 1, 'other')}" if len(addresses) > 1 else ""
    return f"{addresses[0]}{others}"


def _sitemaps(config: CrawlConfig, facts: HostFacts) -> Iterator[Row]:
    found = facts.sitemaps
    if not found.known:
        yield "sitemaps", "none named"
        return
    yield "sitemaps", _found(found)
    if found.left:
        yield "", f"{found.left:,} more were not read"
    if found.refused:
        yield "", f"{counted(found.refused, 'URL')} more are out of scope"
    for url, reason in found.failures:
        yield "", f"not {url} ({_explained(reason)})"
    if found.urls and not _is_followed(config, facts):
        yield "", "not taken in, from sitemaps.follow: false"


def _found(found: SitemapFacts) -> str:
    of_all = f"{found.read:,} of {found.known:,}" if found.read < found.known else f"{found.read:,}"
    return f"{counted(found.urls, 'URL')} in {of_all} sitemap{'s' * (found.known != 1)}"


def _time(config: CrawlConfig, facts: HostFacts) -> str:
    if not facts.allowed:
        return "none: nothing of it may be fetched"
    expected = forecast_of(config, facts)
    if expected is not None:
        return f"{_bounded(expected)}: {expected.basis}"
    if _pages(config, facts).number is None:
        return "unknown: neither a sitemap nor a budget says how many pages it has"
    return "unknown: without a delay, how long it takes to answer decides"


def _shared(config: CrawlConfig, hosts: Sequence[HostFacts]) -> Iterator[Row]:
    """Which hosts share an address, and so what it may be asked."""
    at: dict[str, list[HostFacts]] = {}
    for facts in hosts:
        if facts.addresses:
            at.setdefault(facts.addresses[0], []).append(facts)
    table = LimitTable(config.limits)
    for address, there in at.items():
        if len(there) == 1:
            continue
        names = ", ".join(facts.host_key for facts in there[:MAX_EXAMPLES])
        more = f" and {len(there) - MAX_EXAMPLES:,} more" if len(there) > MAX_EXAMPLES else ""
        yield "Address", f"{len(there):,} hosts share {address}: {names}{more}"
        at_once = max(table.at_one_address(table.resolve(facts.host_key)) for facts in there)
        yield "", f"at most {counted(at_once, 'request')} at once in all, from limits.per_address.concurrency"


def _whole_time(config: CrawlConfig, hosts: Sequence[HostFacts]) -> str:
    """The longest of the hosts' times: they are asked beside each other."""
    times = [(forecast_of(config, facts), facts) for facts in hosts if facts.allowed]
    known = [(expected, facts) for expected, facts in times if expected is not None]
    if not times:
        return "none: no seed may be fetched"
    unknown = len(times) - len(known)
    if not known:
        return "unknown, as that of each host is"
    expected, slowest = max(known, key=lambda pair: pair[0].seconds)
    as_long = f"{_bounded(expected)}, as long as {slowest.host_key} takes"
    return f"unknown, as that of {counted(unknown, 'host')} is; of the others {as_long}" if unknown else as_long


def _is_followed(config: CrawlConfig, facts: HostFacts) -> bool:
    return config.sitemaps.follow or any(seed.kind is Kind.SITEMAP for seed in facts.allowed)


def _bounded(expected: Forecast) -> str:
    return f"{expected.bound}{roughly(expected.seconds)}"


def _explained(reason: str) -> str:
    """A reason with what it means, where it does not say that itself."""
    return f"{reason}, {meaning(reason)}" if meaning(reason) else reason
