"""Which keywords do hosts have? The lines of host_keywords.jsonl."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crawler.mining.files import HostKeywords
from crawler.mining.keywords import Hosts
from crawler.mining.layout import file
from crawler.mining.telling import keywords

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from crawler.mining.table import Table


def host_rows(folder: Path, table: Table, top: int) -> Iterator[HostKeywords]:
    """Them, hosts with the most pages first; of what workers left of each part."""
    hosts = Hosts()
    for part in table.parts:
        hosts.merge(Hosts.decode(file(folder, part, "host_terms").read_bytes()))
    found = hosts.keywords(top)
    pages = dict(zip(table.hosts, np.bincount(table.host_of, minlength=len(table.hosts)).tolist(), strict=True))
    for host in sorted(found, key=lambda host: (-pages[host], host)):
        yield HostKeywords(host=host, pages=pages[host], keywords=keywords(found[host]))
