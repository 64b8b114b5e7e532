"""Which links are in one of two crawls only, and which are in both with another text or rel?

A link is known by the page it is on and where it leads. They are taken from links.jsonl, where a crawl wrote that, else
from the records of its pages.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

import msgspec

from crawler.diff.excerpt import beginning, excerpts
from crawler.diff.held import records
from crawler.diff.record import Counts, DiffRecord
from crawler.diff.sorting import Sorter, grouped
from crawler.export.packing import PACKINGS
from crawler.extract.record import LinkLine, LinkRecord
from crawler.models import LINKS, PAGES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from crawler.diff.side import Side

_packing = PACKINGS["zstd"]
_encode = msgspec.json.Encoder().encode
_FIELDS: Final = ("text", "rel")


class _Link(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One link of a page, as it is kept."""

    target: str
    text: str
    rel: str | None


_decode = msgspec.json.Decoder(list[_Link]).decode


def has_links(side: Side) -> bool:
    """Whether a crawl kept the links of its pages."""
    config = side.config
    if config is None or config.export.links:
        return side.has(LINKS) or config is None
    fields = config.extract.fields
    return config.extract.links and (fields is None or "links" in fields)


def link_differences(before: Side, after: Side, counts: Counts) -> Iterator[DiffRecord]:
    """Them in the order of the URLs of their pages; all links are counted in `counts`.

    Raises:
        CrawlerError: A file cannot be read, or holds what is no record.
    """
    with Sorter() as old, Sorter() as new:
        for side, sorter in ((before, old), (after, new)):
            for source, links in _links(side):
                sorter.add(source, _packed(links))
            sorter.release()
        for source, was, now in grouped(old, new):
            first = _unpacked(was)
            if was == now:
                counts.before += len(first)
                counts.after += len(first)
                continue
            second = _unpacked(now)
            counts.before += len(first)
            counts.after += len(second)
            for record in _differences(source, first, second):
                counts.count(record)
                yield record


def _differences(source: str, was: dict[str, _Link], now: dict[str, _Link]) -> Iterator[DiffRecord]:
    """Of one page, in the order in which its links are there; what is removed comes last."""
    for target, link in now.items():
        old = was.get(target)
        if old is None:
            yield DiffRecord(what="link", change="added", url=source, target=target, after=_whole(link))
        elif old != link:
            fields = tuple(name for name in _FIELDS if getattr(old, name) != getattr(link, name))
            shown = {name: excerpts(getattr(old, name), getattr(link, name)) for name in fields}
            yield DiffRecord(
                what="link",
                change="changed",
                url=source,
                target=target,
                fields=fields,
                before={name: both[0] for name, both in shown.items()},
                after={name: both[1] for name, both in shown.items()},
            )
    for target, link in was.items():
        if target not in now:
            yield DiffRecord(what="link", change="removed", url=source, target=target, before=_whole(link))


def _whole(link: _Link) -> dict[str, str | None]:
    return {name: beginning(getattr(link, name)) for name in _FIELDS}


class _Page(msgspec.Struct, gc=False):
    url: str
    links: tuple[LinkRecord, ...] | None = None


def _links(side: Side) -> Iterator[tuple[str, list[_Link]]]:
    """The links of each page that has any."""
    if side.has(LINKS) and (side.config is None or side.config.export.links):
        for source, lines in groupby(records(side, LINKS, LinkLine), _source):
            yield source, [_Link(line.target, line.text, line.rel) for line in lines]
    else:
        for page in records(side, PAGES, _Page):
            if page.links:
                yield page.url, [_Link(link.url, link.text, link.rel) for link in page.links]


def _source(line: LinkLine) -> str:
    return line.source


def _packed(links: Sequence[_Link]) -> bytes:
    return _packing.pack([_encode(links)])


def _unpacked(entries: Iterable[bytes]) -> dict[str, _Link]:
    found: dict[str, _Link] = {}
    for entry in entries:
        unpacker = _packing.unpacker() if _packing.unpacker else None
        assert unpacker is not None  # noqa: S101 - of zstd
        for link in _decode(unpacker.decompress(entry)):
            found.setdefault(link.target, link)
    return found
