"""What do a page's JSON-LD blocks say of the article on it? Looks for the object that stands for the page itself."""

from __future__ import annotations

from typing import Any, NamedTuple

_MAX_OBJECTS = 2_000
_ARTICLES = frozenset(
    (
        "Article",
        "BlogPosting",
        "NewsArticle",
        "ReportageNewsArticle",
        "AnalysisNewsArticle",
        "OpinionNewsArticle",
        "ReviewNewsArticle",
        "BackgroundNewsArticle",
        "TechArticle",
        "ScholarlyArticle",
        "MedicalScholarlyArticle",
        "SocialMediaPosting",
        "LiveBlogPosting",
        "DiscussionForumPosting",
        "QAPage",
        "Report",
        "Recipe",
        "HowTo",
        "AdvertiserContentArticle",
        "SatiricalArticle",
    )
)
_PAGES = frozenset(
    ("WebPage", "ItemPage", "AboutPage", "CollectionPage", "ProfilePage", "MedicalWebPage", "CreativeWork", "WebSite")
)

_PARTS = ("mainEntityOfPage", "mainEntity", "@graph")  # the last one first


class Article(NamedTuple):
    """As written."""

    published: str | None
    modified: str | None
    authors: tuple[str, ...]


def article_of(values: list[Any]) -> Article:
    """What the top `values` of the blocks say of the first article among them, else of the page."""
    objects = _objects(values)
    by_id = {at: one for one in reversed(objects) if isinstance(at := one.get("@id"), str) and len(one) > 1}
    articles = [one for one in objects if _types(one) & _ARTICLES]
    chosen = articles + [one for one in objects if _types(one) & _PAGES]
    return Article(
        _first(chosen, "datePublished") or _first(chosen, "dateCreated"),
        _first(chosen, "dateModified"),
        next((names for one in chosen if (names := _names(one.get("author") or one.get("creator"), by_id))), ()),
    )


def _objects(values: list[Any]) -> list[dict[str, Any]]:
    """All objects in document order, without those that are parts of one, but for graphs and main entities."""
    found: list[dict[str, Any]] = []
    stack = list(reversed(values))
    while stack and len(found) < _MAX_OBJECTS:
        value = stack.pop()
        if isinstance(value, list):
            stack.extend(reversed(value[:_MAX_OBJECTS]))
        elif isinstance(value, dict):
            found.append(value)
            stack.extend(value[key] for key in _PARTS if isinstance(value.get(key), (dict, list)))
    return found


def _types(one: dict[str, Any]) -> set[str]:
    types = one.get("@type")
    return {
        kind.rpartition("/")[2] for kind in (types if isinstance(types, list) else [types]) if isinstance(kind, str)
    }


def _first(objects: list[dict[str, Any]], key: str) -> str | None:
    for one in objects:
        value = one.get(key)
        if isinstance(value, list) and value:
            value = value[0]
        if isinstance(value, dict):
            value = value.get("@value")
        if isinstance(value, str) and value.strip():
            return value
    return None


def _names(value: Any, by_id: dict[str, dict[str, Any]]) -> tuple[str, ...]:  # noqa: ANN401 - whatever JSON holds
    names = []
    for one in value[:50] if isinstance(value, list) else [value]:
        name = one
        if isinstance(one, dict):
            name = one.get("name")
            if name is None and isinstance(at := one.get("@id"), str):
                name = by_id.get(at, {}).get("name")
            if isinstance(name, list) and name:
                name = name[0]
        if isinstance(name, str) and name.strip():
            names.append(" ".join(name.split()))
    return tuple(names)
