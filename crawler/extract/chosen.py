"""What does a record say of which only some keys are wanted (``extract.fields``)? Works out these and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec.structs import replace

from crawler.config import FeaturesConfig
from crawler.config.record_fields import CHOSEN
from crawler.extract.describe import (
    MAX_LINE_CHARS,
    MAX_TEXT_CHARS,
    Cutter,
    canonical,
    description,
    digest,
    identity,
    title,
)
from crawler.extract.features import features_of
from crawler.extract.record import PageRecord
from crawler.url import host, registrable_domain

if TYPE_CHECKING:
    from collections.abc import Callable

    from crawler.config import ExtractConfig
    from crawler.extract.describe import Found
    from crawler.models import Request, Response

_GROUPS: Final = {
    "meta": frozenset(("site_name", "author", "published", "modified", "hreflang", "feeds")),
    "language": frozenset(("lang_detected",)),
    "fingerprint": frozenset(("fingerprint",)),
    "counts": frozenset(("sentence_count", "reading_s", "text_ratio")),
    "headings": frozenset(("headings",)),
    "json_ld": frozenset(("json_ld",)),
    "opengraph": frozenset(("opengraph", "twitter")),
    "images": frozenset(("images",)),
    "tables": frozenset(("tables",)),
    "microdata": frozenset(("microdata",)),
    "rdfa": frozenset(("rdfa",)),
}
"""What is worked out together, by its switch of ``extract.features``."""

_LIMITS: Final = {"text": MAX_TEXT_CHARS, "site_name": MAX_LINE_CHARS, "author": MAX_LINE_CHARS}
_STRUCTURED: Final = frozenset(("json_ld", "opengraph", "twitter", "microdata", "rdfa"))

_TAKES: Final[dict[str, Callable[[Found, Cutter], Any]]] = {
    "charset": lambda found, _: found.text.charset,
    "charset_source": lambda found, _: found.text.source,
    "content_digest": lambda found, _: found.digest or digest(found.body),
    "title": title,
    "description": description,
    "lang": lambda found, cut: cut("lang", found.head.lang),
    "canonical": lambda found, _: canonical(found),
    "h1": lambda found, cut: cut.h1(found.document),
    "needs_js": lambda found, _: found.needs_js,
    "n_links": lambda found, _: found.hyperlinks.n_links,
    "n_internal": lambda found, _: _n_within(found)[0],
    "n_external": lambda found, _: _n_within(found)[1],
    "n_nofollow": lambda found, _: found.hyperlinks.n_nofollow,
    "links": lambda found, _: found.links,
    "html": lambda found, _: found.text.text,
}
"""What needs no feature: how each is taken."""

_PartialRecord = msgspec.defstruct(
    "_PartialRecord", [(name, Any, None) for name in PageRecord.__struct_fields__], frozen=True, kw_only=True, gc=False
)
"""A `PageRecord` of which any key may be null."""


class Chosen:
    """The keys that ``extract.fields`` lists, and what has to be done for them; made once for a crawl.

    Args:
        extract: With `fields`, free of `crawler.config.record_fields.field_problems`.
    """

    def __init__(self, extract: ExtractConfig) -> None:
        asked = frozenset(extract.fields or ())
        #: whether nothing is wanted of the text but how many words there are, in all of it
        self.counts_words = "word_count" in asked and "text" not in asked and extract.text in {"all", "none"}
        self._takes = tuple((name, take) for name, take in _TAKES.items() if name in asked)
        self._of_features = tuple(
            name
            for name in CHOSEN
            if name in asked
            and name not in _TAKES
            and name != "headers"
            and not (name == "word_count" and self.counts_words)
        )
        self._headers = extract.headers if "headers" in asked else ()
        self._noted = asked | {"body", "nesting", "attributes", "links"}
        #: `extract` as if only what is needed for them had been asked for
        self.extract = replace(
            extract,
            text=_text_for(extract, asked, counts_words=self.counts_words),
            links="links" in asked,
            features=FeaturesConfig(**{group: not asked.isdisjoint(names) for group, names in _GROUPS.items()}),
        )

    def describe(self, request: Request, response: Response, content_type: str | None, found: Found) -> msgspec.Struct:
        """As `describe.describe`, with null for what is not wanted."""
        cut = Cutter(found)
        if found.more_links:
            cut.note("links")
        said = {name: take(found, cut) for name, take in self._takes}
        if self._of_features:
            features = features_of(found, self.extract, url=request.url, fetched_at=response.fetched_at)
            for field in features.cut:
                cut.note(field)
            for name in self._of_features:
                value = getattr(features.structured if name in _STRUCTURED else features, name)
                said[name] = cut(name, value, limit) if (limit := _LIMITS.get(name)) else value
        if self._headers:
            said["headers"] = cut.headers(response.headers, self._headers)
        if self.counts_words:
            said["word_count"] = found.count_words()  # the last of all, for it changes the document
        truncated = tuple(field for field in cut.noted() if field in self._noted)
        return _PartialRecord(**identity(request, response, content_type, found.body), **said, truncated=truncated)


def _text_for(extract: ExtractConfig, asked: frozenset[str], *, counts_words: bool) -> str:
    """Which text has to be read, as ``extract.text`` calls it."""
    if "text" in asked:
        return extract.text
    return "main" if "word_count" in asked and not counts_words else "none"


def _n_within(found: Found) -> tuple[int, int]:
    return found.hyperlinks.n_within(registrable_domain(host(found.url)))
