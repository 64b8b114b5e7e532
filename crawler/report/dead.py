"""Which URLs are linked to and not there, and from which pages are they linked?

Known when all that failed have been read; then each page is asked whether it links to one of them.
"""

from __future__ import annotations

from bisect import insort

from crawler.report.facts import DeadLink

MAX_FOLLOWED = 20_000
"""Of how many it is found out where they are linked from; 300 bytes each."""
MAX_DEAD, MAX_SOURCES = 200, 5


class _Dead:
    __slots__ = ("found_on_counted", "reason", "sources", "sources_count", "via")

    def __init__(self, reason: str, via: str | None) -> None:
        self.reason = reason
        self.via = via
        self.sources: list[str] = []  # those first in the alphabet
        self.sources_count = 0
        self.found_on_counted = False


class DeadLinks:
    """Those of one crawl."""

    def __init__(self) -> None:
        #: by URL
        self.followed: dict[str, _Dead] = {}
        #: how many there are, seeds nobody links to included
        self.count = 0

    def add(self, url: str, reason: str, via: str | None) -> None:
        """There is one, first found on the page `via`, or by a redirect that this links to; None for a seed."""
        self.count += 1
        if len(self.followed) < MAX_FOLLOWED:
            self.followed[url] = _Dead(reason, via)

    def linked(self, url: str, source: str) -> None:
        """A page links to one of `followed`."""
        dead = self.followed[url]
        dead.sources_count += 1
        if source == dead.via:
            dead.found_on_counted = True
        elif len(dead.sources) < MAX_SOURCES or source < dead.sources[-1]:
            insort(dead.sources, source)
            del dead.sources[MAX_SOURCES:]

    def told(self) -> tuple[DeadLink, ...]:
        """Those that most pages link to."""
        told = [link for url, dead in self.followed.items() if (link := _told(url, dead)).n_linked_from]
        return tuple(sorted(told, key=lambda link: (-link.n_linked_from, link.url))[:MAX_DEAD])

    def unlinked(self) -> int:
        """How many nothing links to: seeds."""
        return sum(not dead.sources_count and dead.via is None for dead in self.followed.values())


def _told(url: str, dead: _Dead) -> DeadLink:
    first = [dead.via] if dead.via is not None else []
    return DeadLink(
        url=url,
        reason=dead.reason,
        linked_from=tuple((first + dead.sources)[:MAX_SOURCES]),
        n_linked_from=dead.sources_count + (dead.via is not None and not dead.found_on_counted),
    )
