"""Which languages do the pages of each host have? The lines of languages.jsonl."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from crawler.mining.files import Language
from crawler.mining.layout import file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

_Row = tuple[int, str | None, str | None, int, int]


def language_rows(folder: Path, parts: Iterable[tuple[int, Sequence[str]]]) -> Iterator[Language]:
    """Them: hosts by pages, languages of a host by pages.

    Args:
        folder: Where workers left what they counted.
        parts: Of the page records, each with the names of its hosts.
    """
    found: dict[tuple[str, str | None, str | None], list[int]] = {}
    of_hosts: dict[str, int] = {}
    for part, hosts in parts:
        rows = msgspec.json.decode(file(folder, part, "languages").read_bytes(), type=list[_Row])
        for number, detected, declared, pages, words in rows:
            host = hosts[number]
            counts = found.setdefault((host, detected, declared), [0, 0])
            counts[0] += pages
            counts[1] += words
            of_hosts[host] = of_hosts.get(host, 0) + pages
    order = sorted(found, key=lambda key: (-of_hosts[key[0]], key[0], -found[key][0], key[1] or "", key[2] or ""))
    for host, detected, declared in order:
        pages, words = found[host, detected, declared]
        yield Language(host=host, lang_detected=detected, lang=declared, pages=pages, words=words)
