"""What a frontier promises: storage of what is known, what is left and how each URL ended.

Storage only: it knows nothing of pace, robots or sockets. All methods are called from the event loop's
thread. A URL is *admitted* when `add` or `discover` finds it new; from then on it is pending until a
committed `Checkpoint` holds its `Finished`. Nothing is written when a URL is taken: a crash simply leaves
it pending. Links are takeable at once, in memory; durable with the next `commit`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from crawler.models import Kind

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Sequence

    from crawler.models import Checkpoint, Counts, Finished, HostKey, HostState, Link, Request, Restored, RobotsFile


def depth_below(parent: Request) -> int:
    """How deep that is which `parent` leads to. A sitemap is a way to find pages, and none that a reader would go."""
    return parent.depth if parent.kind is Kind.SITEMAP else parent.depth + 1


class Frontier(Protocol):
    """All URLs of one crawl."""

    async def open(self) -> Restored:
        """Open or create the store. Whatever was not committed before is gone.

        Raises:
            FrontierError: The store is damaged, locked, or of a newer format.
        """
        ...

    @property
    def key(self) -> int:
        """The crawl's own random 64-bit fingerprint key, stored with it (so that no page can forge a collision), which
        all its generations share: that holds while nobody else has seen a store that is crawled with."""
        ...

    def add(self, requests: Sequence[Request]) -> list[bool]:
        """Admit seeds and redirect targets; True where the URL was new. Fingerprints are computed here."""
        ...

    def add_taken(self, requests: Sequence[Request]) -> list[Request]:
        """Admit as `add` does, and hand out at once, as `take` would, those that were new: URLs whose end is known."""
        ...

    def discover(self, parent: Request, links: Sequence[Link]) -> list[HostKey]:
        """Admit a page's new links with its seed, scope_host and `via`, at `depth_below` it.

        Returns:
            The distinct host keys that gained URLs. Synchronous: no other coroutine runs between a
            parent's result and its links.
        """
        ...

    def expect_nothing(self) -> None:
        """All is admitted that is `known`. Until then, what `discover` finds of it, or what `add` is given without,
        counts as met before: it will come with what is known of it."""
        ...

    @property
    def uncommitted(self) -> int:
        """URLs admitted that no commit has begun to store: what `add` and `discover` hold in memory."""
        ...

    async def wake(self) -> tuple[list[HostKey], float | None]:
        """Make snoozed URLs takeable whose time has come; nothing else does.

        Returns:
            The distinct hosts that gained URLs, and the monotonic time at which the next ones are due: None if
            nothing else is snoozed. What is snoozed by a later commit may be due sooner.
        """
        ...

    async def take(self, wanted: Sequence[tuple[HostKey, int]]) -> list[Request]:
        """Hand out up to n URLs for each host, each URL once per process: lowest priority number first, then by depth
        (the lowest first, or the highest, as the frontier was made), then first found. Snoozed ones that `wake` found
        due come before all others. Never waits for a commit."""
        ...

    def cut(self) -> None:
        """Leave URLs admitted from now on to the commit after the next one: those before belong to what has ended by
        now. Without it the next commit stores what was admitted before it began. Nothing but that commit may follow."""
        ...

    async def commit(self, checkpoint: Checkpoint) -> None:
        """Make `checkpoint`, and every URL admitted before this call or the last `cut`, durable in one transaction.

        Requests in `snoozed` become takeable again once their time has come, with the attempt they have there: one more
        where the last one failed, the same where none was made. An empty blob removes its name.

        Raises:
            FrontierError: Nothing of the checkpoint was stored.
        """
        ...

    async def hosts(
        self, ready_before: float, cursor: int, limit: int, pages_below: int | None = None
    ) -> tuple[list[HostState], int]:
        """Up to `limit` hosts that have takeable URLs and whose stored `ready_at` (wall time) is not after
        `ready_before`, going round from `cursor`; and the cursor to go on from. Each host at most once a call.

        Those whose stored `pages` are not below `pages_below` are passed over, unless they are retired: URLs of such
        hosts have to end.
        """
        ...

    async def host(self, host_key: HostKey) -> HostState | None:
        """The stored state of one host; None if none was ever committed."""
        ...

    async def robots(self, origin: str) -> RobotsFile | None:
        """The stored robots verdict of an origin, fresh or not; None if there is none."""
        ...

    async def find(self, urls: Sequence[str]) -> list[Finished | None]:
        """How each canonical URL ended; None while its end is not committed, or the URL unknown."""
        ...

    async def requeue(self, urls: AsyncIterable[Sequence[str]], checkpoint: Checkpoint) -> int:
        """Make ended URLs pending again, as if never tried; the number of them.

        In one transaction, durable on return, with what else `checkpoint` holds (nothing finished or snoozed).
        Forgotten with it: failures, backing off and retirement of their hosts, and every verdict on robots.txt that
        closes its origin. A host that was retired is ready at once; another may have asked to be left alone, and still
        is. Its `pages` are fewer by those of them that had one. URLs that have no committed end stay as they are.

        Args:
            urls: Canonical, in batches of some hundreds; read to the end before anything changes.
            checkpoint: What becomes true with it: lengths of rewritten files, counters, blobs.

        Raises:
            FrontierError: Nothing was stored.
        """
        ...

    def counts(self) -> Counts:
        """Including what is not committed yet: a URL leaves `pending` when its checkpoint is committed."""
        ...

    async def aclose(self) -> None:
        """Release the store. Does not commit."""
        ...
