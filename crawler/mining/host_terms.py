"""Which keywords do hosts have? The lines of host_keywords.jsonl."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crawler.mining.files import HostKeywords
from crawler.mining.host_keywords import host_hash, host_keywords, named
from crawler.mining.telling import TERMS, keywords, want_spelling

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from crawler.mining.host_keywords import Host
    from crawler.mining.table import Table


def host_terms(folder: Path, parts: Sequence[int], top: int) -> dict[int, Host]:
    """The terms of hosts, from what workers left, by the hash of a host's name; asks for their spelling."""
    found = {host.host: host for host in host_keywords(folder, [f"{part}.{TERMS}" for part in parts], top)}
    want_spelling(folder, {term for host in found.values() for term in host.terms})
    return found


def host_rows(table: Table, found: Mapping[int, Host], spelling: dict[int, str]) -> Iterator[HostKeywords]:
    """Their lines, hosts with the most pages first."""
    pages = np.bincount(table.host_of, minlength=len(table.hosts)).tolist()
    for number in sorted(range(len(pages)), key=lambda number: (-pages[number], table.hosts[number])):
        name = table.hosts[number]
        if (host := found.get(host_hash(name))) is not None:
            yield HostKeywords(host=name, pages=pages[number], keywords=keywords(named(host, pages[number], spelling)))
