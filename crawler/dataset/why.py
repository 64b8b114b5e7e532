"""What happened to a URL, where was it found, and if it was not: why not, and which known ones are like it?

Facts only, as one value; putting them into words is left to whoever prints it. What the store knows it is asked for
(`ledger`); what is never stored is worked out again: which rule of robots.txt or of the scope keeps a URL out.
Both are of now: the rules that the store and crawl.yaml hold, which may be newer than the outcome they explain.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from crawler.clock import rfc3339
from crawler.config.file import load
from crawler.dataset import nearest
from crawler.dataset.asked import bad_seeds, readings
from crawler.dataset.chains import ending, redirects, way_back
from crawler.dataset.facts import (
    FOUND_ON,
    MAX_NEAREST,
    MAX_STEPS,
    REDIRECTED_FROM,
    UNKNOWN,
    Ending,
    HostWait,
    LastVisit,
    RobotsVerdict,
    Step,
    Why,
)
from crawler.dataset.ledger import PENDING, SNOOZED, KnownUrls
from crawler.dataset.written import find_written
from crawler.directory import CrawlDirectory, State
from crawler.errors import ConfigError, UrlError
from crawler.extract.robots_match import deciding_rule
from crawler.known import condition_lines
from crawler.scope import Scope
from crawler.traps.stored import TRAPS, verdicts_on
from crawler.url import Url, host, host_key, origin, path_and_query

if TYPE_CHECKING:
    from pathlib import Path

    from crawler.config import CrawlConfig
    from crawler.dataset.ledger import Known, Waiting
    from crawler.known import Known as Before
    from crawler.models import RobotsFile


def explain(directory: Path, asked: str, now: float) -> Why:
    """What happened in the crawl in `directory` to the URL that somebody typed; a host is tried as https, then http.

    Args:
        directory: Of a crawl that runs, was killed or has ended.
        asked: What was typed.
        now: Wall time.

    Raises:
        ConfigError: `directory` holds no crawl, or `asked` is not a URL and was no seed either.
        CrawlerError: What the crawl left cannot be read.
    """
    files = CrawlDirectory(directory)
    store = directory / "crawl.db"
    if not store.exists() and files.state() is State.UNUSED:
        raise ConfigError(f"{directory}: holds no crawl: there is neither a crawl.db nor an outcomes.jsonl in it")
    config = load(files.config).config
    try:
        urls = readings(asked, config.urls)
    except UrlError as error:
        bad = bad_seeds(files, asked)
        if not bad:
            raise ConfigError(f"{error}; expected the URL or host to explain") from error
        return Why(asked=asked, url=None, known=False, outcome=UNKNOWN, bad_seeds=bad)
    if not store.exists():
        return _of_files(files, asked, urls, config)
    with KnownUrls(store) as known_urls:
        case = _Case(known_urls, config, files, now)
        found = known_urls.find(urls)
        known = next((found[url] for url in urls if url in found), None)
        return case.known(asked, known) if known else case.unknown(asked, urls[0])


class _Case:
    """One question to a store."""

    def __init__(self, store: KnownUrls, config: CrawlConfig, files: CrawlDirectory, now: float) -> None:
        self._store = store
        self._config = config
        self._scope = Scope(config.scope)
        self._files = files
        self._now = now

    def known(self, asked: str, known: Known) -> Why:
        """What there is to tell of an admitted URL."""
        steps = list(islice(way_back(self._store, known), MAX_STEPS + 1))
        chain = redirects(self._store, known)
        waits = known.outcome in (PENDING, SNOOZED)
        return msgspec.structs.replace(
            _told(asked, known),
            found=tuple(steps[:MAX_STEPS]),
            found_more=len(steps) > MAX_STEPS,
            redirects=chain,
            wait=self._wait(known) if waits else None,
            robots=self._robots(Url(known.url)) if waits or _is_about_robots(known) else None,
            traps=verdicts_on(self._store.blob(TRAPS), Url(known.url), self._config.traps)
            if known.reason == "trap"
            else (),
            scope_rule=self._rule_against(known, chain),
            stopped_by=_stopped_by(self._files) if waits else None,
        )

    def unknown(self, asked: str, url: Url) -> Why:
        """Why a URL may never have been admitted, and what is like it."""
        near = self._nearest(url)
        hosts = self._store.hosts_like(host_key(url))
        scope_host = self._store.scope_host_for(host(url))
        return Why(
            asked=asked,
            url=url,
            known=False,
            outcome=UNKNOWN,
            robots=self._robots(url),
            scope_rule=self._scope.refusal(url, scope_host, 0) if scope_host else None,
            max_depth=self._config.scope.max_depth,
            skip_rel=self._config.robots.skip_rel,
            nofollow=self._config.robots.nofollow,
            redirected_here=self._store.redirecting_to(url),
            urls_pending=self._store.pending(),
            stopped_by=_stopped_by(self._files),
            bad_seeds=bad_seeds(self._files, asked),
            nearest=tuple(ending(known) for known in near),
            nearest_hosts=()
            if host_key(url) in hosts
            else tuple(nearest.nearest_hosts(host_key(url), hosts)[:MAX_NEAREST]),
        )

    def _wait(self, known: Known) -> HostWait:
        state = self._store.host(host_key(Url(known.url)))
        queue: Waiting | None = None
        if known.outcome == PENDING:
            queue = self._store.waiting(known, deepest_first=self._config.order == "depth")
        return HostWait(
            host=known.host,
            ready_at=rfc3339(state.ready_at) if state and state.ready_at > self._now else None,
            retired=state.retired if state else None,
            failures=state.failures if state else 0,
            backoff_s=state.backoff_s if state else 0.0,
            pages=state.pages if state else 0,
            pages_per_host=self._config.budget.pages_per_host,
            urls=queue.urls if queue else None,
            ahead=queue.ahead if queue else None,
            more=bool(queue and queue.more),
        )

    def _robots(self, url: Url) -> RobotsVerdict | None:
        file = self._store.robots(origin(url)) if self._config.robots.obey else None
        return _verdict(file, url) if file else None

    def _rule_against(self, known: Known, chain: tuple[Ending, ...]) -> str | None:
        """The scope rule behind an outcome that is the scope's doing."""
        url = Url(known.url)
        from_seed = known.depth == 0 and known.via is None
        if known.reason == "seed_out_of_scope" or (known.reason == "scope_narrowed" and from_seed):
            return self._scope.seed_refusal(url)
        if known.reason == "scope_narrowed":
            return self._scope.refusal(url, known.scope_host, known.depth)
        last = chain[-1] if chain else None
        if last and last.outcome == UNKNOWN:
            target = Url(last.url)
            return self._scope.refusal(target, host(target) if from_seed else known.scope_host, known.depth)
        return None

    def _nearest(self, url: Url) -> list[Known]:
        variants = nearest.spellings(url, self._config.urls)
        spelt = self._store.find(variants)
        near: dict[str, Known] = {variant: spelt[variant] for variant in variants if variant in spelt}
        if len(near) < MAX_NEAREST:
            like = {known.url: known for known in self._store.like(url, nearest.last_part(url))}
            near |= {text: like[text] for text in nearest.by_likeness(url, like.keys() - near.keys())}
        return list(near.values())[:MAX_NEAREST]


