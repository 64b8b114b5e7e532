"""How fast would a host be asked, and how long would it take? Before a crawl, from what is known of the host then.

Pure. What a crawl that is under way will still take is for `eta` to say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from crawler.politeness.limits import adaptive_of
from crawler.wording import counted, delay

if TYPE_CHECKING:
    from crawler.config import CrawlConfig
    from crawler.politeness.limits import Resolved


class Pause(NamedTuple):
    """The least time between the starts of two requests."""

    delay_s: float
    #: what makes it so long: ``limits.default.delay``, ``Crawl-delay of robots.txt``
    source: str


class Forecast(NamedTuple):
    """How long a host would take."""

    seconds: float
    #: how that is to be taken: ``~``, ``over `` or ``at most ``
    bound: str
    #: from what it is estimated
    basis: str


class Pages(NamedTuple):
    """How many pages of a host would be fetched."""

    #: None if nobody can say
    number: int | None
    bound: str = "~"
    basis: str = ""


def pause_of(config: CrawlConfig, limits: Resolved, crawl_delay_s: float, answer_s: float) -> Pause:
    """The pause in force at a host.

    Args:
        config: With ``robots.max_crawl_delay`` and ``limits.adaptive``.
        limits: What the configuration says of the host.
        crawl_delay_s: What its robots.txt asks for; 0 if nothing.
        answer_s: How long it took to answer; 0 if unknown.
    """
    pauses = [Pause(limits.delay_s, limits.delay_from)]
    longest_s = config.robots.max_crawl_delay_s
    if config.robots.obey and longest_s:
        source = "Crawl-delay of robots.txt"
        if crawl_delay_s > longest_s:
            source = f"robots.max_crawl_delay, as its robots.txt asks for {delay(crawl_delay_s)}"
        pauses.append(Pause(min(crawl_delay_s, longest_s), source))
    adaptive = adaptive_of(config.limits)
    if adaptive is not None and limits.delay_s > 0:
        slow = f"limits.adaptive, {adaptive.factor} times its answer time of {delay(answer_s)}"
        pauses.append(Pause(min(adaptive.factor * answer_s, adaptive.max_delay_s), slow))
    return max(pauses, key=lambda pause: pause.delay_s)  # of equal ones the first


def pages_of(config: CrawlConfig, *, seeds: int, listed: int, more: bool, followed: bool) -> Pages:
    """How many pages of a host would be fetched.

    Its sitemaps say how large a site is, whether they are followed or links lead to the same pages.

    Args:
        config: With ``scope.max_depth`` and its budgets.
        seeds: How many of them may be fetched.
        listed: URLs in the host's sitemaps.
        more: Whether it has more sitemaps than those.
        followed: Whether what they list is taken in.
    """
    pages = Pages(None)
    if listed and (followed or config.scope.max_depth != 0):
        pages = Pages(listed, "over " if more else "~", f"{counted(listed, 'URL')} in its sitemaps")
    elif config.scope.max_depth == 0:
        pages = Pages(seeds, "~", counted(seeds, "seed"))
    own, all_hosts = config.budget.pages_per_host, config.budget.pages
    if own is not None and (pages.number is None or pages.number > own):
        bound = "at most " if pages.number is None else "~"
        pages = Pages(own, bound, f"{counted(own, 'page')} (budget.pages_per_host)")
    if all_hosts is not None and (pages.number is None or pages.number > all_hosts):
        pages = Pages(all_hosts, "at most ", f"{counted(all_hosts, 'page')} (budget.pages)")  # others take of it, too
    return pages


def forecast(config: CrawlConfig, limits: Resolved, *, pause: Pause, answer_s: float, pages: Pages) -> Forecast | None:
    """How long it would take to fetch so many pages of a host; None if it cannot be said.

    Where there is no pause, or a shorter one than it takes to answer, `answer_s` counts (0 if unknown).
    """
    paused_s = pause.delay_s + limits.jitter_s / 2 if pause.delay_s else 0.0
    apart_s = max(paused_s, answer_s / limits.concurrency)
    most_s = config.budget.time_s
    if pages.number is None or not apart_s:
        return None if most_s is None else Forecast(most_s, "at most ", "budget.time")
    seconds = pages.number * apart_s
    if most_s is not None and seconds > most_s:
        return Forecast(most_s, "~" if pages.bound == "over " else pages.bound, "budget.time")
    return Forecast(seconds, pages.bound, f"{pages.basis}, {delay(apart_s)} apart")
