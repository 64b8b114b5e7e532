"""Which configuration suits a site, and why? Settings with the evidence for each, from what was seen of it. Pure."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from crawler.politeness.limits import LimitTable
from crawler.survey.forecast import forecast, pages_of, pause_of
from crawler.survey.shapes import TRACKING, VIEWS, action, is_calendar
from crawler.traps.shapes import choices
from crawler.url import Url, host, host_key, path_and_query, registrable_domain
from crawler.wording import counted, delay, duration, roughly

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from crawler.config import CrawlConfig
    from crawler.survey.look import SiteFacts

FIRST_PAGES: Final = 1_000
"""Of a site whose size nobody knows, or that would take longer than `LONG_S`."""
LONG_S: Final = 3_600.0
_CALENDAR: Final = re.compile(r"[^/]*(?:calend|kalend|agenda)[^/]*|cal", re.IGNORECASE)
_PLAIN: Final = re.compile(r"[\w./~%-]+", re.ASCII)


class Setting(NamedTuple):
    """One key and what is proposed for it."""

    #: one or several names, outermost first
    key: tuple[str, ...]
    value: Any
    #: sentences
    why: tuple[str, ...]
    #: whether it is to be in force; else it is shown for who may want it
    is_active: bool = True


def settings_of(facts: SiteFacts, config: CrawlConfig) -> list[Setting]:
    """What is proposed, in the order of a configuration; rules aside.

    Args:
        facts: What was seen.
        config: What it was looked at with; its pace is the least that is proposed.
    """
    links = _links(facts)
    found = [*_scope(facts, links), *_excluded(links), *_urls(links), *_budget(facts, config), *_pace(facts, config)]
    return [*found, *_sitemaps(facts)]


def _links(facts: SiteFacts) -> list[Url]:
    """All links seen, in scope or not, each once."""
    return list(
        dict.fromkeys(link for seen in facts.pages for link in (*seen.links, *(one.url for one in seen.page.links)))
    )


def _scope(facts: SiteFacts, links: Sequence[Url]) -> Iterator[Setting]:
    home = host(facts.start.url)
    domain = registrable_domain(home)
    own = sum(host(link) == home for link in links)
    others = Counter(host(link) for link in links if host(link) != home and registrable_domain(host(link)) == domain)
    if not others:
        why = (f"{counted(own, 'link')} to {home} were seen, and none to another host of {domain}",)
        yield Setting(("scope", "stay_on"), "host", why)
    else:
        which = f"Links to other hosts of {domain}: {others.total():,}, such as to {others.most_common(1)[0][0]}"
        wide = others.total() > own
        then = "more than to this one" if wide else "not followed; domain would follow them"
        yield Setting(("scope", "stay_on"), "domain" if wide else "host", (f"{which}; {then}",))
    path = path_and_query(facts.start.url).partition("?")[0]
    folder = path[: path.rindex("/") + 1]
    if folder.count("/") > 1 and _PLAIN.fullmatch(folder):
        glob = f"{facts.start.url[: len(facts.start.url) - len(path_and_query(facts.start.url))]}{folder}*"
        yield Setting(
            ("scope", "include"), [glob], (f"To keep to what is below {folder}, where you began",), is_active=False
        )


def _excluded(links: Sequence[Url]) -> Iterator[Setting]:
    """Links to what is no page to read, as far as any were seen."""
    patterns: dict[str, str] = {}
    doing = [(name, link) for link in links if (name := action(link)) is not None]
    for name, times in Counter(name for name, _ in doing).items():
        example = next(link for each, link in doing if each == name)
        patterns[f"/\\/{re.escape(name)}([/?]|$)/"] = f"{name}: to act on, not to read; {_seen(times, example)}"
    for name in VIEWS:
        with_it = [link for link in links if any(key.lower() == name for key, _ in choices(link))]
        if with_it:
            patterns[f"/[?&]{re.escape(name)}=/"] = (
                f"{name}=: the same things in another view; {_seen(len(with_it), with_it[0])}"
            )
    calendars = [link for link in links if is_calendar(link)]
    for glob, times in Counter(filter(None, map(_calendar_glob, calendars))).items():
        patterns[glob] = f"a calendar, which goes on for ever; {_seen(times, calendars[0])}"
    if patterns:
        yield Setting(("scope", "exclude"), list(patterns), tuple(patterns.values()))


def _calendar_glob(url: Url) -> str | None:
    path, query, _ = path_and_query(url).partition("?")
    if not _PLAIN.fullmatch(path):
        return None
    if query and not _CALENDAR.search(path):
        return f"*{path}?*"
    segments = path.split("/")
    named = next((at for at, segment in enumerate(segments) if _CALENDAR.fullmatch(segment)), None)
    return None if named is None else f"*{'/'.join(segments[: named + 1])}/*"


def _urls(links: Sequence[Url]) -> Iterator[Setting]:
    dull = Counter(name for link in links for name, _ in choices(link) if TRACKING.fullmatch(name))
    if dull:
        names = ["utm_*" if name.lower().startswith("utm_") else name for name in dull]
        why = (
            f"Parameters that tell where a visitor came from, or who it is, and lead to no other page: {dull.total():,}"
        )
        yield Setting(("urls", "drop_params"), list(dict.fromkeys(names)), (why,))


def _budget(facts: SiteFacts, config: CrawlConfig) -> Iterator[Setting]:
    found = facts.host.sitemaps
    limits = LimitTable(config.limits).resolve(host_key(facts.start.url))
    pause = pause_of(config, limits, facts.host.crawl_delay_s, facts.answer_s)
    pages = pages_of(config, seeds=1, listed=found.urls, more=found.left > 0, followed=True)
    expected = forecast(config, limits, pause=pause, answer_s=facts.answer_s, pages=pages)
    if found.urls and expected is not None:
        why = (
            f"Its sitemaps list {counted(found.urls, 'URL')}: {expected.bound}{roughly(expected.seconds)} at this pace"
        )
        if found.left:
            why += f", and {counted(found.left, 'sitemap')} more were not read"
        if expected.seconds <= LONG_S and not found.left:
            yield Setting(("budget", "pages"), 100, (why, "To begin with a few"), is_active=False)
            return
    else:
        why = "No sitemap says how many pages it has"
    on = "crawl --resume --max-pages N goes on after it"
    yield Setting(("budget", "pages"), FIRST_PAGES, (why, f"So it stops after {FIRST_PAGES:,} pages at first; {on}"))


def _pace(facts: SiteFacts, config: CrawlConfig) -> Iterator[Setting]:
    asked_s, crawl_delay_s = (
        LimitTable(config.limits).resolve(host_key(facts.start.url)).delay_s,
        facts.host.crawl_delay_s,
    )
    took = f"it answered in {duration(facts.answer_s) if facts.answer_s >= 0.05 else 'under 0.1 s'} on average"
    if crawl_delay_s > asked_s:
        why = f"robots.txt asks for {delay(crawl_delay_s)} between two requests (Crawl-delay); {took}"
    elif crawl_delay_s:
        why = f"robots.txt asks for no more than {delay(crawl_delay_s)} (Crawl-delay); {took}"
    else:
        missing = next((file.missing for file in facts.host.robots if file.missing), None)
        what = f"there is no robots.txt ({missing})" if missing else "robots.txt asks for no pause"
        why = f"Between two requests: {what}; {took}"
    yield Setting(("limits", "default", "delay"), delay(max(asked_s, crawl_delay_s)), (why,))


def _sitemaps(facts: SiteFacts) -> Iterator[Setting]:
    found = facts.host.sitemaps
    if not found.known:
        none = "robots.txt names none, and there is none at /sitemap.xml"
        yield Setting(("sitemaps", "follow"), value=False, why=(none,))
    elif facts.unnamed_sitemap:
        why = "robots.txt names none; the one at /sitemap.xml is in seeds.txt"
        yield Setting(("sitemaps", "follow"), value=False, why=(why,))
    else:
        of_all = counted(found.read, "sitemap") if found.read == found.known else f"{found.read:,} of {found.known:,}"
        why = f"robots.txt names them: {counted(found.urls, 'URL')} in {of_all}"
        yield Setting(("sitemaps", "follow"), bool(found.urls), (why,))


def _seen(times: int, what: str) -> str:
    return f"seen {times:,} times, {what}" if times != 1 else f"seen once, {what}"
