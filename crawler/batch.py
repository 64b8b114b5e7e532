"""What has ended since the last checkpoint, and which lines tell of it?

Those of what was fetched are there with its end. Those of what has not changed since an earlier generation are named
only, and read when the checkpoint begins: they may be as large as all that a fast crawl brings, at no cost for each.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, Protocol

from crawler.errors import ExportError
from crawler.models import PAGES, Outcome
from crawler.sinks import FOLDERS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from crawler.models import Finished, Request, Snoozed

_READ_AT_ONCE = 1_000
_UNCHANGED = Outcome.UNCHANGED  # looked up once: an enumeration is slow to ask


class Carrier(Protocol):
    """Where the records lie that an earlier generation made of what has not changed since."""

    async def lines(self, requests: Sequence[Request]) -> Sequence[Sequence[tuple[str, bytes]]]:
        """Of each request, which is `known`, its records as `models.Page.records` has them, read anew each time.

        Raises:
            CrawlerError: They are not there any more, or cannot be read.
        """
        ...


class Told(NamedTuple):
    """What a checkpoint says besides of the whole run."""

    positions: Mapping[str, int]  #: sink name -> length of its file
    counters: Mapping[str, int]  #: running totals
    states: Mapping[str, bytes]  #: of keepers, by name
    is_last: bool  #: whether the run ends with it


class Batch:
    """Results since the last checkpoint. `snoozed` ones are no results yet, but wait for the same commit."""

    def __init__(self) -> None:
        self.finished: list[Finished] = []
        self.snoozed: list[Snoozed] = []
        self.lines: defaultdict[str, list[bytes]] = defaultdict(list)
        #: bytes of `lines`, and of those that `carry` will read
        self.size = 0
        #: ends whose lines are to be read, with the number of page lines before them
        self._carried: list[tuple[int, Finished]] = []
        #: sink -> lines that were carried over, once they are
        self.carried: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self.finished) + len(self.snoozed)

    def add(self, finished: Finished, records: Sequence[tuple[str, bytes]]) -> None:
        """Add an end, and its lines, those aside that an earlier generation has."""
        self.finished.append(finished)
        for name, line in records:
            self.lines[name].append(line)
            self.size += len(line)
        if finished.outcome is _UNCHANGED and (known := finished.request.known) is not None:
            self.size += known.bytes
            if finished.has_page or known.bytes:
                self._carried.append((len(self.lines[PAGES]), finished))

    async def carry(self, carrier: Carrier | None, names: Collection[str]) -> None:
        """Read the lines that are named only, and put each page's among the others, in the order of their ends.

        Args:
            carrier: Reads them.
            names: Of the sinks that are written; lines of others are left out.

        Raises:
            ExportError: There is nobody to read them, or a page has no record, or one too many.
            CrawlerError: They cannot be read.
        """
        if not self._carried:
            return
        if carrier is None:
            raise ExportError(f"{self._carried[0][1].request.url} is as it was, and nothing is there to carry over")
        own = iter(self.lines[PAGES])
        pages: list[bytes] = []
        place = 0
        for start in range(0, len(self._carried), _READ_AT_ONCE):
            some = self._carried[start : start + _READ_AT_ONCE]
            for (before, end), records in zip(some, await carrier.lines([end.request for _, end in some]), strict=True):
                pages += islice(own, before - place)
                place = before
                pages += _page_of(end, records)
                for name, lines in records:
                    if name in names and name != PAGES:
                        self.lines[name].append(lines)
                        self.carried[name] += lines.count(b"\n") + 1
        pages += own
        self.lines[PAGES] = pages
        self._carried = []


class JournaledBatch(Batch):
    """A batch that knows which of its lines are of which end. Carries nothing over."""

    def __init__(self) -> None:
        super().__init__()
        #: for each of `finished`: sink -> bytes of its lines, newlines included; of `FOLDERS` the number of answers
        self.brought: list[dict[str, int]] = []

    def add(self, finished: Finished, records: Sequence[tuple[str, bytes]]) -> None:
        """See `Batch.add`."""
        super().add(finished, records)
        brought: dict[str, int] = {}
        for name, line in records:
            brought[name] = brought.get(name, 0) + (1 if name in FOLDERS else len(line) + 1)
        self.brought.append(brought)


class Journal(Protocol):
    """Told of each end and what it brought, after that is in its files and before the frontier knows of it."""

    async def write(self, batch: Batch, told: Told, *, fsync: bool) -> None:
        """Of all ends of a `JournaledBatch`, in order."""
        ...


def _page_of(end: Finished, records: Sequence[tuple[str, bytes]]) -> list[bytes]:
    """Its line for pages.jsonl, if it has one."""
    lines = [line for name, line in records if name == PAGES]
    if len(lines) != end.has_page:
        expected = "one" if end.has_page else "none"
        raise ExportError(
            f"{end.request.url}: the generation before has {len(lines)} records of it, expected {expected}"
        )
    return lines
