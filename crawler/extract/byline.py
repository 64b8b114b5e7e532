"""Who wrote a page, when, and for which site? Gathers what it says of itself, the most deliberate statement first.

Dates: JSON-LD of the page's article, meta elements, ``<time>`` and microdata; then the path of its URL, and at last
what stands in an element that is named after a date. Authors: JSON-LD, meta elements, ``rel=author``, microdata, and
elements that are named after an author. Dates after the page was fetched are none.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from crawler.extract.dates import find_date, parse_date
from crawler.extract.html import text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from selectolax.lexbor import LexborHTMLParser, LexborNode

    from crawler.extract.article import Article
    from crawler.extract.head import Head

_MAX_AUTHOR_CHARS = 100
_MAX_AUTHORS = 20
_MAX_ELEMENTS = 30
_FIRST_WEB_YEAR = "1990"

_PUBLISHED_METAS = (
    "article:published_time", "og:article:published_time", "og:published_time", "datepublished", "date",
    "publish-date", "publish_date", "published", "pubdate", "publication_date", "publishdate", "date.published",
    "published-date", "article.published", "citation_publication_date", "citation_online_date", "citation_date",
    "dc.date.issued", "dcterms.issued", "dc.date.created", "dcterms.created", "dcterms.date", "dc.date", "dc:date",
    "sailthru.date", "parsely-pub-date", "cxenseparse:recs:publishtime", "shareaholic:article_published_time",
    "last-modified-date", "datecreated", "article:created",
)  # fmt: skip
_MODIFIED_METAS = (
    "article:modified_time", "og:updated_time", "og:modified_time", "datemodified", "last-modified", "modified",
    "lastmod", "dc.date.modified", "dcterms.modified", "revised", "updated_time", "last-updated",
    "shareaholic:article_modified_time",
)  # fmt: skip
_AUTHOR_METAS = (
    "author", "article:author", "og:article:author", "dc.creator", "dcterms.creator", "dc:creator", "citation_author",
    "parsely-author", "sailthru.author", "byl", "article:author_name", "shareaholic:article_author_name", "authors",
)  # fmt: skip
_SITE_METAS = (
    "og:site_name",
    "application-name",
    "apple-mobile-web-app-title",
    "dc.publisher",
    "citation_journal_title",
)

_URL_DATE = re.compile(
    r"[/_-]((?:19|20)[0-9]{2})(?P<sep>[/_-]?)(0[1-9]|1[0-2]|[1-9](?=[/_-]))(?P=sep)(0[1-9]|[12][0-9]|3[01])(?![0-9])"
)
_DATED = "time, [itemprop^=date], [class*=date i]"
_AUTHORED = "[rel~=author], [itemprop=author], [class*=author i]"
_AROUND = frozenset(("aside", "footer", "nav"))
_OF_OTHERS = re.compile(r"comment|related|sidebar|recommend|teaser|latest|popular|footer|upcoming")
_BY = re.compile(
    r"^\W*(?:(?:view\s|alle\s)?(?:all\s)?(?:posts|articles|beiträge|written|posted|published|veröffentlicht|geschrieben|"
    r"verfasst|erstellt|publié|escrito)\s+)?"
    r"(?:by|von|autor(?:en|in)?|author|par|por|di|da|door|av|af|text|foto|auteur|redakteur|redaktion)\b\s*:?\s+",
    re.IGNORECASE,
)
_AFTER_NAME = re.compile(r"\s*(?:\||•|·|\u2014|\u2013|,?\s[0-9]|\s-\s|\(|@).*$", re.DOTALL)
_NO_NAMES = frozenset(
    (
        "admin", "administrator", "wordpressadmin", "anonymous", "author", "autor", "autoren", "redaktion", "editor",
        "staff", "webmaster", "gast", "guest", "unknown", "none", "null",
    )
)  # fmt: skip

_SIGNS = frozenset(("og:title", "og:type", "twitter:card", "twitter:title", "author", "date", "dc.title", "generator"))
"""Meta elements of pages that may show an author or a date."""


class Byline(NamedTuple):
    """What a page says of its origin. Dates are ISO 8601."""

    author: str | None
    published: str | None
    modified: str | None


def site_name(head: Head) -> str | None:
    """What the page calls its site."""
    return head.meta(*_SITE_METAS)


def byline(tree: LexborHTMLParser, head: Head, article: Article, *, url: str, fetched_on: str) -> Byline:
    """What the page says of its origin.

    Args:
        tree: The page.
        head: What its head says.
        article: What its JSON-LD says.
        url: Its own.
        fetched_on: The day after it was fetched, in any time zone, in ISO 8601.
    """
    lang = head.lang
    # Five searches in the tree, a twentieth of what parsing takes: for pages that care to be found as of somebody.
    is_published = bool(head.alternates or _date_in(url) or not _SIGNS.isdisjoint(head.metas))

    def first(texts: Iterable[str | None]) -> str | None:
        for text in texts:
            date = parse_date(text, lang) if text else None
            if date is not None and date[:10] <= fetched_on:
                return date
        return None

    published = first((article.published, *_contents(head, _PUBLISHED_METAS)))
    modified = first((article.modified, *_contents(head, _MODIFIED_METAS)))
    if published is None:
        from_url = _date_in(url)
        if is_published:
            published = _shown(tree, lang, fetched_on, from_url)
        published = published or (from_url if from_url and from_url <= fetched_on else None)
    return Byline(_author(tree, head, article, is_published=is_published), published, modified)


def _contents(head: Head, names: tuple[str, ...]) -> Iterator[str]:
    return (content for name in names for content in head.metas.get(name, ()))


def _date_in(url: str) -> str | None:
    match = _URL_DATE.search(url)
    if match is None:
        return None
    return parse_date(f"{match[1]}-{match[3]}-{match[4]}")


def _shown(tree: LexborHTMLParser, lang: str | None, fetched_on: str, from_url: str | None) -> str | None:
    """The date of the first element that shows the page's own, or of one that agrees with the URL's day."""
    for element in tree.css(_DATED)[:_MAX_ELEMENTS]:
        attributes = element.attributes
        if attributes.get("itemprop") == "dateModified" or "modified" in (attributes.get("class") or ""):
            continue
        stamp = attributes.get("datetime") or attributes.get("content") or attributes.get("title")
        date = parse_date(stamp, lang) if stamp else None
        if date is None:
            text = text_of(element)
            date = find_date(text, lang) if 6 <= len(text) <= 300 else None
        if date is None or not _FIRST_WEB_YEAR <= date <= fetched_on + "T":
            continue
        if from_url is not None:
            if date[:10] == from_url:
                return date
        elif not _is_of_another(element):
            return date
    return None


def _is_of_another(element: LexborNode) -> bool:
    """Whether `element` stands where teasers of other pages, comments and the like do."""
    at: LexborNode | None = element
    for _ in range(12):
        if at is None:
            return False
        tag = at.tag
        if tag in {"body", "html"}:
            return False
        if tag in _AROUND:
            return True
        attributes = at.attributes
        names = f"{attributes.get('class') or ''} {attributes.get('id') or ''}"
        if len(names) > 1 and _OF_OTHERS.search(names.lower()):
            return True
        at = at.parent
    return False


def _author(tree: LexborHTMLParser, head: Head, article: Article, *, is_published: bool) -> str | None:
    for texts in (article.authors, *(head.metas.get(name, ()) for name in _AUTHOR_METAS)):
        if names := _names(texts):
            return names
    if not is_published:
        return None
    for element in tree.css(_AUTHORED)[:_MAX_ELEMENTS]:
        if _is_of_another(element):
            continue
        name = element.css_first("[itemprop=name]") if element.attributes.get("itemprop") == "author" else None
        text = (name or element).attributes.get("content") or text_of(name or element)
        if names := _names((_AFTER_NAME.sub("", _BY.sub("", text)),)):
            return names
    return None


def _names(texts: Iterable[str]) -> str | None:
    """The names among `texts`, each once, with commas between."""
    names: dict[str, None] = {}
    for text in texts:
        name = _BY.sub("", text).strip(" \t\n,;:|")
        plain = name.lower()
        if not 2 <= len(name) <= _MAX_AUTHOR_CHARS or "://" in plain or "@" in plain or plain in _NO_NAMES:
            continue
        if plain.startswith(("www.", "//")) or not any(map(str.isalpha, plain)):
            continue
        names[name] = None
        if len(names) == _MAX_AUTHORS:
            break
    return ", ".join(names) or None
