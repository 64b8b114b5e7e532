"""Which records do a site's pages describe for search engines, as JSON-LD or microdata, and what are their fields?

What is said here is what was seen: a field is one that at least one page had. How records are written as rules,
`rule_guess` says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from crawler.models import Url
    from crawler.survey.look import Seen

MAX_KINDS: Final = 3
MAX_FIELDS: Final = 14
_MAX_OBJECTS: Final = 10_000
_MAX_NESTING: Final = 8

NAMES: Final = {
    "Product": "products", "ProductGroup": "products", "NewsArticle": "articles", "BlogPosting": "articles",
    "Article": "articles", "TechArticle": "articles", "ScholarlyArticle": "articles",
    "Recipe": "recipes", "Event": "events", "MusicEvent": "events", "TheaterEvent": "events", "SportsEvent": "events",
    "JobPosting": "jobs", "Book": "books", "Movie": "films", "TVSeries": "series", "Course": "courses",
    "SoftwareApplication": "applications", "MobileApplication": "applications", "Dataset": "datasets",
    "LocalBusiness": "places", "Restaurant": "places", "Hotel": "places", "Store": "places", "Car": "vehicles",
    "Vehicle": "vehicles", "RealEstateListing": "homes", "Apartment": "homes", "House": "homes",
    "PodcastEpisode": "episodes", "VideoObject": "videos", "DiscussionForumPosting": "posts", "Question": "questions",
}  # fmt: skip
"""Types of schema.org that a page is about, and what their records are called."""

_BELOW: Final = {
    "offers": ("price", "lowPrice", "highPrice", "priceCurrency", "availability"),
    "aggregateRating": ("ratingValue", "reviewCount", "ratingCount"),
    "address": ("streetAddress", "postalCode", "addressLocality", "addressCountry"),
    "geo": ("latitude", "longitude"),
    "image": ("url",),
    "logo": ("url",),
    "acceptedAnswer": ("text",),
}
"""What is taken of an object within one; of others their name."""
_LEFT_OUT: Final = frozenset(("potentialAction", "mainEntityOfPage", "isPartOf", "review", "breadcrumb", "speakable"))
_FIRST: Final = (
    "name", "headline", "title", "sku", "mpn", "gtin13", "gtin", "isbn", "brand", "offers", "category", "author",
    "datePublished", "dateModified", "datePosted", "validThrough", "startDate", "endDate", "location", "address",
    "hiringOrganization", "aggregateRating", "description", "image", "url",
)  # fmt: skip
"""Keys by how much they say; others come after them, in their own order."""


Source = Literal["json_ld", "microdata"]


class Leaf(NamedTuple):
    """A value somewhere in an object."""

    #: keys from the object to it, one or two
    path: tuple[str, ...]
    value: str | float | bool
    #: whether there is a list on the way
    in_list: bool = False
    #: whether that list holds several values
    is_many: bool = False


class FieldSeen(NamedTuple):
    """One field of a kind of record."""

    path: tuple[str, ...]
    #: of each page that had it, the first
    values: tuple[str | float | bool, ...]
    in_list: bool
    is_many: bool


class RecordsSeen(NamedTuple):
    """Records of one type."""

    #: of schema.org
    type: str
    name: str
    #: those that had one, as they were seen
    urls: tuple[Url, ...]
    fields: tuple[FieldSeen, ...]
    source: Source = "json_ld"


def records_seen(pages: Sequence[Seen]) -> list[RecordsSeen]:
    """The types that pages are about, those of most pages first; what the first page alone has is left out.

    A type that is there as JSON-LD is not taken from microdata.
    """
    kinds = _seen(pages, "json_ld", lambda seen: seen.data)
    known = {seen.type for seen in kinds}
    items = _seen(pages, "microdata", lambda seen: [_plain(item) for item in seen.record.get("microdata") or ()])
    named: dict[str, RecordsSeen] = {}
    for seen in (*kinds, *(seen for seen in items if seen.type not in known)):
        name = seen.name if seen.name not in named else f"{seen.name}_{seen.type.lower()}"
        named.setdefault(name, seen._replace(name=name))
    return list(named.values())[:MAX_KINDS]


def _seen(pages: Sequence[Seen], source: Source, data_of: Callable[[Seen], Sequence[Any]]) -> list[RecordsSeen]:
    found: dict[str, list[tuple[Seen, dict[str, Any]]]] = {}
    for seen in pages:
        for kind, value in _objects(data_of(seen)):
            found.setdefault(kind, []).append((seen, value))
    about = [(kind, with_it) for kind, with_it in found.items() if any(seen is not pages[0] for seen, _ in with_it)]
    about.sort(key=lambda pair: -len(pair[1]))
    kinds = []
    for kind, with_it in about:
        fields = tuple(_fields([value for _, value in with_it]))
        if fields:
            kinds.append(RecordsSeen(kind, NAMES[kind], tuple(seen.url for seen, _ in with_it), fields, source))
    return kinds


def _plain(item: object, depth: int = 0) -> object:
    """A microdata item as JSON-LD would have it: its properties as lists, of items within it their first values."""
    if not isinstance(item, dict) or depth > _MAX_NESTING:
        return item
    plain: dict[str, object] = {}
    for name, values in (item.get("properties") or {}).items():
        below = [_plain(value, depth + 1) for value in values]
        plain[name] = below if depth == 0 else next(iter(below), None)
    return {**plain, "@type": list(item.get("type") or ())}


def _objects(data: Sequence[Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The outermost object of each type in `NAMES`, as ``in: json_ld:TYPE`` finds it."""
    level: list[Any] = list(data)
    looked_at = 0
    known: set[str] = set()
    while level and looked_at < _MAX_OBJECTS:
        looked_at += len(level)
        below: list[Any] = []
        for each in level:
            kinds = _types(each) if isinstance(each, dict) else set()
            for kind in sorted(kinds - known):
                known.add(kind)
                yield kind, each
            if not kinds:  # what an article holds is not what its page is about
                below += each if isinstance(each, list) else each.values() if isinstance(each, dict) else ()
        level = [each for each in below if isinstance(each, list | dict)]


