"""What does a report tell of a crawl? Everything on its page, as numbers and texts, before any of it is drawn.

Lists are bounded by whoever collects them; where one is cut, the total beside it says of how many. All times are wall
time in seconds since 1970, UTC.
"""

from __future__ import annotations

import msgspec

from crawler.report.facts_mined import MinedFacts
from crawler.traps.verdict import Verdict


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One time that the crawl was run: it may have been resumed."""

    #: as it was typed, with what is secret masked; empty if it was started from Python
    command: str
    began_at: float
    #: None if it never said so: killed, or still running
    ended_at: float | None = None
    #: why it ended: ``complete``, ``budget.pages``, ``stop``; None if it never said so
    ended: str | None = None
    #: of crawler, Python and the system, as in ``crawler 1.0, CPython 3.11.7, Linux x86_64``
    version: str = ""


class Seeds(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for."""

    items: tuple[str, ...] = ()  #: as the configuration has them, the first of them
    n_items: int = 0
    given: int = 0
    bad: int = 0
    fetched: int = 0
    #: some that are bad: as given, and why
    bad_examples: tuple[tuple[str, str], ...] = ()


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """What came when, in steps of equal length; time when no run was under way is left in."""

    began_at: float = 0.0
    step_s: float = 1.0
    #: URLs that ended in each step, by how: pages, failures, all others; lists of one length
    pages: tuple[int, ...] = ()
    failed: tuple[int, ...] = ()
    others: tuple[int, ...] = ()
    #: of bodies after content decoding, in each step
    body_bytes: tuple[int, ...] = ()


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """How long answers took, in seconds, from the request's head to the last byte."""

    count: int = 0
    mean_s: float = 0.0
    p50_s: float = 0.0
    p90_s: float = 0.0
    p99_s: float = 0.0
    max_s: float = 0.0
    #: upper ends of buckets, and how many answers lie in each; one more for those above all
    bounds_s: tuple[float, ...] = ()
    buckets: tuple[int, ...] = ()


class Host(msgspec.Struct, frozen=True, kw_only=True):
    """One host."""

    host: str
    pages: int = 0
    redirected: int = 0
    excluded: int = 0
    failed: int = 0
    others: int = 0  #: fetched, and no page; unchanged
    pending: int = 0
    body_bytes: int = 0
    latency: Latency = Latency()
    #: request heads written; None where that was not stored (frontier: memory)
    requests: int | None = None
    #: pause between requests in force at the end, and why it is that
    delay_s: float = 0.0
    why: str = ""
    #: for how long something of it waited for its pace; None where that was not stored
    waited_s: float | None = None
    #: why it is asked no more; None if it is
    retired: str | None = None


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """URLs that ended in one way for one reason."""

    outcome: str
    reason: str
    meaning: str  #: in words
    count: int
    examples: tuple[str, ...] = ()  #: URLs


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """Links that one scope rule kept out."""

    rule: str
    count: int
    examples: tuple[str, ...] = ()


class Duplicates(msgspec.Struct, frozen=True, kw_only=True):
    """Pages with the same bytes."""

    groups: int = 0  #: of two and more
    pages: int = 0  #: in them
    #: the largest: how many, and some of their URLs
    largest: tuple[tuple[int, tuple[str, ...]], ...] = ()


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """How often a rule filled one field, and with what."""

    name: str
    filled: int | None  #: in how many of `Rule.items`; None where nobody has counted
    samples: tuple[str, ...] = ()  #: values as JSON, short


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """How one scraping rule fared."""

    name: str
    records: int
    rejects: int
    #: records and rejects of which `Field.filled` tells: all of them, but after a repair
    items: int
    pages: int  #: it matched
    fields: tuple[Field, ...] = ()
    #: some rejects: why, and the URL of the page
    rejected: tuple[tuple[str, str], ...] = ()


class PageFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One page among the biggest or the slowest."""

    url: str
    body_bytes: int
    elapsed_s: float
    title: str = ""


class DeadLink(msgspec.Struct, frozen=True, kw_only=True):
    """A URL that others link to and that is not there."""

    url: str
    reason: str  #: as ``http_404``
    #: pages that link to it, the one it was found on first
    linked_from: tuple[str, ...] = ()
    n_linked_from: int = 0


class RobotsFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What one origin's robots.txt says, and what it kept out."""

    origin: str
    #: ``rules``, ``allows all``, ``disallows all``, or why it could not be had
    verdict: str
    disallowed: int = 0  #: URLs of ours that it disallows
    crawl_delay_s: float | None = None
    sitemaps: int = 0


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """A page that is not as it was in the generation before."""

    url: str
    fields: tuple[str, ...] = ()
    items: tuple[str, ...] = ()  #: a line for each rule whose records differ
    similarity: float | None = None  #: of the main texts, 0 to 1; None where that is not known


class Gone(msgspec.Struct, frozen=True, kw_only=True):
    """A URL that had content in the generation before and has none."""

    url: str
    reason: str  #: or its outcome, where there is none
    status: int | None = None
    target: str = ""  #: where it redirects to; empty if it does not


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """What became of URLs with content since the generation before."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    gone: int = 0
    back: int = 0
    fields: dict[str, int] = {}  #: field or rule -> changed pages in which it differs, the most first
    changed_pages: tuple[Changed, ...] = ()  #: the least alike first
    gone_urls: tuple[Gone, ...] = ()  #: the first of them, as of the others
    new_urls: tuple[str, ...] = ()
    back_urls: tuple[str, ...] = ()

    @property
    def urls(self) -> int:
        """All of them."""
        return self.new + self.changed + self.unchanged + self.gone + self.back


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All of it."""

    name: str
    directory: str
    #: the file of page records, where `crawl -o FILE` put them elsewhere, as far as the store says so
    pages_file: str = ""
    version: str  #: of crawler
    made_at: float
    #: ``finished``, ``unfinished``, ``running``
    state: str
    complete: bool = False
    stopped_by: str | None = None
    runs: tuple[Run, ...] = ()
    config: str = ""  #: the effective configuration, YAML, without secrets
    seeds: Seeds = Seeds()
    began_at: float | None = None
    ended_at: float | None = None
    elapsed_s: float = 0.0  #: of all runs together

    #: ``admitted == sum(outcomes.values()) + pending``
    admitted: int = 0
    outcomes: dict[str, int] = {}
    pending: int = 0
    pages: int = 0  #: records in pages.jsonl
    #: 1 for a first crawl, more for one that refreshed another
    generation: int = 1
    #: of the pages those that an earlier generation has fetched, as they have not changed since; and their bodies
    kept: int = 0
    kept_bytes: int = 0
    wire_bytes: int = 0
    body_bytes: int = 0
    attempts: int = 0  #: answers received, robots.txt and retries included
    snoozes: int = 0

    timeline: Timeline = Timeline()
    statuses: dict[int, int] = {}  #: answers by HTTP status
    content_types: dict[str, int] = {}  #: pages by media type, the most first
    charsets: dict[str, int] = {}
    languages: dict[str, int] = {}  #: pages by language, the most first; "" where it could not be told
    depths: dict[int, tuple[int, int]] = {}  #: depth -> pages, and URLs that ended otherwise
    latency: Latency = Latency()
    hosts: tuple[Host, ...] = ()  #: the first of them by pages
    n_hosts: int = 0
    #: all hosts that `hosts` has no room for, added up; None if it has all
    other_hosts: Host | None = None
    reasons: tuple[Reason, ...] = ()  #: of exclusions, failures and others, the most first
    refusals: tuple[Refused, ...] = ()
    duplicates: Duplicates = Duplicates()
    rules: tuple[Rule, ...] = ()
    fallen: tuple[str, ...] = ()  #: what rules find less of than before, in plain lines
    biggest: tuple[PageFacts, ...] = ()
    slowest: tuple[PageFacts, ...] = ()
    dead_links: tuple[DeadLink, ...] = ()
    n_dead_links: int = 0
    robots: tuple[RobotsFacts, ...] = ()
    n_robots: int = 0
    truncated: dict[str, int] = {}  #: pages by what was cut of their records
    needs_js: int = 0
    mined: MinedFacts = MinedFacts()  #: what `crawler mine` has found
    traps: tuple[Verdict, ...] = ()
    changes: Changes | None = None  #: None for a first generation
    unverified: tuple[str, ...] = ()  #: host patterns whose certificates were not checked
    #: what the one who reads this must know: a part that could not be read, say
    remarks: tuple[str, ...] = ()
