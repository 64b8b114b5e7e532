"""What did a crawl write? Its records, typed, streamed in the order they were committed.

The one reader of a crawl directory. A crawl that is still running may be read: a last line that is not whole yet
is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec

from crawler.directory import CrawlDirectory
from crawler.errors import CrawlerError
from crawler.export.outcomes import OutcomeRecord, SeedRecord
from crawler.extract.record import PageRecord

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

T = TypeVar("T")


def pages(directory: Path) -> Iterator[PageRecord]:
    """The page records of the crawl in `directory`.

    Raises:
        CrawlerError: There is no such file, or a line of it is not a page record; names the line.
    """
    return _typed(CrawlDirectory(directory).pages, PageRecord)


def outcomes(directory: Path) -> Iterator[OutcomeRecord]:
    """How each URL ended that has no page record. Errors as for `pages`."""
    return _typed(CrawlDirectory(directory).outcomes, OutcomeRecord)


def seeds(directory: Path) -> Iterator[SeedRecord]:
    """What became of each seed. Errors as for `pages`."""
    return _typed(CrawlDirectory(directory).seeds, SeedRecord)


def _typed(path: Path, kind: type[T]) -> Iterator[T]:
    decoder = msgspec.json.Decoder(kind)
    number = 0
    try:
        with path.open("rb") as file:
            for line in file:
                number += 1
                if line.endswith(b"\n"):
                    yield decoder.decode(line)
    except OSError as error:
        raise CrawlerError(f"{path}: cannot be read: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise CrawlerError(f"{path}:{number}: not a {kind.__name__}: {error}") from error