def _types(value: dict[str, Any]) -> set[str]:
    given = value.get("@type")
    names = given if isinstance(given, list) else [given]
    return {name.rpartition("/")[2] for name in names if isinstance(name, str)} & set(NAMES)


def _fields(objects: Sequence[dict[str, Any]]) -> Iterator[FieldSeen]:
    leaves: dict[tuple[str, ...], list[Leaf]] = {}
    for value in objects:
        for leaf in _leaves(value):
            leaves.setdefault(leaf.path, []).append(leaf)
    ordered = sorted(leaves, key=lambda path: _FIRST.index(path[0]) if path[0] in _FIRST else len(_FIRST))
    for path in ordered[:MAX_FIELDS]:
        seen = leaves[path]
        in_list, is_many = any(leaf.in_list for leaf in seen), any(leaf.is_many for leaf in seen)
        yield FieldSeen(path, tuple(leaf.value for leaf in seen), in_list, is_many)


def _leaves(item: dict[str, Any]) -> Iterator[Leaf]:
    """The values of an object and of those right within it; of a list the first one."""
    for key, below in item.items():
        if key.startswith("@") or key in _LEFT_OUT:
            continue
        items = below if isinstance(below, list) else [below]
        first = items[0] if items else None
        in_list = isinstance(below, list)
        if isinstance(first, str | int | float) and first != "":
            yield Leaf((key,), first, in_list, len(items) > 1)
        elif isinstance(first, dict):
            for name in _BELOW.get(key, ("name",)):
                value = first.get(name)
                if isinstance(value, str | int | float) and value != "":
                    yield Leaf((key, name), value, in_list)
