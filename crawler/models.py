"""The words all stages share: what travels between them, and nothing that does anything.

All are frozen, keyword-only msgspec Structs with builtin fields, so they cross processes as msgpack. Those that
exist by the million are hidden from the garbage collector (``gc=False``): they cannot be part of a cycle.
Times named ``*_at`` are wall-clock seconds since 1970 UTC unless a field says monotonic; durations end in ``_s``.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec

from crawler.known import Known
from crawler.marks import Marks
from crawler.url import HostKey as HostKey  # noqa: PLC0414 - exported from here too
from crawler.url import Url as Url  # noqa: PLC0414


class Kind(StrEnum):
    """Why something is requested."""

    PAGE = "page"
    ROBOTS = "robots"  #: made by politeness; never in the frontier or in the counts
    SITEMAP = "sitemap"  #: what it lists is at its own depth


NORMAL_PRIORITY, SITEMAP_PRIORITY = 32, 8
"""Of pages that no sitemap calls more or less important than others, and of sitemaps, which come before all pages."""


class Outcome(StrEnum):
    """How an admitted URL ended. Every one ends in exactly one of these."""

    FETCHED = "fetched"
    REDIRECTED = "redirected"
    UNCHANGED = "unchanged"
    EXCLUDED = "excluded"
    FAILED = "failed"


class Request(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True):
    """One thing to fetch, with where it came from."""

    url: Url
    host_key: HostKey
    #: host name (no port) at the end of the seed's own redirect chain: what ``scope.stay_on`` compares with
    scope_host: str
    #: link hops from the seed; redirects add none
    depth: int = 0
    #: URL of the page on which this one was first found; None for a seed
    via: str | None = None
    #: the seed as its giver wrote it
    seed: str = ""
    kind: Kind = Kind.PAGE
    #: 1 for the first try
    attempt: int = 1
    #: 0 first, 63 last
    priority: int = NORMAL_PRIORITY
    #: URLs that redirected here, oldest first, at most 20
    redirected_from: tuple[str, ...] = ()
    #: opaque bytes a rule hands from a listing to a detail page
    context: bytes = b""
    #: the frontier's number for this URL; 0 outside the frontier
    id: int = 0
    #: whether it may go to addresses that are not of the public internet (`crawler.reach`): set before it is made
    inside: bool = False
    #: whether `Page.marks` is wanted, as its site is under suspicion; never stored
    watched: bool = False
    #: what the generation before knows of it; None in a first crawl, and of what it did not know
    known: Known | None = None


class Response(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True):
    """What a server answered to one attempt: any status, body raw as it came over the wire.

    Up to `address`, it crosses to parser processes.
    """

    url: Url
    status: int
    #: names and values as received, in order
    headers: tuple[tuple[bytes, bytes], ...] = ()
    #: before content decoding; at most ``fetch.max_body`` bytes, of a robots.txt at most 512 KiB
    body: bytes = b""
    #: wall time at which the request head had been written
    fetched_at: float = 0.0
    #: from the request head to the last byte of the body
    elapsed_s: float = 0.0
    #: peer address, if known
    address: str | None = None
    #: ``HTTP/1.1 200 OK``, as received; empty if unknown
    status_line: bytes = b""
    #: of the request, as sent but for the values of secret headers; empty if unknown
    request_head: bytes = b""
    #: whether the body went on beyond what was read of it
    is_cut: bool = False

    def header(self, name: bytes) -> str | None:
        """The first header called `name` (lower case), decoded as latin-1; None if there is none."""
        for key, value in self.headers:
            if len(key) == len(name) and key.lower() == name:  # lengths are told sooner than letters
                return value.decode("latin-1")
        return None

    def values(self, name: bytes) -> list[str]:
        """What all headers called `name` (lower case) say, decoded as latin-1."""
        return [told.decode("latin-1") for key, told in self.headers if len(key) == len(name) and key.lower() == name]

    @property
    def etag(self) -> str | None:
        """The validator a later crawl may send as If-None-Match."""
        return self.header(b"etag")

    @property
    def last_modified(self) -> str | None:
        """The date a later crawl may send as If-Modified-Since, as received."""
        return self.header(b"last-modified")


class Link(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True):
    """A link a page gave us: canonical, in scope as far as a worker can tell, once per page."""

    url: Url
    host_key: HostKey
    #: `url.fingerprint` of `url` under the crawl's key, an unsigned 64-bit integer, never 0
    fingerprint: Annotated[int, msgspec.Meta(ge=1)]
    #: 0 first
    priority: Annotated[int, msgspec.Meta(ge=0, le=63)] = NORMAL_PRIORITY
    context: bytes = b""
    kind: Kind = Kind.PAGE


class Refusal(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True):
    """Links of one page that one scope rule kept out."""

    rule: str  #: as in ``scope.stay_on: host`` or ``scope.exclude: */logout*``
    count: int
    examples: tuple[str, ...] = ()  #: at most `MAX_EXAMPLES`


class Robots(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """What one robots.txt says to our agent, parsed and ready to be matched (`extract.robots_match.Matcher`)."""

    #: (allow?, path pattern) in file order, percent-normalised
    rules: tuple[tuple[bool, str], ...] = ()
    crawl_delay_s: float | None = None  #: seconds, if the group names one
    sitemaps: tuple[str, ...] = ()
    #: the product name whose group this is (`extract.robots.product_name`); empty where it does not matter
    agent: str = ""
    missing: str | None = None  #: why it could not be had, in words


class Fill(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True):
    """How well one rule did on one page."""

    rule: str
    records: int = 0
    rejects: int = 0
    #: field -> in how many of the records and rejects it had a value of its own, defaults not counted
    filled: dict[str, int] = {}


class Page(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag=0):
    """What a parser made of one response."""

    links: tuple[Link, ...] = ()
    #: (sink name, one or more encoded lines, with newlines between them but none at the end)
    records: tuple[tuple[str, bytes], ...] = ()
    refusals: tuple[Refusal, ...] = ()
    #: what the response turned out to be, when not a page: ``not_html`` and the like
    reason: str | None = None
    #: set for ``Kind.ROBOTS`` only
    robots: Robots | None = None
    body_bytes: int = 0  #: after content decoding
    #: of each rule that matched
    fills: tuple[Fill, ...] = ()
    needs_js: bool = False  #: an empty shell, it seems, that scripts have to fill
    marks: Marks | None = None  #: of some HTML pages only


class ParseFailure(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag=1):
    """A response the parser could not turn into a page; fails this URL and nothing else."""

    #: of `reasons.REASONS`: parse_deadline, parse_memory, parser_crashed, too_large, bad_encoding, parse_error
    reason: str
    detail: str = ""


class Finished(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An admitted URL's one and only end."""

    request: Request
    outcome: Outcome
    reason: str | None = None
    status: int | None = None
    target: str | None = None  #: where a redirect led
    at: float = 0.0
    #: whether pages.jsonl has its record; if not, outcomes.jsonl has its line
    has_page: bool = False
    #: validators of its content, for a later visit; None where there is none
    etag: str | None = None
    last_modified: str | None = None

    @property
    def attempts(self) -> int:
        """How many attempts were made: the last one was not if its end was known before it could be."""
        return self.request.attempt - (self.status is None and self.outcome in (Outcome.EXCLUDED, Outcome.UNCHANGED))


