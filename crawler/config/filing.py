"""Which patterns may `export.files` hold, and which answers are meant by them?

A pattern is a content type, such as ``application/pdf`` or ``image/*``, or a glob or /RE2/ on the URL, as in
``scope.include``. What has the form of a content type is one: a word, a slash, a word or ``*``, and nothing else.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from crawler.config.patterns import pattern_problem, pattern_set

if TYPE_CHECKING:
    from collections.abc import Sequence

#: RFC 6838 section 4.2, the subtype's wildcard as in Accept (RFC 9110 section 12.5.1)
_TYPE: Final = re.compile(r"([a-z0-9][a-z0-9!#$&^_.+-]*)/(\*|[a-z0-9*][a-z0-9!#$&^_.+*-]*)", re.IGNORECASE)
_PDF: Final = "*.pdf and image/*"


def filing_problem(pattern: str) -> str | None:
    """What was expected instead of `pattern`; None if it can be used."""
    if not pattern:
        return f"expected a glob on the URL or a content type, such as {_PDF}"
    return None if is_content_type(pattern) else pattern_problem(pattern)


def is_content_type(pattern: str) -> bool:
    """Whether `pattern` is about content types; if not, it is about URLs."""
    return _TYPE.fullmatch(pattern) is not None


class Filed:
    """What `export.files` asks for.

    Args:
        patterns: Each without `filing_problem`; at least one.

    Raises:
        ConfigError: RE2 can hold each of them but not all.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        types = [pattern.lower() for pattern in patterns if is_content_type(pattern)]
        urls = [pattern for pattern in patterns if not is_content_type(pattern)]
        self._types = pattern_set(types) if types else None
        self._urls = pattern_set(urls) if urls else None
        self._is_wanted_type = lru_cache(256)(self._matches_type)
        #: whether any content type is asked for that pictures may have
        self.wants_images = any(kind.startswith("image/") for kind in types)

    def wants(self, url: str, content_type: str | None) -> bool:
        """Whether an answer at `url` with this Content-Type header is to be stored."""
        if self.wants_url(url):
            return True
        return self._types is not None and content_type is not None and self._is_wanted_type(content_type)

    def wants_url(self, url: str) -> bool:
        """Whether its URL alone is enough."""
        return self._urls is not None and bool(self._urls.Match(url))

    def _matches_type(self, content_type: str) -> bool:
        essence = content_type.partition(";")[0].strip().lower()
        return self._types is not None and bool(self._types.Match(essence))
