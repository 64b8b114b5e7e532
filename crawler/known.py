"""What does a crawl know already of a URL that it visits again? What the generation before it stored.

It travels with the request: the fetcher asks the server for what is new since (RFC 9110, section 13), a parser leaves a
body alone that it has seen, and whose records stay as they are is known where a URL ends, without asking anybody.
"""

from __future__ import annotations

import msgspec


class Known(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A URL of the generation before."""

    #: its number there, by which its records are found
    id: int
    #: whether it has a record in pages.jsonl there
    has_page: bool = False
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
