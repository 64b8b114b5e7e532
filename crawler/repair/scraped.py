"""Which pages have lost something that was scraped of them, where a rule's file is damaged?

A page's own line does not tell what rules found on it. But lines stand in all files in the order in which pages ended.
So of a damaged file the lines before the damage count, and pages that ended before the last one they are of have all
their lines; that one is fetched again, and all after it that the rule can be for, by their URLs. Those that ended
otherwise than as pages, as JSON and XML do, likewise. What is said here of rules holds for bodies that were kept, and
files.jsonl.
"""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from crawler.export.outcomes import OutcomeRecord
from crawler.extract.record import PageRecord
from crawler.frontier.seen import Seen
from crawler.models import OUTCOMES, PAGES, Outcome, Url
from crawler.repair.salvage import Reading, salvage
from crawler.rule_states import recounted
from crawler.sinks import BUILT_IN, FILES, REJECTS, is_late, rejects_of
from crawler.url import fingerprint

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from crawler.renames import OutputFiles
    from crawler.repair.salvage import Salvaged


class ScrapedLine(msgspec.Struct, frozen=True):
    """What every line has that a rule, or a function of the user's, made of a page."""

    url: str = msgspec.field(name="_url")


class KeptLine(msgspec.Struct, frozen=True):
    """What every line of files.jsonl has."""

    url: str


_Line = ScrapedLine | KeptLine


class _Damage(NamedTuple):
    """A file that has lost lines."""

    trusted: Seen  #: fingerprints of URLs that have a line before the damage
    last: int  #: of the last of them, which may have lost some; 0 for none


class _Limit(NamedTuple):
    """Up to where the lines of pages.jsonl or outcomes.jsonl can stay."""

    sink: str  #: that has lost lines
    line: int  #: number of the last that may, from 0
    last: int  #: the fingerprint of the one URL that may not, whatever its line


class Scraped:
    """What was scraped, as far as it is there.

    Args:
        files: Of the crawl, not open.
        key: Of fingerprints.
        committed: Lengths by sink; None where they are not known, so that whatever is there counts.
        can_give: Whether a sink, by name, can have lines of a URL; all can by default.
    """

    def __init__(
        self,
        files: OutputFiles,
        key: int,
        committed: Mapping[str, int] | None = None,
        can_give: Callable[[str, str], bool] = lambda *_: True,
    ) -> None:
        self._files = files
        self._key = key
        self._committed = committed
        self._can_give = can_give
        self.names = [name for name in files.paths if name not in BUILT_IN and (committed is None or name in committed)]
        self._limits: dict[str, list[_Limit]] = {PAGES: [], OUTCOMES: []}
        self._lines = {PAGES: -1, OUTCOMES: -1}  # the number of the last line that was asked about
        #: fingerprints of the URLs that have to be fetched again
        self.lost = Seen()

    async def look(self, is_known: Callable[[int], bool] = lambda _: True) -> None:
        """Find out what is damaged. Call it first.

        Args:
            is_known: Whether a fingerprint is that of a URL that has ended.
        """
        for name in self.names:
            damage = await self._damage(name, is_known)
            if damage:
                for held, kind in ((PAGES, PageRecord), (OUTCOMES, OutcomeRecord)):
                    self._limits[held].append(await self._limit(name, held, kind, damage))

    def page_stays(self, record: PageRecord | None) -> bool:
        """Whether all that was scraped of the next page is there; to be asked of each line in order."""
        return self._stays(PAGES, record)

    def outcome_stays(self, record: OutcomeRecord | None) -> bool:
        """The same of the lines of outcomes.jsonl."""
        return self._stays(OUTCOMES, record)

    async def salvaged(self, has: Callable[[Sequence[str]], Awaitable[Sequence[bool]]]) -> dict[str, Salvaged]:
        """What stays of each file: the lines of URLs that have ended.

        Args:
            has: Which of some URLs have.
        """

        async def judge(records: Sequence[_Line | None]) -> list[bool]:
            ended = iter(await has([record.url for record in records if record is not None]))
            return [record is not None and next(ended) for record in records]

        found = {}
        for name in self.names:
            if not self._is_unmade(name):
                found[name] = await salvage(self._files, name, _kind(name), judge, self._end(name))
        return found

    def health(self, found: Mapping[str, Salvaged]) -> bytes:
        """What is known of how rules fared, from what stays."""
        rules = [name for name in self.names if name != FILES and not name.endswith(REJECTS)]
        kept = {name: found[name].kept if name in found else 0 for name in self.names}
        return recounted({rule: kept[rule] for rule in rules}, {rule: kept.get(rejects_of(rule), 0) for rule in rules})

    def _end(self, name: str) -> int | None:
        return None if self._committed is None else self._committed[name]

    def _is_unmade(self, name: str) -> bool:
        """Whether there is no file, as nothing was ever to be written to it as far as is known."""
        return is_late(name) and not self._end(name) and not self._files.paths[name].exists()

    def _stays(self, held: str, record: PageRecord | OutcomeRecord | None) -> bool:
        self._lines[held] += 1
        limits = self._limits[held]
        if record is None or not limits or not _may_be_scraped(record):
            return True
        number, asked = self._lines[held], self._fingerprint(record.url)
        if all(
            (number <= limit.line and asked != limit.last) or not self._can_give(limit.sink, record.url)
            for limit in limits
        ):
            return True
        self.lost.add(asked)
        return False

    async def _damage(self, name: str, is_known: Callable[[int], bool]) -> _Damage | None:
        """What is left of a file that is damaged; None if it is not."""
        if self._is_unmade(name):
            return None
        end = self._end(name)
        reading: Reading[_Line] = Reading(self._files.paths[name], _kind(name), end)
        trusted, last = Seen(), 0
        async with aclosing(reading.blocks()) as blocks:
            async for _, records in blocks:
                for record in records:
                    found = 0 if record is None else self._fingerprint(record.url)
                    if not found or not is_known(found):
                        return _Damage(trusted, last)
                    trusted.add(found)
                    last = found
        is_short = reading.cut[0] != end if end is not None else reading.missing or reading.is_torn
        return _Damage(trusted, last) if is_short or (reading.damage and not reading.missing) else None

    async def _limit(
        self, name: str, held: str, kind: type[PageRecord] | type[OutcomeRecord], damage: _Damage
    ) -> _Limit:
        number = line = -1
        end = None if self._committed is None else self._committed.get(held, 0)
        reading = Reading(self._files.paths[held], kind, end)
        async with aclosing(reading.blocks()) as blocks:
            async for _, records in blocks:
                for record in records:
                    number += 1
                    if record is not None and self._fingerprint(record.url) in damage.trusted:
                        line = number
        return _Limit(name, line, damage.last)

    def _fingerprint(self, url: str) -> int:
        return fingerprint(Url(url), self._key)


def _may_be_scraped(record: PageRecord | OutcomeRecord) -> bool:
    return isinstance(record, PageRecord) or record.outcome is Outcome.FETCHED


def _kind(name: str) -> type[_Line]:
    return KeptLine if name == FILES else ScrapedLine
