"""Which features does a page have, of those asked for? Calls who works them out; what nobody asks for costs nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from crawler.extract.article import article_of
from crawler.extract.byline import byline, site_name
from crawler.extract.counts import reading_s, sentences
from crawler.extract.fingerprint import fingerprint
from crawler.extract.language import detect
from crawler.extract.main_text import main_content
from crawler.extract.markdown import markdown
from crawler.extract.outline import headings
from crawler.extract.pictures import images
from crawler.extract.record_parts import Feed, Heading, Image, Table, Translation
from crawler.extract.structured import Structured, structured
from crawler.extract.tables import tables
from crawler.url import host, registrable_domain

if TYPE_CHECKING:
    from crawler.config import ExtractConfig
    from crawler.extract.describe import Found
    from crawler.models import Url

MAX_ALTERNATES = 200
"""Of translations, and of feeds."""
_DAY_S = 24 * 60 * 60
_LAST_TIME = datetime(9000, 1, 1, tzinfo=UTC).timestamp()


class Features(msgspec.Struct, kw_only=True, gc=False):
    """What was asked for, as in `PageRecord`; None for what was not."""

    structured: Structured
    site_name: str | None = None
    author: str | None = None
    published: str | None = None
    modified: str | None = None
    hreflang: tuple[Translation, ...] | None = None
    feeds: tuple[Feed, ...] | None = None
    text: str | None = None
    word_count: int | None = None
    lang_detected: str | None = None
    fingerprint: str | None = None
    sentence_count: int | None = None
    reading_s: int | None = None
    text_ratio: float | None = None
    n_internal: int | None = None
    n_external: int | None = None
    n_nofollow: int | None = None
    headings: tuple[Heading, ...] | None = None
    images: tuple[Image, ...] | None = None
    tables: tuple[Table, ...] | None = None
    #: the names of those that had to be cut
    cut: list[str] = []


def wants_text(extract: ExtractConfig) -> bool:
    """Whether any text of the body is asked for, in the record or to work something out."""
    wanted = extract.features
    return extract.text != "none" or wanted.language or wanted.fingerprint or wanted.counts


def features_of(found: Found, extract: ExtractConfig, *, url: Url, fetched_at: float) -> Features:
    """What `extract` asks for of the page at `url`, fetched at that Unix time."""
    wanted = extract.features
    tree, targets = found.document.tree, found.targets
    of_data = structured(found.document, found.head.meta_nodes, wanted, targets.url)
    features = Features(structured=of_data, cut=list(of_data.cut))
    _add_texts(features, found, extract)
    if wanted.meta:
        said = byline(
            tree,
            found.head,
            article_of(of_data.all_json_ld),
            url=url,
            fetched_on=_day_after(int(min(fetched_at, _LAST_TIME) // _DAY_S)),
        )
        features.site_name = site_name(found.head)
        features.author, features.published, features.modified = said
        _add_alternates(features, found)
    if wanted.counts:
        features.n_internal, features.n_external = found.hyperlinks.n_within(_site(host(url)))
        features.n_nofollow = found.hyperlinks.n_nofollow
    if wanted.headings:
        features.headings = _kept(features, "headings", *headings(found.document))
    if wanted.images:
        features.images = _kept(features, "images", *images(tree, targets.url))
    if wanted.tables:
        features.tables = _kept(features, "tables", *tables(tree))
    return features


def _kept(features: Features, name: str, value: Any, was_cut: bool) -> Any:  # noqa: ANN401, FBT001 - the same type
    if was_cut:
        features.cut.append(name)
    return value


def _add_texts(features: Features, found: Found, extract: ExtractConfig) -> None:
    """The text as `extract` asks for it, and what is told by the main text."""
    wanted = extract.features
    if not wants_text(extract):
        return
    document = found.document
    needs_main = extract.text in {"main", "markdown"} or wanted.language or wanted.fingerprint or wanted.counts
    main = main_content(document) if needs_main else None
    text, word_count = main.text() if main is not None else ("", 0)
    if extract.text == "all":
        features.text, features.word_count = document.blocks()
    elif extract.text != "none":
        features.text, features.word_count = text, word_count
    if extract.text == "markdown" and main is not None:
        features.text = markdown(main.roots, main.dropped, found.targets.url)
    if main is None:
        return
    if wanted.language:
        features.lang_detected = detect(text)
    if wanted.fingerprint:
        features.fingerprint = fingerprint(text)
    if wanted.counts:
        lang = features.lang_detected if wanted.language else detect(text)
        features.sentence_count = sentences(text)
        features.reading_s = reading_s(text, word_count, lang)
        html_chars = found.text.n_chars
        features.text_ratio = round(len(text) / html_chars, 4) if html_chars else 0.0


def _add_alternates(features: Features, found: Found) -> None:
    """The page in other languages, and feeds; what is no http(s) URL is left out."""
    translations: dict[tuple[str, str], Translation] = {}
    feeds: dict[str, Feed] = {}
    for alternate in found.head.alternates:
        target = found.targets.url(alternate.href.strip())
        if target is None:
            continue
        if alternate.is_feed:
            title = alternate.title[:1_000] if alternate.title else None
            feeds.setdefault(target, Feed(target, alternate.type, title))
        else:
            lang = alternate.lang[:100]
            translations.setdefault((lang, target), Translation(lang, target))
    if found.head.had_more or len(translations) > MAX_ALTERNATES:
        features.cut.append("hreflang")
    if found.head.had_more or len(feeds) > MAX_ALTERNATES:
        features.cut.append("feeds")
    features.hreflang = tuple(translations.values())[:MAX_ALTERNATES]
    features.feeds = tuple(feeds.values())[:MAX_ALTERNATES]


@lru_cache(maxsize=64)
def _day_after(day: int) -> str:
    """The date it may be somewhere on earth a day after one, given in days since 1970-01-01."""
    return (datetime.fromtimestamp(day * _DAY_S, UTC) + timedelta(days=1)).date().isoformat()


@lru_cache(maxsize=1_000)
def _site(host_name: str) -> str:
    """The registrable domain of a host: that of most pages is the same."""
    return registrable_domain(host_name)
