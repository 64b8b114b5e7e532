"""How much memory does a worker keep for its next page?

All that its usual pages need: giving it back and faulting it in again takes a quarter of the CPU of a page (see
`server`). A page of megabytes, though, leaves a heap that no other page fills: what it has freed goes back to the
kernel.
"""

from __future__ import annotations

import ctypes
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crawler.models import Page, ParseFailure, Request, Response
    from crawler.parse.entry import PageFunction

_LARGE_BYTES = 32 * 1024  # of a body as it came, perhaps packed: after a smaller one, looking is not worth 2 us
_SPARE_BYTES = 24 * 1024**2  # a page of 100 KB needs 5 to 10 MB


def frugal(page: PageFunction) -> PageFunction:
    """`page`, after which this process gives back what it will hardly use. Only glibc can, and only Linux tells."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is None:
        return page
    statm = os.open("/proc/self/statm", os.O_RDONLY)
    page_bytes = os.sysconf("SC_PAGE_SIZE")

    def resident() -> int:
        return int(os.pread(statm, 100, 0).split()[1]) * page_bytes

    limit = resident() + _SPARE_BYTES

    def work(request: Request, response: Response) -> Page | ParseFailure:
        nonlocal limit
        result = page(request, response)
        if len(response.body) >= _LARGE_BYTES and resident() > limit:
            trim(0)
            limit = resident() + _SPARE_BYTES  # what is left is in use, and is not gone through again for every page
        return result

    return work