def _of_files(files: CrawlDirectory, asked: str, urls: list[Url], config: CrawlConfig) -> Why:
    """What the files of a crawl without a store tell."""
    variants = nearest.spellings(urls[0], config.urls)
    found = find_written(files.path, [*urls, *variants])
    known = next((found[url] for url in urls if url in found), None)
    if known is None:
        return Why(
            asked=asked,
            url=urls[0],
            known=False,
            outcome=UNKNOWN,
            account_kept=False,
            stopped_by=_stopped_by(files),
            bad_seeds=bad_seeds(files, asked),
            nearest=tuple(ending(found[url]) for url in variants if url in found)[:MAX_NEAREST],
        )
    steps = [Step(how=REDIRECTED_FROM, url=url) for url in reversed(known.redirected_from or ())]
    if known.via is not None:
        steps.append(Step(how=FOUND_ON, url=known.via))
    redirects = (Ending(url=known.target, outcome=UNKNOWN),) if known.target else ()
    return msgspec.structs.replace(_told(asked, known), account_kept=False, found=tuple(steps), redirects=redirects)


def _told(asked: str, known: Known) -> Why:
    """What the row of a URL itself tells."""
    return Why(
        asked=asked,
        url=known.url,
        known=True,
        outcome=known.outcome,
        reason=known.reason,
        status=known.status,
        has_page=known.has_page,
        attempts=known.attempts,
        at=None if known.at is None else rfc3339(known.at),
        due_at=None if known.due_at is None or known.outcome != SNOOZED else rfc3339(known.due_at),
        depth=known.depth,
        priority=known.priority,
        kind=known.kind,
        seed=known.seed,
        last_visit=_last_visit(known.before) if known.before else None,
    )


def _last_visit(before: Before) -> LastVisit:
    return LastVisit(
        at=rfc3339(before.at) if before.at else None,
        since=rfc3339(before.since) if before.since else None,
        asked_with=tuple(condition_lines(before).splitlines()),
        content_digest=before.digest or None,
    )


def _is_about_robots(known: Known) -> bool:
    return known.reason in ("robots", "robots_unreachable")


def _verdict(file: RobotsFile, url: Url) -> RobotsVerdict:
    decided = deciding_rule(file.robots, path_and_query(url))
    return RobotsVerdict(
        origin=file.origin,
        allowed=file.closed is None and (decided is None or decided[0]),
        rule=f"{'Allow' if decided[0] else 'Disallow'}: {decided[1]}" if decided else None,
        closed=file.closed,
        missing=file.robots.missing,
        until=rfc3339(file.expires_at),
    )


def _stopped_by(files: CrawlDirectory) -> str | None:
    summary = files.read_summary()
    return summary.stopped_by if summary else None
