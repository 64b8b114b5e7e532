"""How did each host fare, and how slowly was it asked, and why?

So many hosts are told apart, and the others added up: those the store knows to have the most pages, or without a store
those that come first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from crawler.models import HostKey
from crawler.politeness.limits import LimitTable, adaptive_of
from crawler.politeness.throttle import Throttle
from crawler.report.facts import Host
from crawler.report.histogram import Histogram
from crawler.wording import delay

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crawler.config import LimitsConfig
    from crawler.dataset.totals import StoredHost

MAX_HOSTS = 500
MAX_TOLD_APART = 20_000
"""Where no store says beforehand which have the most pages."""
OTHER_HOSTS = "(other hosts)"


class HostCount:
    """What is counted of a host."""

    __slots__ = ("body_bytes", "excluded", "failed", "latency", "others", "pages", "redirected")

    def __init__(self) -> None:
        self.pages = 0
        self.redirected = 0
        self.excluded = 0
        self.failed = 0
        self.others = 0
        self.body_bytes = 0
        self.latency = Histogram()

    @property
    def ended(self) -> int:
        """URLs of it that have ended."""
        return self.pages + self.redirected + self.excluded + self.failed + self.others

    def join(self, other: HostCount) -> None:
        """Count those of another, too."""
        self.pages += other.pages
        self.redirected += other.redirected
        self.excluded += other.excluded
        self.failed += other.failed
        self.others += other.others
        self.body_bytes += other.body_bytes
        self.latency.join(other.latency)


class HostCounts:
    """The hosts of a crawl.

    Args:
        stored: Those that are told apart; None if nobody knows.
    """

    def __init__(self, stored: Iterable[StoredHost] | None) -> None:
        self._is_open = stored is None
        self._stored = {host.host: host for host in stored or ()}
        self.counts = {name: HostCount() for name in self._stored}
        self.others = HostCount()
        #: whether some were added up for want of room, though nobody knows which have the most pages, nor how many
        self.is_full = False

    def of_url(self, url: str) -> HostCount:
        """Where this URL is counted. A text that is none, in a damaged file, has no host."""
        parts = url.split("/", 3)  # as `crawler.url.host_key`
        name = parts[2] if len(parts) > 2 else ""
        found = self.counts.get(name)
        if found is None:
            if not self._is_open:
                return self.others
            if len(self.counts) >= MAX_TOLD_APART:
                self.is_full = True
                return self.others
            found = self.counts[name] = HostCount()
        return found

    def together(self) -> HostCount:
        """All hosts added up."""
        whole = HostCount()
        for count in (*self.counts.values(), self.others):
            whole.join(count)
        return whole

    def told(self, limits: LimitsConfig, *, pending: int | None) -> tuple[tuple[Host, ...], Host | None]:
        """The hosts with the most pages, and all others added up.

        Args:
            limits: In force.
            pending: URLs of all hosts that have not ended; None if that is not known.
        """
        paces = _Paces(limits)
        most = sorted(self.counts.items(), key=lambda item: (-item[1].pages, -item[1].ended, item[0]))
        for _, count in most[MAX_HOSTS:]:
            self.others.join(count)
        hosts = []
        for name, count in most[:MAX_HOSTS]:
            stored = self._stored.get(name)
            pace = paces.of(name, stored)
            hosts.append(
                _host(
                    name,
                    count,
                    pending=stored.known - stored.ended if stored else 0,
                    delay_s=pace.delay_s,
                    why=pace.why,
                    requests=stored.requests if stored else None,
                    waited_s=stored.waited_s if stored else None,
                    retired=stored.retired if stored else None,
                )
            )
        left = max(0, (pending or 0) - sum(host.pending for host in hosts))
        if not self.others.ended and not left:
            return tuple(hosts), None
        return tuple(hosts), _host(OTHER_HOSTS, self.others, pending=left)


class Pace(NamedTuple):
    """The pause between two requests to a host, and what set it."""

    delay_s: float
    why: str


class _Paced:
    """A host, as the throttle wants it; see `crawler.politeness.throttle.Paced`."""

    def __init__(self, asked_delay_s: float, stored: StoredHost | None) -> None:
        self.asked_delay_s = asked_delay_s
        self.crawl_delay_s = stored.delay_s if stored else 0.0
        self.latency_s = stored.latency_s if stored else 0.0
        self.backoff_s = stored.backoff_s if stored else 0.0
        self.recovery_s = 0.0


class _Paces:
    """What politeness would go by now."""

    def __init__(self, limits: LimitsConfig) -> None:
        self._table = LimitTable(limits)
        self._throttle = Throttle(adaptive_of(limits))

    def of(self, name: str, stored: StoredHost | None) -> Pace:
        """The pause of a host."""
        asked = self._table.resolve(HostKey(name))
        host = _Paced(asked.delay_s, stored)
        delay_s = self._throttle.delay_s(host)
        if delay_s <= asked.delay_s:
            return Pace(delay_s, asked.delay_from)
        if delay_s <= host.crawl_delay_s:
            return Pace(delay_s, "Crawl-delay of its robots.txt")
        if delay_s <= host.backoff_s:
            return Pace(delay_s, "its errors (limits.adaptive)")
        return Pace(delay_s, f"it takes {delay(host.latency_s)} to answer (limits.adaptive)")


def _host(  # one field each
    name: str,
    count: HostCount,
    *,
    pending: int,
    delay_s: float = 0.0,
    why: str = "",
    requests: int | None = None,
    waited_s: float | None = None,
    retired: str | None = None,
) -> Host:
    return Host(
        host=name,
        pages=count.pages,
        redirected=count.redirected,
        excluded=count.excluded,
        failed=count.failed,
        others=count.others,
        pending=pending,
        body_bytes=count.body_bytes,
        latency=count.latency.told(),
        requests=requests,
        delay_s=delay_s,
        why=why,
        waited_s=waited_s,
        retired=retired,
    )
