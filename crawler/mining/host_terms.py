"""Which keywords do hosts have? The lines of host_keywords.jsonl."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from crawler.mining.files import HostKeywords
from crawler.mining.host_keywords import HostKeywords as Summed
from crawler.mining.layout import file
from crawler.mining.telling import TERMS, keywords
from crawler.mining.texts import read_counts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from crawler.mining.table import Table


def host_rows(folder: Path, table: Table, top: int) -> Iterator[HostKeywords]:
    """Them, hosts with the most pages first; of what workers left of each part."""
    batches = chain.from_iterable(read_counts(file(folder, part, "counts")) for part in table.parts)
    found = Summed(folder, [f"{part}.{TERMS}" for part in table.parts], batches, top)
    pages = np.bincount(table.host_of, minlength=len(table.hosts)).tolist()
    for number in sorted(range(len(pages)), key=lambda number: (-pages[number], table.hosts[number])):
        name = table.hosts[number]
        if terms := found.of(name, pages[number]):
            yield HostKeywords(host=name, pages=pages[number], keywords=keywords(terms))
