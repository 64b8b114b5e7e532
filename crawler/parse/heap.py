"""How much memory does a worker keep for its next page?

All that its usual pages need: giving it back and faulting it in again takes a quarter of the CPU of a page (see
`server`). A page of megabytes, though, leaves a heap that no other page fills: what it has freed goes back to the
kernel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.heap import Heap

if TYPE_CHECKING:
    from crawler.models import Page, ParseFailure, Request, Response
    from crawler.parse.entry import PageFunction

_LARGE_BYTES = 32 * 1024  # of a body as it came, perhaps packed: after a smaller one, looking is not worth its time
_SPARE_BYTES = 24 * 1024**2  # a page of 100 KB needs 5 to 10 MB


def frugal(page: PageFunction) -> PageFunction:
    """`page`, after which this process gives back what it will hardly use."""
    heap = Heap(_SPARE_BYTES)

    def work(request: Request, response: Response) -> Page | ParseFailure:
        result = page(request, response)
        if len(response.body) >= _LARGE_BYTES and heap.is_loose():
            heap.trim()
        return result

    return work
