"""What is taken from page records, by a worker, in the one pass over them? All that the kernels need, into files.

See `layout` for what these are.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self

import msgspec
import numpy as np
from msgspec import Meta
from xxhash import xxh3_64_intdigest

from crawler.mining.decoding import decoded
from crawler.mining.layout import PAGE, file
from crawler.mining.linking import Link, Links
from crawler.mining.tasks import Answer
from crawler.url import Url, host_key

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from crawler.mining.tasks import Task
    from crawler.mining.texts import Words


_BATCH_BYTES = 1 << 20
"""Of page records at once. Each word of a batch is looked at once: with less, again and again; more, and what is looked
up does not fit a processor's cache (8 MiB: a third slower)."""


class _Page(msgspec.Struct, gc=False):
    """What is read of a line; see `crawler.extract.record.PageRecord`."""

    url: Annotated[str, Meta(pattern="^https?://[^/]+/")]
    content_digest: str | None
    lang: str | None
    lang_detected: str | None
    word_count: int | None
    fingerprint: Annotated[str, Meta(pattern="^[0-9a-f]{16}$")] | None


class _WithText(_Page, gc=False):
    text: str | None


class _WithLinks(_Page, gc=False):
    links: tuple[Link, ...] | None


class _WithBoth(_WithText, gc=False):
    links: tuple[Link, ...] | None


def read_pages(task: Task) -> Answer:
    """Read a part of pages.jsonl.

    Raises:
        CrawlerError: It cannot be read, or a line of it is no record.
    """
    part = task.part
    with Pages(task) as pages:
        held, held_bytes = list[_Page](), 0
        for records, n_bytes in decoded(part, pages.kind, "page record"):
            held += records
            held_bytes += n_bytes
            if held_bytes >= _BATCH_BYTES:
                pages.add(held)
                held, held_bytes = [], 0
        pages.add(held)
    if part.is_spooled:
        Path(part.path).unlink()
    return Answer(part=part.number, counts=dict(pages.counts), hosts=tuple(pages.hosts))


class Pages:
    """The pages of one part. A context manager, which writes its files."""

    def __init__(self, task: Task) -> None:
        self._folder, self._number = task.folder, task.part.number
        has_words = not {"near", "keywords"}.isdisjoint(task.wants)
        has_links = "links" in task.wants
        #: what a line is decoded to
        self.kind: type[_Page] = (
            (_WithBoth if has_links else _WithText) if has_words else (_WithLinks if has_links else _Page)
        )
        self.counts = Counter(pages=0, texts=0, linking=0)
        #: their numbers in the part are their places here
        self.hosts: dict[str, int] = {}
        self._hosts: dict[str, int] = {}  # by what stands in URLs for them
        self._languages: dict[tuple[int, str | None, str | None], list[int]] = {}
        self._words = _words(task) if has_words else None
        self._links = Links(task) if has_links else None

    def __enter__(self) -> Self:
        self._rows = file(self._folder, self._number, "pages").open("wb")
        self._urls = file(self._folder, self._number, "urls").open("wb")
        if self._words:
            self._words.__enter__()
        if self._links:
            self._links.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for inner in (self._links, self._words):
            if inner:
                inner.__exit__(kind, error, at)
        self._rows.close()
        self._urls.close()
        if self._links:
            self.counts["links"] = self._links.count
        if error is None:
            rows = [(*key, *counts) for key, counts in self._languages.items()]
            file(self._folder, self._number, "languages").write_bytes(msgspec.json.encode(rows))

    def add(self, pages: Sequence[_Page]) -> None:
        """Take in some."""
        rows = np.zeros(len(pages), PAGE)
        urls = [page.url for page in pages]
        lines = [f"{url}\n".encode() for url in urls]
        rows["url"] = np.fromiter(map(xxh3_64_intdigest, (line[:-1] for line in lines)), np.uint64, len(urls))
        rows["bytes"] = np.fromiter(map(len, lines), np.uint32, len(lines))
        rows["host"] = np.fromiter(map(self._host, urls), np.uint32, len(urls))
        rows["content"] = [_hash(page.content_digest) for page in pages]
        rows["fingerprint"] = [int(page.fingerprint or "0", 16) for page in pages]
        rows["has_fingerprint"] = [page.fingerprint is not None for page in pages]
        self._speak(pages, rows["host"].tolist())
        if self._words:
            texts = [page.text for page in pages if isinstance(page, _WithText)]
            self.counts["texts"] += len(texts) - texts.count(None)
            rows["text"] = [_hash(text) for text in texts]
            rows["has_sketch"] = self._words.add(["" if text is None else text for text in texts])
        if self._links:
            links = [page.links for page in pages if isinstance(page, _WithLinks | _WithBoth)]
            self.counts["linking"] += len(links) - links.count(None)
            numbers = np.arange(self.counts["pages"], self.counts["pages"] + len(pages), dtype=np.uint64)
            self._links.add(urls, numbers, [some or () for some in links])
        self.counts["pages"] += len(pages)
        self._rows.write(rows.tobytes())
        self._urls.writelines(lines)

    def _host(self, url: str) -> int:
        authority = url.split("/", 3)[2]
        number = self._hosts.get(authority)
        if number is None:
            number = self.hosts.setdefault(host_key(Url(url)), len(self.hosts))
            self._hosts[authority] = number
        return number

    def _speak(self, pages: Sequence[_Page], hosts: Sequence[int]) -> None:
        for page, host in zip(pages, hosts, strict=True):
            key = (host, page.lang_detected, primary(page.lang))
            counts = self._languages.setdefault(key, [0, 0])
            counts[0] += 1
            counts[1] += page.word_count or 0


def _words(task: Task) -> Words:
    from crawler.mining.texts import Words  # noqa: PLC0415 - tokenising is not always asked for

    return Words(task)


def primary(lang: str | None) -> str | None:
    """The language of a tag such as ``en-GB`` (RFC 5646 section 2.2.1); None if it is none."""
    if lang is None:
        return None
    found = lang.replace("_", "-").partition("-")[0].strip().lower()
    return found if 2 <= len(found) <= 3 and found.isascii() and found.isalpha() else None


def _hash(text: str | None) -> int:
    """What stands for a text, or for a digest; 0 without one."""
    return xxh3_64_intdigest(text.encode("utf-8", "surrogatepass")) if text else 0
