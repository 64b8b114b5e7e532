"""What is there to tell of a URL? The words in which `why` answers, and the keys of ``crawler why --json``."""

from __future__ import annotations

import msgspec

from crawler.traps.verdict import Verdict

UNKNOWN = "unknown"
MAX_STEPS = 20
MAX_NEAREST = 5

FOUND_ON = "found on"
REDIRECTED_FROM = "redirected from"


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """How one got to a URL: from which other."""

    how: str  #: `FOUND_ON` or `REDIRECTED_FROM`
    url: str


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """A URL, and how it ended or that it waits."""

    url: str
    outcome: str  #: as `Why.outcome`
    reason: str | None = None
    status: int | None = None


class RobotsVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """What the stored robots.txt of the URL's origin says of it."""

    origin: str
    allowed: bool
    rule: str | None  #: that decides, such as ``Disallow: /private/``; null if none is about it
    closed: str | None  #: why all of the origin is disallowed, whatever the rules
    missing: str | None = None  #: why the file could not be had, in words
    until: str  #: when the verdict expires


class HostWait(msgspec.Struct, frozen=True, kw_only=True):
    """What a URL that was not tried to its end waits for."""

    host: str
    ready_at: str | None  #: before which the host is not asked
    retired: str | None  #: why the host is asked no more
    failures: int  #: in a row, that the host is to blame for
    backoff_s: float  #: pause between requests to it that its errors have earned it; 0 if none
    pages: int  #: kept of it, if there is a budget
    pages_per_host: int | None  #: the budget, at which it is set aside
    urls: int | None  #: that wait on it, this one included; null for one that was tried before
    ahead: int | None  #: of them, to be taken before this one
    more: bool  #: whether there are more than were counted


class LastVisit(msgspec.Struct, frozen=True, kw_only=True):
    """What the generation before knew of a URL."""

    at: str | None  #: when it was visited
    #: when the content was asked for that its record in pages.jsonl was made of, where it has one
    since: str | None = None
    #: the conditions that its server is asked with, as header lines; empty for none
    asked_with: tuple[str, ...] = ()
    content_digest: str | None = None  #: of its body then; null where it was read anew whatever it was


class BadSeed(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the seed list of which no URL could be made."""

    given: str
    place: str
    error: str


class Why(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one URL. Times are RFC 3339, UTC. Null where there is nothing to tell."""

    asked: str  #: as typed
    url: str | None  #: canonical, as the crawl would; null if none can be made of what was typed
    known: bool  #: whether the crawl has admitted it
    outcome: str  #: fetched, redirected, unchanged, excluded, failed; snoozed or pending; or unknown
    reason: str | None = None
    status: int | None = None
    has_page: bool = False  #: whether pages.jsonl has its record
    attempts: int | None = None  #: made
    at: str | None = None  #: when it ended
    due_at: str | None = None  #: when a snoozed one may be tried again
    depth: int | None = None
    priority: int | None = None
    kind: str | None = None  #: page or sitemap
    seed: str | None = None
    found: tuple[Step, ...] = ()  #: the way back to the seed, nearest first, at most `MAX_STEPS`
    found_more: bool = False  #: whether it goes on
    redirects: tuple[Ending, ...] = ()  #: what became of the target, of its target, to the end of the chain
    last_visit: LastVisit | None = None  #: of a URL that a refresh visits again
    wait: HostWait | None = None
    robots: RobotsVerdict | None = None
    traps: tuple[Verdict, ...] = ()  #: for one excluded as part of a trap: those of its site that it may be part of
    scope_rule: str | None = None  #: that keeps it out, or the last of `redirects`, by today's crawl.yaml
    max_depth: int | None = None  #: for an unknown one: it may have been found at a greater depth only
    skip_rel: tuple[str, ...] = ()  #: for an unknown one: links with such a rel are not followed
    nofollow: bool = False  #: for an unknown one: whether pages that say nofollow are obeyed
    redirected_here: str | None = None  #: for an unknown one: a URL that redirected to it
    urls_pending: int | None = None  #: for an unknown one: how many wait that may lead to it
    stopped_by: str | None = None  #: what ended the crawl early, if it has ended
    account_kept: bool = True  #: false for ``frontier: memory``: what was never fetched is not known
    bad_seeds: tuple[BadSeed, ...] = ()
    nearest: tuple[Ending, ...] = ()  #: for an unknown one: known URLs like it
    nearest_hosts: tuple[str, ...] = ()  #: for an unknown host
