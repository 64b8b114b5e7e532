"""Which links do page records hold, as the lines that links.jsonl would have? For crawls that did not write it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from crawler.dataset.fields import BAD_LINES, fields_of
from crawler.errors import CrawlerError
from crawler.models import LINKS
from crawler.tables.columns import kinds_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from crawler.tables.catalog import Table

_objects = msgspec.json.Decoder(list[dict[str, msgspec.Raw]] | None).decode
_NULL = b"null"
_FIELDS = (("url", b',"target":'), ("text", b',"text":'), ("rel", b',"rel":'))


def links_table(pages: Table) -> Table:
    """The links that are in the records of `pages`, as a table of their own."""
    return pages._replace(name=LINKS, kinds=kinds_of(LINKS, ()), is_closed=False, made=_links)


def _links(lines: Iterable[bytes], path: Path) -> Iterator[bytes]:
    """A line for each link.

    Raises:
        CrawlerError: A line of `lines`, or what it has under ``links``, is no record; names it.
    """
    for number, line in enumerate(lines, 1):
        try:
            record = fields_of(line)
            links = _objects(record.get("links", _NULL))
        except BAD_LINES as error:
            raise CrawlerError(f"{path}:{number}: not a page record: {error}") from error
        source = b'{"source":' + bytes(record.get("url", _NULL))
        for link in links or ():
            parts = (head + bytes(link.get(field, _NULL)) for field, head in _FIELDS)
            yield source + b"".join(parts) + b"}"
