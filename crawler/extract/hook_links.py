"""Which links does a user's own function add? They pass the scope and the page's wishes as rules' links do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.extract.rule_links import Judging

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crawler.extract.links import Hyperlinks
    from crawler.extract.rule_follow import Followed
    from crawler.extract.targets import PageTargets
    from crawler.models import Link, Refusal


def links_of_function(
    followed: Sequence[Followed],
    links: tuple[Link, ...],
    targets: PageTargets,
    hyperlinks: Hyperlinks | None,
    *,
    nofollow: bool,
) -> tuple[tuple[Link, ...], tuple[Refusal, ...]]:
    """All links to follow, and what is kept out of those of the function.

    Args:
        followed: What the function yields. Its priority and what it carries count, of a link that is there already too.
        links: What is followed without it.
        targets: What hrefs on the page mean.
        hyperlinks: Of an HTML page.
        nofollow: Whether the page asks that none be followed.
    """
    judging = Judging(targets, hyperlinks, nofollow=nofollow)
    judging.follow(followed)
    found = {link.url: link for link in links} | judging.found
    return tuple(found.values()), judging.refused.refusals()
