"""Which keys of a page record may ``extract.fields`` name, and which of them does every record have?"""

from __future__ import annotations

from collections import Counter
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from crawler.config.problem import Problem, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.config.extracting import ExtractConfig

IDENTITY: Final = (
    "url",
    "status",
    "depth",
    "via",
    "seed",
    "redirected_from",
    "fetched_at",
    "elapsed_s",
    "content_type",
    "body_bytes",
    "truncated",
)
"""What was fetched and how, and whether it is whole: in every record, as a resume, a repair and a reader go by it."""

CHOSEN: Final = (
    "charset",
    "charset_source",
    "content_digest",
    "title",
    "description",
    "lang",
    "lang_detected",
    "canonical",
    "site_name",
    "author",
    "published",
    "modified",
    "h1",
    "headings",
    "text",
    "word_count",
    "sentence_count",
    "reading_s",
    "text_ratio",
    "fingerprint",
    "needs_js",
    "n_links",
    "n_internal",
    "n_external",
    "n_nofollow",
    "links",
    "hreflang",
    "feeds",
    "images",
    "tables",
    "json_ld",
    "opengraph",
    "twitter",
    "microdata",
    "rdfa",
    "headers",
    "html",
)
"""The others, in the order of the record."""

_NAMES: Final = (*IDENTITY, *CHOSEN)


def field_problems(extract: ExtractConfig) -> Iterator[Problem]:
    """What is wrong with ``extract.fields``: by itself, or beside the keys that say what text, links and so on are."""
    fields = extract.fields
    if fields is None:
        return
    if not fields:
        expected = f"expected keys of a page record, such as [title, h1]; every record has {', '.join(IDENTITY)}"
        yield Problem("extract.fields", "[]", expected)
    counts = Counter(fields)
    seen: set[str] = set()
    for position, name in enumerate(fields):
        key = f"extract.fields[{position}]"
        if name not in _NAMES:
            near = get_close_matches(name.lower(), _NAMES, 1)
            hint = f" (did you mean {near[0]}?)" if near else f", one of {', '.join(CHOSEN)}"
            yield Problem(key, quoted(name), f"expected a key of a page record{hint}")
        elif name in seen:
            yield Problem(key, name, f"expected each key once, not {counts[name]} times")
        seen.add(name)
    yield from _contradictions(extract, fields)


def _contradictions(extract: ExtractConfig, fields: tuple[str, ...]) -> Iterator[Problem]:
    """Keys that are listed though another key leaves them out, and the other way round."""
    left_out = {
        "text": (extract.text == "none", "extract.text is none: choose main, all or markdown there"),
        "links": (not extract.links, "extract.links is false: set it to true"),
        "html": (not extract.html, "extract.html is false: set it to true"),
        "headers": (not extract.headers, "extract.headers names none: list there which, or *"),
    }
    for name, (is_left_out, why) in left_out.items():
        if is_left_out and name in fields:
            key = f"extract.fields[{fields.index(name)}]"
            yield Problem(key, name, f"is asked for here, but {why}, or leave {name} out here")
    asked = {"html": (extract.html, "true"), "headers": (bool(extract.headers), "a list")}
    for name, (is_asked, value) in asked.items():
        if is_asked and name not in fields:
            expected = f"is asked for here, but extract.fields does not list {name}: list it there, or leave this out"
            yield Problem(f"extract.{name}", value, expected)
