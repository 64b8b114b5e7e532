"""How did a crawl end? The content of summary.json."""

from __future__ import annotations

import msgspec

from crawler.rule_health import RuleSummary
from crawler.traps.verdict import Verdict


class Summary(msgspec.Struct, kw_only=True, frozen=True):
    """How a crawl ended: the content of summary.json."""

    format: int = 1
    complete: bool
    stopped_by: str | None
    started_at: str  #: RFC 3339, UTC
    ended_at: str
    admitted: int
    pending: int
    outcomes: dict[str, int]
    #: outcome -> reason -> number of URLs
    reasons: dict[str, dict[str, int]]
    #: scope rule -> number of links it kept out
    refusals: dict[str, int]
    #: scope rule -> some of these links, of the last run alone
    refusal_examples: dict[str, tuple[str, ...]] = {}
    #: given_up (by the breaker), set_aside (at budget.pages_per_host), unresolved: hosts not asked for everything
    hosts: dict[str, int] = {}
    #: given, bad (no URL could be made of them), fetched
    seeds: dict[str, int]
    pages: int
    wire_bytes: int
    #: answers received, retries, redirects and robots.txt included; times a URL was put off
    attempts: int = 0
    snoozes: int = 0
    #: answers by HTTP status
    statuses: dict[int, int] = {}
    elapsed_s: float
    #: of the configuration
    name: str = ""
    #: 1 for a first crawl; a refresh makes the next one
    generation: int = 1
    #: the directory, beside this one, of the generation before; empty for a first crawl
    base: str = ""
    #: pages that look empty without JavaScript
    needs_js: int = 0
    #: host patterns whose certificates were not checked
    unverified: tuple[str, ...] = ()
    #: how each scraping rule fared
    rules: dict[str, RuleSummary] = {}
    #: what rules find less of than before, in plain lines
    fallen: tuple[str, ...] = ()
    #: what was stopped as a trap, with the evidence
    traps: list[Verdict] = []
