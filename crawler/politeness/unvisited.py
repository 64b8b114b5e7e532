"""How does a URL end that is not visited this time, whatever its host?"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from crawler.models import Outcome
from crawler.politeness.retry import Finish

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crawler.models import Request


def untouched(request: Request) -> Finish | None:
    """The end of a URL that is not visited this time, as its content is taken to be what it was; None if it is."""
    known = request.known
    return None if known is None or known.skip is None else _unvisited(known.skip, has_page=known.has_page)


def left_to_visit(requests: Sequence[Request]) -> tuple[Sequence[Request], list[tuple[Request, Finish]]]:
    """These without those that an earlier generation has settled already; and those, with the end of each."""
    left = [request for request in requests if request.known is None or request.known.skip is None]
    if len(left) == len(requests):
        return left, []
    return left, [(request, end) for request in requests if (end := untouched(request)) is not None]


@cache
def _unvisited(reason: str, *, has_page: bool) -> Finish:
    """The end of every page that is left out for one reason."""
    return Finish(Outcome.UNCHANGED, reason, has_page=has_page)