class Snoozed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A request to be tried again, takeable at `until` at the earliest and once committed."""

    request: Request  #: `attempt` already raised, if one was made
    until: float  #: monotonic seconds
    reason: str | None = None  #: of `reasons.REASONS`: why the attempt failed; None if none was made


class HostState(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """What politeness must remember of a host, however long it has nothing to do."""

    host_key: HostKey
    #: wall time before which no request may start
    ready_at: float = 0.0
    #: pause between request starts that robots.txt asked for; 0 if none
    delay_s: float = 0.0
    #: failures in a row the host itself is to blame for
    failures: int = 0
    #: why the host is retired; None while it is not
    retired: str | None = None
    #: pages kept of it, as far as that was stored: only ``budget.pages_per_host`` makes each be
    pages: int = 0
    #: pause between request starts that its errors have earned it; 0 if none
    backoff_s: float = 0.0
    #: how long it takes to answer, smoothed; 0 if unknown
    latency_s: float = 0.0
    #: where it was when a seed first led there, as `crawler.reach` calls it
    first_seen: int = 0
    #: request heads written to it, robots.txt and retries included
    requests: int = 0
    #: for how long its pace or a rest forbade what was to be requested of it; a long rest counts whole once it begins
    waited_s: float = 0.0


class RobotsFile(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """The verdict on one origin's robots.txt, as stored."""

    origin: str  #: ``https://example.org``, with a port that is not the default
    #: wall time at which it must be fetched anew
    expires_at: float
    robots: Robots = Robots()
    #: why all is disallowed (``robots_unreachable``); None where `robots` decides
    closed: str | None = None


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that becomes true at once, in one transaction of the frontier."""

    finished: tuple[Finished, ...] = ()
    snoozed: tuple[Snoozed, ...] = ()
    hosts: tuple[HostState, ...] = ()
    robots: tuple[RobotsFile, ...] = ()
    #: sink name -> length of its file in bytes, fsynced, at which it may be cut
    positions: dict[str, int] = {}
    #: running totals of the crawl, whole values
    counters: dict[str, int] = {}
    #: small named states: cookies, traps, rule health; an empty one is forgotten
    blobs: dict[str, bytes] = {}


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """What a frontier knew when it was opened; all empty for a new crawl."""

    positions: dict[str, int] = {}
    counters: dict[str, int] = {}
    blobs: dict[str, bytes] = {}


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """``admitted == sum(outcomes.values()) + pending``, at every moment."""

    admitted: int
    pending: int
    outcomes: dict[Outcome, int]
    #: by how many `outcomes` are ahead of the ends that this process gave to `Frontier.commit`; below 0, behind
    brought: int = 0


#: the two sinks every crawl has; `LINKS` and `SITEMAPS` where asked for; further ones bear their rule's name
PAGES, OUTCOMES, LINKS, SITEMAPS = "pages", "outcomes", "links", "sitemaps"

STOPPED = "stop"
"""What ``stopped_by`` calls an interruption, as opposed to a budget."""

MAX_REDIRECTS = 20

MAX_EXAMPLES = 3
"""How many instances are shown of what is only counted: refused links, bad seeds."""
