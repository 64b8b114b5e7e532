"""Of what are the lists in a page record made: headings, images, tables, translations, feeds?"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class Heading(msgspec.Struct, frozen=True, gc=False):
    """One of the elements h1 to h6."""

    #: 1 to 6
    level: Annotated[int, Meta(description="1 to 6")]
    #: as in `PageRecord.h1`
    text: Annotated[str, Meta(description="read as text is, on one line, without a permalink at the end")]


class Image(msgspec.Struct, frozen=True, gc=False):
    """An img element."""

    #: canonical http(s) URL
    url: Annotated[str, Meta(description="canonical http(s) URL: of src, or where that is a placeholder of data-src")]
    #: of the first element with this URL that has one; empty for a decoration
    alt: Annotated[str | None, Meta(description="its alternative text, white space collapsed; null without one")]


class Table(msgspec.Struct, frozen=True, gc=False):
    """A table element of at least two rows or columns."""

    caption: Annotated[str | None, Meta(description="what its caption element says; null without one")]
    #: a cell that spans stands in each place it covers, so that rows are equally long
    rows: Annotated[
        tuple[tuple[str, ...], ...],
        Meta(
            description="the texts of its cells, a list a row; a cell that spans rows or columns stands in each place "
            "it covers, and short rows are filled with empty texts"
        ),
    ]


class Translation(msgspec.Struct, frozen=True, gc=False):
    """A ``<link rel=alternate hreflang>``."""

    lang: Annotated[str, Meta(description="its hreflang attribute as written, such as de-AT or x-default")]
    url: Annotated[str, Meta(description="canonical http(s) URL")]


class Feed(msgspec.Struct, frozen=True, gc=False):
    """A ``<link rel=alternate>`` to a feed."""

    url: Annotated[str, Meta(description="canonical http(s) URL")]
    type: Annotated[str, Meta(description="its media type, such as application/rss+xml")]
    title: Annotated[str | None, Meta(description="its title attribute, white space collapsed")]
