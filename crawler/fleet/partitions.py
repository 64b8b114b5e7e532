"""Which partition is a host in?

By the registrable domain, so that ``a.example.org`` and ``b.example.org``, which are likely to be one server, are asked
by one worker; private suffixes such as ``github.io`` are divided like any other.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from xxhash import xxh3_64_intdigest

from crawler.url import registrable_domain

if TYPE_CHECKING:
    from crawler.models import HostKey

PARTITIONS = 4096
"""How many a crawl has, fixed when it is begun: enough for hundreds of workers, few enough to lease one by one."""

_REMEMBERED = 100_000


@lru_cache(_REMEMBERED)
def partition_of(host_key: HostKey, partitions: int = PARTITIONS) -> int:
    """The partition of a host, with or without a port: a number below `partitions`, the same on every machine."""
    host = host_key if host_key[-1] == "]" else host_key.rpartition(":")[0] or host_key
    return xxh3_64_intdigest(registrable_domain(host).encode()) % partitions
