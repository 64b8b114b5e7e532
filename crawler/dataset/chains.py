"""By which way did a crawl come to a URL, and where does it lead?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.dataset.facts import FOUND_ON, REDIRECTED_FROM, UNKNOWN, Ending, Step
from crawler.models import MAX_REDIRECTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.dataset.ledger import Known, KnownUrls


def way_back(store: KnownUrls, known: Known) -> Iterator[Step]:
    """From a URL to the seed it comes from."""
    passed = {known.url}
    while True:
        for url in reversed(known.redirected_from or ()):
            yield Step(how=REDIRECTED_FROM, url=url)
        if known.via is None or known.via in passed:
            return
        yield Step(how=FOUND_ON, url=known.via)
        passed.add(known.via)
        parents = store.read([known.via_id]) if known.via_id else list(store.find([known.via]).values())
        if not parents:
            return
        known = parents[0]


def redirects(store: KnownUrls, known: Known) -> tuple[Ending, ...]:
    """What became of a redirect's target; the last one may be unknown."""
    chain: list[Ending] = []
    passed: set[str] = set()
    while known.target and known.url not in passed and len(chain) < MAX_REDIRECTS:
        passed.add(known.url)
        target = store.find([known.target]).get(known.target)
        if target is None:
            chain.append(Ending(url=known.target, outcome=UNKNOWN))
            break
        chain.append(ending(target))
        known = target
    return tuple(chain)


def ending(known: Known) -> Ending:
    """A URL in short."""
    return Ending(url=known.url, outcome=known.outcome, reason=known.reason, status=known.status)
