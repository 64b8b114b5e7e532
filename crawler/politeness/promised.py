"""Which pages has a budget been promised to, so that others get what is left of it?

In a refresh of what is due: the pages of the generation before that were chosen, as many as the budget allows. Pages
that are new, or had no content, may start only where that leaves every promise its slot; until then they are put off,
for longer the more of them there are. Where hosts have a budget of their own, they wait until all promises are kept:
how many pages of each host are promised, nobody counts. Only budgets of pages are promised.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.models import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crawler.models import Request

_WAIT_S = 1.0
_MORE_S = 0.001  # for each that was put off already
_LONGEST_S = 300.0


class Promised:
    """The promises of one run.

    Args:
        left: How many are stored, from earlier runs, and not kept.
        known: Whether those are all; if not, `all_known` says so.
    """

    def __init__(self, left: int, *, known: bool) -> None:
        self._left = left  # those under way included
        self._under_way = 0
        self._put_off = 0
        #: whether more may be made: until then nobody else gets anything, and nothing is spent
        self.expected = not known

    def made(self, requests: Iterable[Request]) -> None:
        """These are new; some of them are promises."""
        self._left += sum(map(is_promised, requests))

    def all_known(self) -> None:
        """No more will be made."""
        self.expected = False

    def begin(self, request: Request) -> None:
        """A page is started."""
        self._under_way += is_promised(request)

    def end(self, request: Request, *, again: bool) -> None:
        """A started page has ended, or will be started again."""
        if is_promised(request):
            self._under_way -= 1
            self._left -= not again

    def void(self, requests: Iterable[Request]) -> None:
        """These end without having been started."""
        self._left -= sum(map(is_promised, requests))

    def wait_s(self, request: Request, free: float, per_host: int | None) -> float:
        """For how long a page has to wait, of which so many more may be started; 0 if it need not."""
        if is_promised(request):
            return 0.0
        is_free = free > self._left - self._under_way if per_host is None else not self._left
        if is_free and not self.expected:
            return 0.0
        self._put_off += 1
        return min(_WAIT_S + _MORE_S * self._put_off, _LONGEST_S)


def is_promised(request: Request) -> bool:
    """Whether it is a page that had content in the generation before, and is to be visited."""
    known = request.known
    return known is not None and known.has_content and known.skip is None and request.kind is Kind.PAGE
