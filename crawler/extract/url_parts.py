"""Which part of a URL is meant by ``path.0`` or ``query.page``? The words of `url` fields and of url_part.

``url, scheme, host, port, domain, path, path.N, query, query.NAME, fragment``: texts, percent-decoded where they are
path segments or parameters, None where the URL has no such part. ``path.N`` counts segments from 0, or with ``-1``
from the last one; a slash at the end makes no empty segment.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from crawler.url import registrable_domain

if TYPE_CHECKING:
    from collections.abc import Callable

_SEGMENT: Final = re.compile(r"path\.(-?[0-9]{1,3})")


def part_problem(part: str) -> str | None:
    """What is expected instead of `part`; None if it is one."""
    if part in _PARTS or _SEGMENT.fullmatch(part) or (part.startswith("query.") and len(part) > 6):
        return None
    near = get_close_matches(part, _PARTS, n=1)
    hint = f" (did you mean {near[0]}?)" if near else ""
    return f"expected one of {', '.join(_PARTS)}, path.N, query.NAME{hint}"


def part_of(url: str, part: str) -> str | None:
    """The `part` of an absolute http(s) URL, one without `part_problem`; None if there is none, or no such URL."""
    try:
        split = urlsplit(url)
        if part in _PARTS:
            return _PARTS[part](url, split) or None
        if part.startswith("query."):
            return next((value for name, value in _parameters(split) if name == part[6:]), None)
        segments = [unquote(segment) for segment in split.path.removesuffix("/").split("/")[1:]]
        return segments[int(part[5:])] or None
    except (ValueError, IndexError):
        return None


def _port(_: str, split: SplitResult) -> str:
    return str(split.port or ("443" if split.scheme == "https" else "80"))


def _domain(_: str, split: SplitResult) -> str:
    host = split.hostname
    return registrable_domain(host) if host and ":" not in host else host or ""


def _parameters(split: SplitResult) -> list[tuple[str, str]]:
    return parse_qsl(split.query, keep_blank_values=True)


_PARTS: Final[dict[str, Callable[[str, SplitResult], str | None]]] = {
    "url": lambda url, _: url,
    "scheme": lambda _, split: split.scheme,
    "host": lambda _, split: split.hostname,
    "port": _port,
    "domain": _domain,
    "path": lambda _, split: split.path,
    "query": lambda _, split: split.query,
    "fragment": lambda _, split: split.fragment,
}
