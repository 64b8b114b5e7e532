"""What did a crawl come to? Its facts, from what lies in its directory and nothing else.

A crawl that runs is told as of its last checkpoint: its store says up to where each file is committed, and is asked
once. Where there is no store (``frontier: memory``, or one that is damaged), files alone are asked, and a remark says
what that leaves open. Memory does not grow with the crawl: what may be any number is sampled, cut or added up; totals
are exact.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from crawler import __version__
from crawler.dataset.totals import robots
from crawler.errors import FrontierError
from crawler.models import OUTCOMES, PAGES, Outcome
from crawler.report.collect_changes import changes_of
from crawler.report.collect_ends import Ends
from crawler.report.collect_hosts import HostCounts
from crawler.report.collect_mined import mined_of
from crawler.report.collect_pages import Pages
from crawler.report.collect_robots import MAX_ORIGINS, robots_of
from crawler.report.collect_rules import rules_of
from crawler.report.collect_runs import runs_of, seconds
from crawler.report.collect_seeds import seeds_of
from crawler.report.dead import MAX_FOLLOWED
from crawler.report.depths import Depths
from crawler.report.facts import Refused, Report
from crawler.report.lying import look
from crawler.report.timeline import Steps
from crawler.resume import OUTPUT
from crawler.traps.stored import TRAPS, decoded
from crawler.wording import counted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from crawler.config import CrawlConfig
    from crawler.report.lying import Lying

MAX_CONFIG = 200_000
MAX_TRAPS = 100
MAX_REFUSALS = 200
_REFUSED, _STATUS = "refused ", "status "


def collect(directory: Path, *, now: float, pages: Path | None = None, config: CrawlConfig | None = None) -> Report:
    """The facts of the crawl in `directory`.

    Args:
        directory: Of a crawl that runs, was interrupted or killed, or has ended.
        now: Wall time.
        pages: Its page records, where they are not in the directory and no store says where.
        config: What its crawl.yaml says, if that is known.

    Raises:
        ConfigError: No crawl lies there.
        CrawlerError: A file is there twice, as it was written and unpacked.
    """
    lying = look(directory, pages, config)
    hosts = HostCounts(lying.stored.hosts if lying.stored else None)
    steps, depths = Steps(), Depths()
    ends, fetched = Ends(hosts, steps, depths), Pages(hosts, steps, depths, since=_since(lying))
    ends.read(lying.sources)
    fetched.read(lying.sources, ends.dead)
    report = _Report(lying, hosts, steps, ends, fetched)
    return Report(
        name=lying.config.name,
        directory=_plain(str(directory)),
        pages_file=_plain(os.fsdecode(lying.stored.blobs.get(OUTPUT, b""))) if lying.stored else "",
        version=__version__,
        made_at=now,
        state=lying.state,
        timeline=steps.told(),
        depths=depths.told(),
        **report.crawl(),
        **report.asked(),
        **report.counts(),
        **report.pages(),
        **report.hosts(),
        **report.found(),
        changes=changes_of(lying.sources),
        remarks=report.remarks(),  # the last: making the others may add some
    )


class _Report:
    """What was read, put together: each method gives some of the fields of `Report`."""

    def __init__(self, lying: Lying, hosts: HostCounts, steps: Steps, ends: Ends, pages: Pages) -> None:
        self._lying = lying
        self._hosts = hosts
        self._steps = steps
        self._ends = ends
        self._pages = pages
        self._counters: Mapping[str, int] = lying.stored.counters if lying.stored else {}
        self._remarks = lying.sources.remarks
        self._outcomes = dict(ends.outcomes)
        self._kept = lying.stored.kept if lying.stored else ()
        kept = sum(one.pages for one in self._kept) if lying.stored else pages.older
        self._outcomes[Outcome.UNCHANGED] += kept
        self._outcomes[Outcome.FETCHED] += pages.count - kept

    def crawl(self) -> dict[str, Any]:
        """When and how it was run, and how it ended."""
        lying, summary = self._lying, self._lying.summary
        first, last = self._steps.began_at, self._steps.ended_at
        runs = runs_of(lying.sources, summary, first)
        began = min((run.began_at for run in runs), default=first)
        ended = seconds(summary.ended_at) if summary else last
        elapsed_s = self._counters.get("elapsed_ms", 0) / 1000
        if not elapsed_s and summary:
            elapsed_s = summary.elapsed_s
        return {
            "complete": summary.complete if summary else False,
            "stopped_by": summary.stopped_by if summary else None,
            "runs": runs,
            "began_at": began,
            "ended_at": ended,
            "elapsed_s": elapsed_s,
        }

    def asked(self) -> dict[str, Any]:
        """What was asked for."""
        lying = self._lying
        text = lying.text
        if len(text) > MAX_CONFIG:
            self._remarks.append(f"The configuration has {len(text):,} characters, of which the first are shown.")
        return {
            "config": text[:MAX_CONFIG],
            "seeds": seeds_of(lying.config, lying.sources, lying.summary),
            "unverified": lying.summary.unverified if lying.summary else lying.config.fetch.unverified,
        }

    def counts(self) -> dict[str, Any]:
        """How many URLs there are and how they ended. ``admitted == sum(outcomes.values()) + pending``."""
        stored, summary = self._lying.stored, self._lying.summary
        if stored is not None:
            outcomes, pending = stored.outcomes, stored.pending
            self._compare(outcomes)
        else:
            outcomes = {str(outcome): count for outcome, count in self._outcomes.items()}
            pending = max(0, summary.admitted - sum(outcomes.values())) if summary else 0
            if pending:
                self._remarks.append(f"On which hosts {counted(pending, 'URL')} wait is not known.")
        seen = self._pages.statuses.counts + self._ends.statuses.counts
        answers = {int(name[len(_STATUS) :]): n for name, n in self._counters.items() if name.startswith(_STATUS) and n}
        if not answers and summary:
            answers = summary.statuses
        return {
            "admitted": sum(outcomes.values()) + pending,
            "outcomes": outcomes,
            "pending": pending,
            "pages": self._pages.count,
            "generation": self._lying.generation,
            "kept": self._pages.older,
            "kept_bytes": self._pages.older_bytes,
            "wire_bytes": self._counters.get("wire_bytes", summary.wire_bytes if summary else 0),
            "attempts": self._counters.get("attempts", summary.attempts if summary else 0),
            "snoozes": self._counters.get("snoozes", summary.snoozes if summary else 0),
            "statuses": dict(sorted((answers or seen).items())),
        }

    def hosts(self) -> dict[str, Any]:
        """How each host fared."""
        stored = self._lying.stored
        told, others = self._hosts.told(self._lying.config.limits, pending=stored.pending if stored else None)
        if self._hosts.is_full:
            told_apart = f"the first {len(self._hosts.counts):,} were told apart"
            self._remarks.append(f"Of the hosts, {told_apart}; how many there are is not known.")
        kept_out = self._ends.disallowed.most()
        return {
            "hosts": told,
            "other_hosts": others,
            "n_hosts": stored.n_hosts if stored else len(self._hosts.counts),
            "robots": robots_of(self._robots([*kept_out]), kept_out),
            "n_robots": max(stored.n_robots if stored else 0, len(kept_out)),
        }

    def pages(self) -> dict[str, Any]:
        """What the pages are like."""
        pages, all_hosts = self._pages, self._hosts.together()
        if pages.without_digest:
            self._remarks.append(
                f"{counted(pages.without_digest, 'page')} without content_digest (extract.fields): whether they are "
                "duplicates is not known."
            )
        return {
            "body_bytes": all_hosts.body_bytes,
            "content_types": pages.content_types.most(),
            "charsets": pages.charsets.most(),
            "languages": pages.languages.most(),
            "latency": all_hosts.latency.told(),
            "duplicates": pages.duplicates,
            "biggest": pages.biggest,
            "slowest": pages.slowest,
            "truncated": pages.truncated.most(),
            "needs_js": pages.needs_js,
            "mined": mined_of(self._lying.directory.path, pages.count, self._remarks),
        }

    def found(self) -> dict[str, Any]:
        """What was left out and why, and what rules found."""
        lying, summary, dead = self._lying, self._lying.summary, self._ends.dead
        blobs = lying.stored.blobs if lying.stored else {}
        traps = list(summary.traps) if summary else [verdict for _, verdict in decoded(blobs.get(TRAPS, b"")).verdicts]
        if dead.count > MAX_FOLLOWED:
            self._remarks.append(
                f"Of {dead.count:,} dead links, the first {MAX_FOLLOWED:,} were looked for on the pages."
            )
        if dead.followed and self._pages.without_links and lying.sources.path("links") is None:
            self._remarks.append(
                "Links of pages were not kept (extract.links, extract.fields), so of a dead link only the page it was "
                "first found on is known."
            )
        return {
            "reasons": self._ends.reasons(self._kept),
            "refusals": self._refusals(),
            "rules": rules_of(lying.config, lying.sources, blobs.get("rules", b""), summary),
            "fallen": tuple(summary.fallen) if summary else (),
            "dead_links": dead.told(),
            "n_dead_links": dead.count - dead.unlinked(),
            "traps": tuple(sorted(traps, key=lambda trap: -trap.excluded)[:MAX_TRAPS]),
        }

    def remarks(self) -> tuple[str, ...]:
        """What the reader must know."""
        return tuple(dict.fromkeys(map(_plain, self._remarks)))

    def _compare(self, stored: Mapping[str, int]) -> None:
        """Say so where the files do not hold what the store says."""
        for outcome, count in self._outcomes.items():
            if stored.get(outcome, 0) != count:
                self._remarks.append(
                    f"crawl.db has {stored.get(outcome, 0):,} URLs as {outcome}, and {PAGES}.jsonl and "
                    f"{OUTCOMES}.jsonl have {count:,}: tables made from the files do not add up to the account."
                )

    def _refusals(self) -> tuple[Refused, ...]:
        summary = self._lying.summary
        counts = {name[len(_REFUSED) :]: n for name, n in self._counters.items() if name.startswith(_REFUSED) and n}
        if not counts and summary:
            counts = dict(summary.refusals)
        examples = summary.refusal_examples if summary else {}
        most = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:MAX_REFUSALS]
        return tuple(Refused(rule=rule, count=n, examples=tuple(examples.get(rule, ()))) for rule, n in most)

    def _robots(self, origins: list[str]) -> list[Any]:
        if self._lying.stored is None:
            return []
        try:
            return robots(self._lying.directory.store, origins[:MAX_ORIGINS], MAX_ORIGINS)
        except FrontierError as error:
            self._remarks.append(str(error))
            return []


def _since(lying: Lying) -> float:
    """When the crawl began, if it refreshes another: what was fetched before is of that one; else 0."""
    if lying.generation == 1:
        return 0.0
    return min((run.began_at for run in runs_of(lying.sources, lying.summary, None)), default=0.0)


def _plain(text: str) -> str:
    """`text` with escapes for what is no text in the name of a file."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
