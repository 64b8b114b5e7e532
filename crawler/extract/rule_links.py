"""Which links of a page are followed, once rules have had their say? They pass the scope and the rest like any other.

What is kept out is counted: by the scope or the page's own wish as ever, and as ``rules.NAME.follow`` where a rule
follows other links only, ``rules.NAME.skip`` where it skips it, ``rules.NAME.carry`` where more is to be carried than
a link can.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from crawler.extract.links import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crawler.extract.links import Hyperlinks
    from crawler.extract.rule_follow import Followed
    from crawler.extract.rules import Scraped
    from crawler.extract.targets import PageTargets
    from crawler.models import Link, Refusal, Url


def links_by_rules(
    scraped: Scraped, targets: PageTargets, hyperlinks: Hyperlinks | None, *, nofollow: bool
) -> tuple[tuple[Link, ...], tuple[Refusal, ...]]:
    """The links to follow, and what is kept out besides what `hyperlinks` says itself.

    Args:
        scraped: What the rules say.
        targets: What hrefs on the page mean.
        hyperlinks: Of an HTML page.
        nofollow: Whether the page asks that none be followed.
    """
    judging = Judging(targets, hyperlinks, nofollow=nofollow)
    if scraped.follow is None:
        judging.found = {link.url: link for link in (hyperlinks.followed if hyperlinks else ())}
    else:
        judging.follow(scraped.follow)
        for link in hyperlinks.followed if hyperlinks else ():
            if link.url not in judging.found and link.url not in judging.kept_out:
                judging.refused.add(f"rules.{scraped.restricted_by}.follow", link.url)
    for skipped in scraped.skips:
        for url in [url for url in judging.found if url in skipped]:
            del judging.found[url]
            judging.refused.add(f"rules.{skipped.rule}.skip", url)
    return tuple(judging.found.values()), judging.refused.refusals()


class Judging:
    """Judges links that are asked for, one page's."""

    def __init__(self, targets: PageTargets, hyperlinks: Hyperlinks | None, *, nofollow: bool) -> None:
        self._targets = targets
        self._hyperlinks = hyperlinks
        self._nofollow = nofollow
        self.found: dict[Url, Link] = {}
        self.kept_out: set[str] = set()
        self.refused = Refused()

    def follow(self, followed: Iterable[Followed]) -> None:
        """Take in what rules follow: of several that lead to one URL the first, with the most urgent priority."""
        site, folder, resolve = self._targets.site.get, self._targets.folder.get, self._targets.resolve
        for one in followed:
            href = one.href.partition("#")[0]
            target = site(href) or folder(href) or resolve(href)
            link = target.link
            if link is None:
                self._keep_out(href, target.rule or "", is_known=self._hyperlinks is not None)
                continue
            known = self._hyperlinks is not None and self._hyperlinks.has(link.url)
            wish = self._hyperlinks.wish(link.url) if self._hyperlinks is not None else None
            rule = target.rule or wish or ("robots.nofollow" if self._nofollow else None)
            if rule is not None:
                self._keep_out(link.url, rule, is_known=known)
            elif one.context is None:
                self._keep_out(link.url, f"rules.{one.rule}.carry", is_known=False)
            elif link.url not in self.found:
                self.found[link.url] = msgspec.structs.replace(link, priority=one.priority, context=one.context)
            elif one.priority < self.found[link.url].priority:
                self.found[link.url] = msgspec.structs.replace(self.found[link.url], priority=one.priority)

    def _keep_out(self, url: str, rule: str, *, is_known: bool) -> None:
        """Count it once, unless the page's hyperlinks have counted it."""
        if url not in self.kept_out:
            self.kept_out.add(url)
            if not is_known:
                self.refused.add(rule, url)
