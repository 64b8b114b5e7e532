"""How did every URL of a crawl end, and what does its store know of its content? For comparisons with another crawl.

Streamed in the order of discovery, in memory that does not grow with their number.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import msgspec

from crawler.dataset.ledger import PENDING, checked, connected
from crawler.frontier.sqlite_schema import read_back
from crawler.models import Kind, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BATCH = 2_000

_ENDINGS = """
SELECT url.id, url.url, coalesce(done.outcome, ''), done.reason, done.status, done.target, done.at,
    coalesce(done.has_page, 0), url.extra -> '$.kind' = '"sitemap"', history.gone_at, validator.etag,
    validator.last_modified
FROM url
    LEFT JOIN done ON done.id = url.id
    LEFT JOIN history ON history.id = url.id
    LEFT JOIN validator ON validator.id = url.id
WHERE url.id > ? ORDER BY url.id LIMIT ?
"""


class Ending(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """How one URL ended, or that it has not."""

    outcome: str = ""  #: of `Outcome`; empty if it waits still
    reason: str | None = None
    status: int | None = None
    target: str | None = None
    at: float | None = None  #: wall time of its end
    has_page: bool = False
    is_sitemap: bool = False
    gone_at: float | None = None  #: since when a refresh has not found the content it once had
    etag: str | None = None
    last_modified: str | None = None

    @property
    def has_ended(self) -> bool:
        """Whether it waits no more."""
        return bool(self.outcome) and self.outcome != PENDING

    @property
    def has_content(self) -> bool:
        """Whether it is a page, or else some content that its server gives: no redirect, no error, no sitemap."""
        return self.has_page or (not self.is_sitemap and self.outcome in (Outcome.FETCHED, Outcome.UNCHANGED))


def endings(path: Path) -> Iterator[tuple[str, Ending]]:
    """Each URL of the store at `path`, with how it ended.

    Raises:
        FrontierError: It cannot be read, is no crawl's store, of another format, or damaged.
    """
    with read_back(path), closing(connected(path)) as connection:
        checked(connection, path)
        connection.execute("BEGIN")
        last = 0
        while rows := connection.execute(_ENDINGS, (last, _BATCH)).fetchall():
            last = rows[-1][0]
            for _, url, outcome, reason, status, target, at, has_page, is_sitemap, *content in rows:
                is_kind = bool(is_sitemap) or reason == Kind.SITEMAP
                yield url, Ending(outcome, reason, status, target, at, bool(has_page), is_kind, *content)


def positions(path: Path) -> dict[str, int]:
    """Up to where the file of each sink is committed, as of one moment. Errors as for `endings`."""
    with read_back(path), closing(connected(path)) as connection:
        checked(connection, path)
        return dict(connection.execute("SELECT name, bytes FROM file").fetchall())


def blob(path: Path, name: str) -> bytes:
    """A small state that checkpoints store under a name; empty if there is none. Errors as for `endings`."""
    with read_back(path), closing(connected(path)) as connection:
        checked(connection, path)
        rows = connection.execute("SELECT content FROM blob WHERE name = ?", (name,)).fetchall()
        return bytes(rows[0][0]) if rows else b""
