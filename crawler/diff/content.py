"""What of a page counts when it is compared with what it was, and in which of that do two records differ?

What readers see: title, description, headings of the first level, main text, language and canonical URL. Not what a
server, a date or a neighbour moves: links, times, digests of bytes, counts, boilerplate. Of a text, white space does
not count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
from xxhash import xxh3_64_intdigest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crawler.config import CrawlConfig

TEXT: Final = "text"
FIELDS: Final = ("title", "description", "h1", TEXT, "lang", "canonical")
"""Those that count, in the order in which they are told."""

BODY: Final = "body"
"""Stands for the bytes of content that is no page."""
PAGE: Final = "page"
"""Stands for the page itself where it has become other content, or that a page."""


class Compared(NamedTuple):
    """What two crawls both tell of their pages."""

    fields: tuple[str, ...] = FIELDS
    #: whether texts are compared by their fingerprints, which small edits leave as they are
    by_fingerprint: bool = False
    #: what is not compared and why, in lines
    notes: tuple[str, ...] = ()


class Content(msgspec.Struct, gc=False):
    """The part of a page record that counts. What `extract.fields` leaves out is None."""

    url: str
    fetched_at: str = ""
    title: str | None = None
    description: str | None = None
    h1: tuple[str, ...] | None = None
    text: str | None = None
    lang: str | None = None
    canonical: str | None = None
    fingerprint: str | None = None


def compared(before: CrawlConfig | None, after: CrawlConfig | None) -> Compared:
    """What can be compared of the pages of two crawls; None is a crawl whose configuration is not known."""
    if before is None or after is None:
        return Compared(notes=("A configuration is not known: fields that it leaves out may seem to be gone.",))
    notes = []
    both: list[str] = []
    for name in FIELDS:
        lacking = [side for side, config in _sides(before, after) if not _has(config, name)]
        if not lacking:
            both.append(name)
        elif name != TEXT:
            notes.append(f"{name}: not compared, as extract.fields leaves it out {_where(lacking)}.")
    modes = [config.extract.text for config in (before, after)]
    if TEXT in both and modes[0] == modes[1]:
        return Compared(tuple(both), notes=tuple(notes))
    why = f"extract.text is {modes[0]} before and {modes[1]} after" if TEXT in both else "it is not in both crawls"
    if all(_has_fingerprint(config) for config in (before, after)):
        notes.append(f"text: compared by fingerprints, which small edits leave as they are: {why}.")
        both = [name for name in FIELDS if name in both or name == TEXT]
        return Compared(tuple(both), by_fingerprint=True, notes=tuple(notes))
    notes.append(f"text: not compared: {why}, and fingerprints are not in both either.")
    return Compared(tuple(name for name in both if name != TEXT), notes=tuple(notes))


def values(content: Content, by: Compared) -> tuple[Any, ...]:
    """What is compared of a record, in the order of `Compared.fields`."""
    found = []
    for name in by.fields:
        if name != TEXT:
            found.append(getattr(content, name))
        elif by.by_fingerprint:
            found.append(content.fingerprint)
        else:
            found.append(collapsed(content.text))
    return tuple(found)


def digests(found: Sequence[Any]) -> tuple[int, ...]:
    """A number for each value, the same for equal ones."""
    return tuple(0 if value is None else xxh3_64_intdigest(_bytes(value)) for value in found)


def collapsed(text: str | None) -> str | None:
    """`text` with its white space collapsed; None if there is none."""
    return None if text is None else " ".join(text.split())


def similarity(one: str | None, other: str | None) -> float | None:
    """How alike two fingerprints are: 1 for the same, about 0.5 for what shares nothing; None where one is not known.

    1 - distance / 64, in three decimals.
    """
    if one is None or other is None:
        return None
    try:
        bits = (int(one, 16) ^ int(other, 16)).bit_count()
    except ValueError:
        return None
    return round(1 - bits / 64, 3)


def _bytes(value: Any) -> bytes:  # noqa: ANN401  (a field's)
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else _encode(value)


_encode = msgspec.json.Encoder().encode


def _has(config: CrawlConfig, name: str) -> bool:
    fields = config.extract.fields
    if name == TEXT and config.extract.text == "none":
        return False
    return fields is None or name in fields


def _has_fingerprint(config: CrawlConfig) -> bool:
    fields = config.extract.fields
    return config.extract.features.fingerprint if fields is None else "fingerprint" in fields


def _sides(before: CrawlConfig, after: CrawlConfig) -> tuple[tuple[str, CrawlConfig], ...]:
    return (("before", before), ("after", after))


def _where(sides: Sequence[str]) -> str:
    return "in both crawls" if len(sides) == len(("before", "after")) else f"in the crawl {sides[0]}"
