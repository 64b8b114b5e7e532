"""Which requests would only lead deeper into a trap? Learns from each page, and is asked before each request.

A site is looked at in three steps. At first one page in thirty-two tells (`extract.marks`). Once some of these say
nothing new the site is *watched*: all its pages tell, so that it is known which are repeats. What may be stopped soon
is *slowed*: put off, so that at most one request in five is of that kind, and everything else comes first. At last it
is *stopped*: URLs of that kind end as ``excluded trap``, those found before too. They are never fetched, so they yield
no more of them, and the trap dries out.

Memory: `MAX_REMEMBERED` hashes for all sites together, at 60 to 150 bytes each, so at most about 20 MB; the site that
was quiet for longest is forgotten first, one with something stopped last.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from msgspec.structs import replace

from crawler.models import Kind as Requested
from crawler.traps.shapes import Kind
from crawler.traps.site import REPEATS, Site
from crawler.traps.stored import decoded, encoded, restored_site
from crawler.traps.verdict import Counted, Verdict, evidence
from crawler.url import Url, host, registrable_domain

if TYPE_CHECKING:
    import re2

    from crawler.clock import Clock
    from crawler.config import TrapsConfig
    from crawler.models import HostKey, Page, Request

log = logging.getLogger(__name__)

MAX_REMEMBERED = 150_000
MAX_SITES, MAX_HOSTS = 10_000, 20_000
MAX_VERDICTS = 500
_SUSPECTS_SHARE = 4  # other pages to one of a suspect
_MAX_PAUSE_S = 10.0
_SPREAD = 8  # pauses over which those put off are spread: so long may a crawl wait for what is then refused
_SMOOTHING = 0.1


class Traps:
    """Finds the traps of one crawl. A `crawler.checkpoint.Keeper`.

    Args:
        config: The thresholds.
        clock: Tells the time; its monotonic side.
        allow: ``traps.allow``, compiled; None if it is empty.
    """

    def __init__(self, config: TrapsConfig, clock: Clock, allow: re2.Set | None = None) -> None:
        self._config = config
        self._clock = clock
        self._allow = allow
        #: the site that was quiet for longest first
        self._sites: dict[str, Site] = {}
        #: names of those that are watched
        self._watched: set[str] = set()
        self._names: dict[HostKey, str] = {}
        self._remembered = 0
        self._put_off = 0
        #: by site and what `Site.refused` calls it
        self._verdicts: dict[tuple[str, str], Verdict] = {}
        self._changed = False
        self._state = b""

    def learn(self, request: Request, page: Page) -> None:
        """Take in what a page says, and where its links lead."""
        if page.marks is None or (self._allow is not None and self._allow.Match(request.url)):
            return
        name = self._name(request.host_key)
        site = self._sites.pop(name, None)
        size = 0 if site is None else len(site)
        site = self._sites[name] = site or Site(name, self._config)
        repeats = len(site.repeats)
        if site.watched:
            self._pace(site)
        for kind, what in site.learn(request, page.marks, page.links):
            self._stop(site, kind, what)
        if len(site.repeats) != repeats and site.has_stopped:
            self._changed = True
        (self._watched.add if site.watched else self._watched.discard)(name)
        self._remembered += len(site) - size
        if self._remembered > MAX_REMEMBERED or len(self._sites) > MAX_SITES:
            self._forget()

    def before(self, request: Request) -> str | float | Request | None:
        """Whether a request may be made, as `Policy` asks: ``trap``; when to ask again; what to request instead."""
        if not self._watched or (name := self._name(request.host_key)) not in self._watched:
            return None
        if request.kind is not Requested.PAGE or (self._allow is not None and self._allow.Match(request.url)):
            return None
        site = self._sites[name]
        if site.has_stopped and site.refused(request) is not None:
            return "trap"
        if self._config.slow_s and site.is_suspect(request):
            now = self._clock.monotonic()
            pause_s = min(max(self._config.slow_s, _SUSPECTS_SHARE * site.pause_s), _MAX_PAUSE_S)
            if now < site.next_at:
                self._put_off += 1
                return now + pause_s * (1 + self._put_off % _SPREAD)
            site.next_at = now + pause_s
        return replace(request, watched=True)

    def excluded(self, request: Request) -> None:
        """A request has ended for what `before` said."""
        name = self._name(request.host_key)
        site = self._sites.get(name)
        what = site.refused(request) if site is not None else None
        verdict = self._verdicts.get((name, what)) if what is not None else None
        if verdict is not None:
            verdict.excluded += 1
            self._changed = True

    def account(self) -> list[Verdict]:
        """What is stopped, that with the most URLs excluded first."""
        return sorted(self._verdicts.values(), key=lambda verdict: -verdict.excluded)

    def restore(self, state: bytes) -> None:
        """See `Keeper.restore`."""
        stored = decoded(state)
        self._verdicts = {(verdict.site, what): verdict for what, verdict in stored.verdicts}
        for of in stored.sites:
            self._sites[of.name] = site = restored_site(of, self._config)
            self._watched.add(of.name)
            self._remembered += len(site)
        self._state = state

    def state(self) -> bytes:
        """See `Keeper.state`."""
        if self._changed:
            stopped = [site for site in self._sites.values() if site.has_stopped]
            self._state = encoded([(what, verdict) for (_, what), verdict in self._verdicts.items()], stopped)
            self._changed = False
        return self._state

    async def sync(self, *, fsync: bool) -> None:
        """See `Keeper.sync`: there is nothing but the state."""

    def _name(self, key: HostKey) -> str:
        """The site a host is of."""
        name = self._names.get(key)
        if name is None:
            if len(self._names) >= MAX_HOSTS:
                self._names.clear()
            name = self._names[key] = registrable_domain(host(Url(f"http://{key}/")))
        return name

    def _pace(self, site: Site) -> None:
        """Learn how often the pages of a site come."""
        now = self._clock.monotonic()
        if site.pages_at and not site.next_at:  # until suspects are slowed down, and so is all
            site.pause_s += _SMOOTHING * (min(now - site.pages_at, _MAX_PAUSE_S) - site.pause_s)
        site.pages_at = now

    def _stop(self, site: Site, kind: Kind, what: str) -> None:
        if kind is Kind.SESSION:
            pattern, tally = site.pattern_of_part(what), site.ids.tally(what)
            counted = Counted(repeats=tally.same, fresh=tally.differ, examples=tally.examples)
        elif what == REPEATS:
            pattern, counted = site.pattern_of_repeats(), site.whole.counted
        else:
            group = next(group for of, group in site.groups.items() if of.pattern == what)
            pattern, counted = what, group.counted
        verdict = Verdict(
            site=site.name,
            pattern=pattern,
            kind=kind,
            evidence=evidence(kind, counted),
            examples=tuple(counted.examples),
        )
        if len(self._verdicts) < MAX_VERDICTS:  # the log has them all
            self._verdicts[site.name, what] = verdict
        self._changed = True
        log.warning(
            "a trap is stopped",
            extra={"host": site.name, "why": f"{kind}: {pattern}: {verdict.evidence}; such as {verdict.examples[-1]}"},
        )

    def _forget(self) -> None:
        """Make room: forget sites, the one that was quiet for longest first, and of the others what is large."""
        for name in list(self._sites):
            if self._remembered <= MAX_REMEMBERED * 0.9 and len(self._sites) <= MAX_SITES * 0.9:
                return
            site = self._sites[name]
            if not site.has_stopped:
                self._remembered -= len(site)
                self._watched.discard(name)
                del self._sites[name]
        for site in self._sites.values():
            size = len(site)
            site.forget_half()
            self._remembered += len(site) - size
