"""What does a crawl know already of a URL that it visits again? What the generation before it stored.

It travels with the request: the fetcher asks the server for what is new since (RFC 9110, section 13), a parser leaves a
body alone that it has seen, and whose records stay as they are is known where a URL ends, without asking anybody.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_VALIDATOR_CHARS = 1024
"""A longer one is not sent: few servers take a header of it, and none has to."""

# As received, but for what would be another header, another list of entity tags, or the tag of anything at all ("*").
_ETAG = re.compile(r'(?:W/)?"[ -!#-~\x80-\xff]*"|(?!\*$)[!#-+\--~\x80-\xff]+')
_DAY, _MONTH = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)", "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_TIME = "[0-2][0-9]:[0-5][0-9]:[0-6][0-9]"
# RFC 9110, section 5.6.7: the form of today, and the two older ones
_DATE = re.compile(
    f"{_DAY}, [0-3][0-9] {_MONTH} [0-9]{{4}} {_TIME} GMT"
    f"|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, [0-3][0-9]-{_MONTH}-[0-9]{{2}} {_TIME} GMT"
    f"|{_DAY} {_MONTH} [ 0-3][0-9] {_TIME} [0-9]{{4}}"
)


class Known(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A URL of the generation before."""

    #: its number there, by which its records are found
    id: int
    #: whether it has a record in pages.jsonl there
    has_page: bool = False
    #: whether it has content there that is no page
    has_other: bool = False
    #: bytes of all its records there, with their newlines
    bytes: int = 0
    #: the validators of the content they were made of, as received; None where there was none, or all is read anew
    etag: str | None = None
    last_modified: str | None = None
    #: ``content_digest`` of that content; empty where that is not known, or all is read anew
    digest: str = ""
    #: wall time of its last visit
    at: float = 0.0
    #: wall time at which the content was asked for that its records were made of; 0.0 where no record tells it
    since: float = 0.0
    #: why it is not visited this time, of `reasons.REASONS`; None if it is
    skip: str | None = None

    @property
    def has_content(self) -> bool:
        """Whether there is something of it that may be unchanged."""
        return self.has_page or self.has_other


def condition_lines(known: Known) -> str:
    """The header lines that ask for what is new since, each with its line end; empty if there is nothing to ask by.

    Both validators are sent where both are known, the tag as received, weak or not: a server that understands it looks
    at nothing else (RFC 9110, sections 13.1.2 and 13.1.3). What is no date by section 5.6.7 is left out.
    """
    lines, etag, date = "", known.etag, known.last_modified
    if etag is not None and len(etag) <= MAX_VALIDATOR_CHARS and _ETAG.fullmatch(etag):
        lines = f"If-None-Match: {etag}\r\n"
    if date is not None and _DATE.fullmatch(date):
        lines += f"If-Modified-Since: {date}\r\n"
    return lines


def validators(headers: Iterable[tuple[bytes, bytes]]) -> tuple[str | None, str | None]:
    """ETag and Last-Modified of an answer, as received: what a later visit may ask by. Asked of every page."""
    etag = last_modified = None
    for key, value in headers:
        length = len(key)  # told sooner than letters
        if length == 4 and etag is None and key.lower() == b"etag":
            etag = value.decode("latin-1")
        elif length == 13 and last_modified is None and key.lower() == b"last-modified":
            last_modified = value.decode("latin-1")
    return etag, last_modified
