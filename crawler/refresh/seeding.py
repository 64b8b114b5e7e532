"""Which URLs does a refresh begin with? All that the generation before knew, whatever came of them, then the seed list.

They are admitted as fast as the seeds of any crawl, in the order in which they were found: sitemaps first, then, once
these have ended, all others, each with what is known of it. So what a page that has not changed leads to is there
already. A checkpoint stores how far it has come; what was admitted and not yet stored is admitted again, and is then
no longer new.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

import msgspec

from crawler.frontier.draft import Extra
from crawler.known import Known
from crawler.models import Kind, Request
from crawler.url import HostKey, Url, canonicalize, host_key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from crawler.config import UrlsConfig
    from crawler.refresh.base import Base, BaseUrl
    from crawler.seedlist import SeedList

_AT_ONCE = 1_000
_PLAIN = Extra()


class Selection(Protocol):
    """What of the generation before is visited."""

    async def settled(self) -> None:
        """Return once sitemaps have said what they have to say."""
        ...

    def reads_anew(self, kind: Kind) -> bool:
        """Whether URLs of a kind are read in full, changed or not."""
        ...

    def skip(self, url: BaseUrl) -> str | None:
        """Why a URL is not visited, of `reasons.REASONS`; None if it is. Called in a thread."""
        ...


class Place(msgspec.Struct, frozen=True):
    """How far a checkpoint knows it to have come."""

    sitemaps: int = 0  #: ids up to this are admitted, as far as they are of sitemaps
    pages: int = 0
    done: bool = False  #: whether that is all of them


class RefreshSeeds:
    """What a refresh begins with. A `checkpoint.Keeper`.

    Args:
        base: The generation before.
        own: The crawl's own seed list.
        selection: What is visited.
        carries: Whether what has not changed may be taken over: if not, all is read anew.
        urls: How URLs are spelled now, if that was otherwise before.
    """

    def __init__(
        self, base: Base, own: SeedList, selection: Selection, *, carries: bool, urls: UrlsConfig | None = None
    ) -> None:
        self._base = base
        self._own = own
        self._selection = selection
        self._carries = carries
        self._urls = urls
        self._place = Place()

    def restore(self, state: bytes) -> None:
        """Go on where a checkpoint left it."""
        self._place = msgspec.json.decode(state, type=Place) if state else Place()

    def state(self) -> bytes:
        """How far it has come."""
        return msgspec.json.encode(self._place)

    async def sync(self, *, fsync: bool) -> None:
        """It has no file."""

    async def requests(self) -> AsyncIterator[list[Request]]:
        """All of them, in batches. Call it once.

        Raises:
            CrawlerError: The generation before cannot be read, or as for `SeedList.requests`.
        """
        async for batch, last in self._known(Kind.SITEMAP, self._place.sitemaps):
            yield batch
            self._place = msgspec.structs.replace(self._place, sitemaps=last)
        await self._selection.settled()
        async for batch, last in self._known(Kind.PAGE, self._place.pages):
            yield batch
            self._place = msgspec.structs.replace(self._place, pages=last)
        self._place = msgspec.structs.replace(self._place, done=True)
        async for batch in self._own.requests():
            yield batch

    async def _known(self, kind: Kind, after: int) -> AsyncIterator[tuple[list[Request], int]]:
        while True:
            requests, last = await asyncio.to_thread(self._batch, kind, after)
            if not last:
                return
            yield requests, last
            after = last

    def _batch(self, kind: Kind, after: int) -> tuple[list[Request], int]:
        urls = self._base.batch(after, _AT_ONCE, kind)
        return self._requests(urls), urls[-1].id if urls else 0

    def _requests(self, urls: Sequence[BaseUrl]) -> list[Request]:
        return [self._request(url) for url in urls]

    def _request(self, url: BaseUrl) -> Request:
        extra = url.extra or _PLAIN
        spelled, key = Url(url.url), HostKey(url.host)
        if self._urls is not None:
            spelled = canonicalize(spelled, rules=self._urls)
            key = host_key(spelled)
        return Request(
            url=spelled,
            host_key=key,
            scope_host=url.scope_host,
            depth=url.depth,
            via=url.via,
            seed=url.seed,
            kind=extra.kind,
            priority=url.priority,
            redirected_from=extra.redirected_from,
            context=extra.context,
            known=self._known_of(url),
        )

    def _known_of(self, url: BaseUrl) -> Known:
        has_other = url.has_content and not url.has_page
        if not self._carries or not url.has_content or self._selection.reads_anew(url.kind):
            return Known(id=url.id, has_page=url.has_page, has_other=has_other, at=url.visited_at)
        return Known(
            id=url.id,
            has_page=url.has_page,
            has_other=has_other,
            bytes=url.bytes or 0,
            etag=None if url.is_cut else url.etag,
            last_modified=None if url.is_cut else url.last_modified,
            digest=(url.digest or "") if url.has_page else "",
            at=url.visited_at,
            since=_seconds(url.fetched_at),
            skip=self._selection.skip(url),
        )


def _seconds(fetched_at: str | None) -> float:
    """Wall time of a record; 0.0 where there is none that tells."""
    return datetime.fromisoformat(fetched_at).timestamp() if fetched_at else 0.0
