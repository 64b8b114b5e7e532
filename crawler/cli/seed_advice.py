"""Is a seed what its giver meant? Looks, before a crawl begins, at what was typed and at the first lines of files."""

from __future__ import annotations

import re
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from crawler.seeds import likely_file, likely_url, read_seeds

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from crawler.config import UrlsConfig
    from crawler.seeds import Seed

_MOST = 50
"""Items that are looked at; who gives more gives a file."""
_LINES = 3
"""Of a file; if none of them is a seed, it may be something else."""


def seed_remarks(items: Sequence[str], rules: UrlsConfig) -> Iterator[str]:
    """What is odd about items, though it may be meant: a line each.

    Raises:
        ConfigError: A file cannot be read.
    """
    for item in items[:_MOST]:
        path = Path(item)
        if _is_plain_file(path):
            first = list(islice(read_seeds([item], rules=rules), _LINES))
            if not first:
                yield f"{item}: holds no seed; expected a URL or a host a line"
            elif all(seed.url is None for seed in first):
                yield f"{first[0].place}: {first[0].error}{_advice(first[0])}: is this a seed list?"
        elif item != "-" and not _is_there(path):  # a pipe could be read once only
            yield from (f"{seed.error}{_advice(seed)}" for seed in read_seeds([item], rules=rules) if seed.error)
            if "/" not in item and ":" not in item and (near := likely_file(path)) is not None:
                yield f"{item}: is taken for a host; did you mean the file {near}?"


def _is_plain_file(path: Path) -> bool:
    with suppress(OSError):  # longer than a name may be
        return path.is_file()
    return False


def _is_there(path: Path) -> bool:
    with suppress(OSError):
        return path.exists()
    return False


def _advice(seed: Seed) -> str:
    """What the giver of a bad seed may have meant; empty if nobody knows."""
    given = seed.given.strip()
    bare = given.strip("<>\"'")
    if (likely := likely_url(bare)) is not None:
        return f" (did you mean {likely}?)"
    if bare != given:
        return f" (did you mean {bare}?)"
    if re.search(r"\s", given):
        return " (each seed is an argument or a line of its own, and a space in a URL is written %20)"
    if (port := re.search(r":([0-9]+)(?:/|$)", given)) and int(port[1]) > 65535:
        return f" (port {port[1]}: expected at most 65535)"
    if "expected" in (seed.error or ""):
        return ""
    return " (expected a URL such as https://example.org/, a host such as example.org, or a file that exists)"
