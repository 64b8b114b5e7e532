"""A crawl directory made by hand: what a crawl would have stored, without one."""

from __future__ import annotations

from msgspec.structs import replace

from crawler.config import CrawlConfig
from crawler.config.file import dump
from crawler.frontier.sqlite import SqliteFrontier
from crawler.models import Checkpoint, Finished, Link, Outcome, Request, Robots, RobotsFile, Snoozed
from crawler.politeness.retry import hop
from crawler.url import fingerprint, host, host_key
from tests.support.clock import FakeClock

#: when everything ends that ends
AT = 1_700_000_000.0


class HandMadeCrawl:
    """A store that is open, as that of a crawl that runs, until `close`."""

    def __init__(self, folder, config=None, **options):
        folder.mkdir(exist_ok=True)
        (folder / "crawl.yaml").write_text(dump(config or CrawlConfig()))
        self.folder = folder
        self.clock = FakeClock()
        self.frontier = SqliteFrontier(folder / "crawl.db", self.clock, **options)
        self._taken = {}
        self._finished = []
        self._snoozed = []

    async def open(self, *seeds):
        await self.frontier.open()
        self.frontier.add(
            [
                Request(url=url, host_key=host_key(url), scope_host=host(url), seed=url.removeprefix("https://"))
                for url in seeds
            ]
        )
        return self

    async def links(self, parent, *urls):
        """`parent` links to these."""
        links = [Link(url=url, host_key=host_key(url), fingerprint=fingerprint(url, self.frontier.key)) for url in urls]
        self.frontier.discover(await self.taken(parent), links)

    async def end(self, url, outcome=Outcome.FETCHED, **fields):
        self._finished.append(Finished(request=await self.taken(url), outcome=outcome, at=AT, **fields))

    async def redirect(self, url, target, *, enters=True):
        """`url` redirects; its target is admitted unless it is out of scope."""
        request = await self.taken(url)
        reason = None if enters else "out_of_scope"
        await self.end(url, Outcome.REDIRECTED, status=301, target=target, reason=reason)
        if enters:
            self.frontier.add([hop(request, target)])

    async def snooze(self, url, seconds, reason="http_503"):
        """`url` failed for a reason; without one it was put off before it could be tried."""
        again = replace(await self.taken(url), attempt=2 if reason else 1)
        self._snoozed.append(Snoozed(request=again, until=self.clock.monotonic() + seconds, reason=reason))

    async def commit(self, **fields):
        checkpoint = Checkpoint(finished=tuple(self._finished), snoozed=tuple(self._snoozed), **fields)
        self._finished, self._snoozed = [], []
        await self.frontier.commit(checkpoint)

    async def close(self, **fields):
        await self.commit(**fields)
        await self.frontier.aclose()
        return self.folder

    async def taken(self, url):
        """The request for a URL of which nothing waits but what came later."""
        while url not in self._taken:
            (request,) = await self.frontier.take([(host_key(url), 1)])
            self._taken[request.url] = request
        return self._taken[url]


def configure(folder, **sections):
    """Another configuration in force, as after a resume."""
    (folder / "crawl.yaml").write_text(dump(CrawlConfig(**sections)))


def robots(*rules, closed=None):
    """The file of a.test, for a minute from `AT` on."""
    return RobotsFile(origin="https://a.test", expires_at=AT + 60, robots=Robots(rules=rules), closed=closed)
