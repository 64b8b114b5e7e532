"""What is kept of two crawls' URLs, so that they can be met in order? The ending, what counts of the page, its items.

Each file is read once. Of a page it is digests, and what they are of only where somebody wants to see it; so sorting
takes some 200 bytes a page on the disk, and with texts about a quarter of pages.jsonl.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

import msgspec

from crawler.dataset.endings import Ending
from crawler.diff.content import TEXT, Compared, Content, digests, values
from crawler.diff.sorting import Sorter, grouped
from crawler.errors import CrawlerError
from crawler.export.packing import PACKINGS
from crawler.models import PAGES
from crawler.sinks import FILES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from crawler.diff.items import Rule
    from crawler.diff.side import Side

T = TypeVar("T")

_ENDING, _PAGE, _FILE, _ITEM = b"e", b"p", b"f", b"i"
_SMALL_BYTES: Final = 400  # what is shorter is hardly packed
_packing = PACKINGS["zstd"]
_to_bytes = msgspec.msgpack.Encoder().encode


class HeldPage(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What counts of a page record."""

    at: str  #: `fetched_at`
    fingerprint: str | None
    digests: tuple[int, ...]  #: in the order of `Compared.fields`
    packed: bytes = b""  #: what they are of, for `unpacked`; empty if nobody wants to see it


class Held(NamedTuple):
    """What one crawl has of a URL."""

    ending: Ending | None  #: None where the crawl does not know it, or no store is left to ask
    page: HeldPage | None
    file_digest: str  #: of a body that was stored; empty for none
    items: dict[int, list[bytes]]  #: number of a rule -> its lines


class Wanted(NamedTuple):
    """What is looked at."""

    compared: Compared
    rules: Sequence[Rule] = ()
    files: bool = False
    with_values: bool = False


def met(before: Side, after: Side, wanted: Wanted) -> Iterator[tuple[str, Held, Held]]:
    """Each URL that one of two crawls knows, in the order of URLs, with what both have of it.

    Raises:
        CrawlerError: A file cannot be read, or holds what is no record.
    """
    with Sorter() as old, Sorter() as new:
        for side, sorter in ((before, old), (after, new)):
            _take_in(side, sorter, wanted)
            sorter.release()
        for url, was, now in grouped(old, new):
            yield url, _held(was), _held(now)


def _take_in(side: Side, into: Sorter, wanted: Wanted) -> None:
    for url, ending in side.endings():
        into.add(url, _ENDING + _to_bytes(ending))
    for page in records(side, PAGES, Content):
        found = values(page, wanted.compared)
        packed = _packed(_shown(page, found, wanted.compared)) if wanted.with_values else b""
        kept = HeldPage(page.fetched_at, page.fingerprint, digests(found), packed)
        into.add(page.url, _PAGE + _to_bytes(kept))
    if wanted.files:
        for file in records(side, FILES, _File):
            into.add(file.url, _FILE + file.content_digest.encode())
    for number, rule in enumerate(wanted.rules):
        for line, item in lined(side, rule.name, _Item):
            into.add(item.url, _ITEM + number.to_bytes(2, "big") + line)


def records(side: Side, sink: str, kind: type[T]) -> Iterator[T]:
    """The records of a sink, typed.

    Raises:
        CrawlerError: One of them is none; names its line.
    """
    decoder = msgspec.json.Decoder(kind)
    done = 0
    for block in side.blocks(sink):
        try:
            found = decoder.decode_lines(block)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            yield from _one_by_one(side, sink, block, decoder.decode, done)
            raise
        yield from found
        done += len(found)


def lined(side: Side, sink: str, kind: type[T]) -> Iterator[tuple[bytes, T]]:
    """The lines of a sink, each with its record. Errors as for `records`."""
    decode = msgspec.json.Decoder(kind).decode
    for number, line in enumerate(side.lines(sink), 1):
        with naming(side, sink, number):
            record = decode(line)
        yield line, record


@contextmanager
def naming(side: Side, sink: str, number: int) -> Iterator[None]:
    """Raise what is wrong with a line as `CrawlerError` with its place."""
    try:
        yield
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CrawlerError(f"{side.place(sink)}:{number}: not a record of {sink}: {error}") from error


def unpacked(page: HeldPage) -> tuple[Any, ...]:
    """What the digests are of: the text in full, as it was written."""
    data = page.packed[1:]
    if page.packed[:1] == b"z":
        unpacker = _packing.unpacker() if _packing.unpacker else None
        assert unpacker is not None  # noqa: S101 - of zstd
        data = unpacker.decompress(data)[:-1]
    return tuple(msgspec.msgpack.decode(data))


class _File(msgspec.Struct, gc=False):
    url: str
    content_digest: str


class _Item(msgspec.Struct, gc=False):
    url: str = msgspec.field(name="_url")


def _shown(page: Content, found: Sequence[Any], by: Compared) -> list[Any]:
    """The values, with the text itself where fingerprints are compared."""
    return [page.text if name == TEXT else value for name, value in zip(by.fields, found, strict=True)]


def _packed(found: Sequence[Any]) -> bytes:
    data = _to_bytes(found)
    return b"-" + data if len(data) < _SMALL_BYTES else b"z" + _packing.pack([data])


def _one_by_one(side: Side, sink: str, block: bytes, decode: Callable[[bytes], T], done: int) -> Iterator[T]:
    """The records of a block in which something is wrong, up to that."""
    for number, line in enumerate(block[:-1].split(b"\n"), done + 1):
        with naming(side, sink, number):
            record = decode(line)
        yield record


_ending = msgspec.msgpack.Decoder(Ending).decode
_page = msgspec.msgpack.Decoder(HeldPage).decode


def _held(entries: Sequence[bytes]) -> Held:
    ending, page, digest = None, None, ""
    items: dict[int, list[bytes]] = {}
    for entry in entries:
        match entry[:1]:
            case b"e":
                ending = _ending(entry[1:])
            case b"p":
                page = _page(entry[1:])
            case b"f":
                digest = entry[1:].decode()
            case _:
                items.setdefault(int.from_bytes(entry[1:3], "big"), []).append(entry[3:])
    return Held(ending, page, digest, items)
