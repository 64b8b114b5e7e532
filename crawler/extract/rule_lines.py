"""What is written of a page's rule records? One line of JSON each, in the file of its rule or of the rule's rejects.

``_url``, ``_fetched_at`` and ``_rule`` come first, then ``_errors`` of a reject, then the fields.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

import msgspec

from crawler.extract.record import one_line
from crawler.extract.rule_report import FieldError, as_plain

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_BYTES: Final = 64 * 1024**2
"""Of all rule records of a page. What goes beyond is left out, and a reject says so."""
REJECTS: Final = ".rejects"
"""What the name of a rule's file of rejects has besides."""

_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class Lines:
    """The lines of one page, by file."""

    def __init__(self, url: str, fetched_at: str) -> None:
        self._head = {"_url": url, "_fetched_at": fetched_at}
        self._encoder = msgspec.json.Encoder()
        self._files: dict[str, list[bytes]] = {}
        self._room = MAX_BYTES
        self._full: set[str] = set()

    def add(self, rule: str, record: dict[str, Any], *, rejected: bool = False) -> None:
        """Take in a record, or a reject with its ``_errors``."""
        try:
            line = self._encoded({**self._head, "_rule": rule, **record})
        except (RecursionError, TypeError, ValueError, OverflowError) as error:
            self._refuse(rule, f"values that JSON can hold ({type(error).__name__})")
            return
        if len(line) > self._room:
            if rule not in self._full:
                self._full.add(rule)
                self._refuse(rule, f"at most {MAX_BYTES} bytes of records on a page; further ones are left out")
            return
        self._room -= len(line)
        self._files.setdefault(rule + REJECTS * rejected, []).append(line)

    def _refuse(self, rule: str, expected: str) -> None:
        error = as_plain(FieldError("", None, expected))
        line = self._encoder.encode({**self._head, "_rule": rule, "_errors": [error]})
        self._files.setdefault(rule + REJECTS, []).append(line)

    def _encoded(self, record: dict[str, Any]) -> bytes:
        try:
            line = self._encoder.encode(record)
        except UnicodeEncodeError:  # lone surrogates, from a transform
            text = json.dumps(record, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
            line = _SURROGATE.sub("\ufffd", text).encode()
        return one_line(line)

    def records(self) -> Iterable[tuple[str, bytes]]:
        """Each file with its lines, as `crawler.models.Page.records` has them."""
        return [(name, b"\n".join(lines)) for name, lines in self._files.items()]
