"""What has the crawl brought lately, and how have its URLs ended? Learnt from checkpoints, and bounded.

Lines of records are kept as they are and read when somebody looks, so that a crawl nobody looks at pays for none.
"""

from __future__ import annotations

import logging
from collections import Counter, deque
from itertools import islice
from typing import TYPE_CHECKING, Final

import msgspec

from crawler.clock import rfc3339
from crawler.models import PAGES, Outcome
from crawler.sinks import REJECTS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

    from crawler.checkpoint import Committed
    from crawler.models import Finished

log = logging.getLogger(__name__)

SHOWN: Final = 25  #: of each kind
MAX_LINE: Final = 64 * 1024
"""Bytes of a line that is read for its title or its fields; of a longer one only its URL is shown."""

_MAX_RULES: Final = 12
_MAX_FIELDS: Final = 6
_MAX_TITLE, _MAX_URL, _MAX_VALUE = 200, 500, 120


class RecentPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page that was committed lately."""

    at: str  #: RFC 3339, UTC
    url: str
    status: int | None
    title: str | None = None
    elapsed_s: float | None = None


class RecentFailure(msgspec.Struct, frozen=True, kw_only=True):
    """A URL that failed lately."""

    at: str  #: RFC 3339, UTC
    url: str
    reason: str
    status: int | None
    attempts: int
    via: str | None


class RecentItem(msgspec.Struct, frozen=True, kw_only=True):
    """A record that a rule took of a page lately."""

    rule: str
    url: str
    fields: tuple[tuple[str, str], ...] = ()  #: the first few, values as text


class Recent:
    """Watches what each checkpoint makes durable.

    Args:
        rules: Sinks of scraped records.
        ended: URLs by how and why they have ended so far, the reason empty for none.
    """

    def __init__(self, rules: Sequence[str], ended: Mapping[tuple[Outcome, str], int] | None = None) -> None:
        self.ended: Counter[tuple[Outcome, str]] = Counter(ended or {})
        #: records by sink, of this run
        self.records = dict.fromkeys(rules, 0)
        self._pages: deque[tuple[Finished, bytes]] = deque(maxlen=SHOWN)
        self._failures: deque[Finished] = deque(maxlen=SHOWN)
        shown = [rule for rule in rules if not rule.endswith(REJECTS)][:_MAX_RULES]
        self._items: dict[str, deque[bytes]] = {rule: deque(maxlen=max(2, SHOWN // len(shown))) for rule in shown}

    def after(
        self, before: Callable[[Committed], Awaitable[None]] | None, stored: Callable[[], None]
    ) -> Callable[[Committed], Awaitable[None]]:
        """What a crawl calls with each commit: this, then `before`, if somebody watched already.

        Args:
            before: Who watched already.
            stored: Called with each commit.
        """

        async def committed(commit: Committed) -> None:
            try:
                self.saw(commit)
                stored()
            except Exception:  # whoever looks on does not end a crawl
                log.exception("what was committed cannot be shown")
            if before is not None:
                await before(commit)

        return committed

    def saw(self, commit: Committed) -> None:
        """Take in a commit: 0.4 us a URL."""
        with_page: deque[Finished] = deque(maxlen=SHOWN)  # those unchanged are no news, but stand among the lines
        for finished in commit.ended:
            self.ended[finished.outcome, finished.reason or ""] += 1
            if finished.has_page:
                with_page.append(finished)
            elif finished.outcome is Outcome.FAILED:
                self._failures.append(finished)
        lines = commit.lines.get(PAGES, ())[-len(with_page) :] if with_page else ()
        for finished, line in zip(with_page, lines, strict=False):
            if finished.outcome is Outcome.UNCHANGED:
                continue
            self._pages.append((finished, line if len(line) <= MAX_LINE else b""))
        for rule in self.records:
            blocks = commit.lines.get(rule, ())
            self.records[rule] += sum(block.count(b"\n") + 1 for block in blocks)
            if rule in self._items:
                self._take(self._items[rule], blocks)

    def pages(self) -> list[RecentPage]:
        """The latest first."""
        return [_page(finished, line) for finished, line in reversed(self._pages)]

    def failures(self) -> list[RecentFailure]:
        """The latest first."""
        return [
            RecentFailure(
                at=rfc3339(finished.at),
                url=_cut(finished.request.url, _MAX_URL),
                reason=finished.reason or "",
                status=finished.status,
                attempts=finished.attempts,
                via=finished.request.via and _cut(finished.request.via, _MAX_URL),
            )
            for finished in reversed(self._failures)
        ]

    def items(self) -> list[RecentItem]:
        """Of each rule the latest first."""
        return [_item(rule, line) for rule, lines in self._items.items() for line in reversed(lines)]

    @staticmethod
    def _take(items: deque[bytes], blocks: Sequence[bytes]) -> None:
        newest = list(islice(_from_the_end(blocks), items.maxlen))
        items.extend(line if len(line) <= MAX_LINE else b"" for line in reversed(newest))


class _PageLine(msgspec.Struct):
    title: str | None = None
    elapsed_s: float | None = None


_page_decoder = msgspec.json.Decoder(_PageLine)


def _page(finished: Finished, line: bytes) -> RecentPage:
    told = _PageLine()
    if line:
        try:
            told = _page_decoder.decode(line)
        except msgspec.DecodeError:  # a sink of the user's own has other lines
            log.debug("a page's line cannot be read", exc_info=True)
    return RecentPage(
        at=rfc3339(finished.at),
        url=_cut(finished.request.url, _MAX_URL),
        status=finished.status,
        title=told.title and _cut(told.title, _MAX_TITLE),
        elapsed_s=told.elapsed_s,
    )


def _item(rule: str, line: bytes) -> RecentItem:
    try:
        record = msgspec.json.decode(line, type=dict[str, msgspec.Raw]) if line else {}
        url = msgspec.json.decode(record.get("_url", b'""'), type=str)
    except msgspec.DecodeError:
        return RecentItem(rule=rule, url="")
    shown = ((name, bytes(raw)) for name, raw in record.items() if not name.startswith("_"))
    fields = ((_cut(name, _MAX_VALUE), _value(raw)) for name, raw in shown if raw != b"null")
    return RecentItem(rule=rule, url=_cut(url, _MAX_URL), fields=tuple(islice(fields, _MAX_FIELDS)))


def _value(raw: bytes) -> str:
    """A field's value as text: a string as it is, anything else as JSON."""
    return _cut(msgspec.json.decode(raw) if raw.startswith(b'"') else raw.decode(), _MAX_VALUE)


def _from_the_end(blocks: Sequence[bytes]) -> Iterator[bytes]:
    """Lines, the last first; a block has one or, with newlines between them, several."""
    for block in reversed(blocks):
        end = len(block)
        while end >= 0:
            start = block.rfind(b"\n", 0, end) + 1
            yield block[start:end]
            end = start - 1


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
