"""What does the generation before know of its URLs, one after the other? Read for the one that is being made.

Its store is read by SQL on the tables that docs/crawl-db.md describes, and beside it the index of where its records
lie (`refresh.index`). Nothing writes to it: it stays whole and in force until the new one is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import msgspec

from crawler.dataset.ledger import checked, connected
from crawler.frontier.draft import Extra
from crawler.frontier.sqlite_schema import STATE_COLUMNS, read_back
from crawler.models import HostState, Kind, Robots, RobotsFile
from crawler.refresh.line_kinds import CUT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

#: one row for many URLs: each row stepped to gives up the interpreter's lock, and may have to wait for it
_URLS = """
SELECT json_group_array(json_array(
    url.id, url.url, host.name, url.priority, url.depth, coalesce(parent.url, url.via), seed.seed, seed.scope_host,
    json(url.extra), done.outcome, done.reason, done.status, done.at, coalesce(done.has_page, 0) = 1,
    validator.etag, validator.last_modified, held.bytes, held.digest, held.fetched_at,
    history.visits, history.changes, history.watched_s, history.checked_at, history.changed_at, history.gone_at,
    history.lastmod
))
FROM (SELECT id FROM url WHERE id > ?1 AND {which} ORDER BY id LIMIT ?2) AS asked
    CROSS JOIN url ON url.id = asked.id
    JOIN host ON host.id = url.host
    JOIN seed ON seed.id = url.seed
    LEFT JOIN url AS parent ON parent.id = url.via
    LEFT JOIN done ON done.id = url.id
    LEFT JOIN validator ON validator.id = url.id
    LEFT JOIN held.held AS held ON held.id = url.id
    LEFT JOIN history ON history.id = url.id
"""
_SITEMAP = 'extra LIKE \'%"kind":"sitemap"%\''
_WHICH = {None: "1", Kind.SITEMAP: _SITEMAP, Kind.PAGE: f"(extra IS NULL OR NOT {_SITEMAP})"}
_HOSTS = f"SELECT name, {', '.join(STATE_COLUMNS)} FROM host WHERE failures NOTNULL AND id > ? ORDER BY id LIMIT ?"  # noqa: S608


class BaseUrl(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A URL that the generation before had admitted, in the order of the columns that are read."""

    id: int
    url: str
    host: str
    priority: int
    depth: int
    via: str | None
    seed: str
    scope_host: str
    extra: Extra | None
    outcome: str | None  #: None while it was pending
    reason: str | None
    status: int | None  #: None also where nobody asked
    at: float | None  #: when it ended
    has_page: bool
    etag: str | None
    last_modified: str | None
    bytes: int | None  #: of all its records, newlines included; None for none
    digest: str | None  #: ``content_digest`` of its page record; `line_kinds.CUT` where its body was cut short
    fetched_at: str | None  #: of its records, as they have it
    visits: int | None  #: this and what follows: as in `history`; None for a URL that has none
    changes: int | None
    watched_s: float | None
    checked_at: float | None
    changed_at: float | None
    gone_at: float | None
    lastmod: str | None

    @property
    def kind(self) -> Kind:
        """Whether it is a page or a sitemap."""
        return self.extra.kind if self.extra else Kind.PAGE

    @property
    def has_content(self) -> bool:
        """Whether there is something of it that a visit may find unchanged."""
        return self.outcome in {"fetched", "unchanged"}

    @property
    def is_cut(self) -> bool:
        """Whether what is there of it is not all that its server meant to send."""
        return self.digest == CUT

    @property
    def visited_at(self) -> float:
        """When its server was last asked for it; 0 for never."""
        if self.outcome == "unchanged" and self.status is None and self.checked_at:
            return self.checked_at  # what is not visited ends, too
        return self.at or 0.0


_ROWS = msgspec.json.Decoder(list[BaseUrl], strict=False)


class Base:
    """The store of the generation before, with the index of its records. A context manager; for one thread at a time.

    Args:
        store: Its crawl.db.
        index: What `refresh.index` made of its files; without it, URLs cannot be read.

    Raises:
        FrontierError: It cannot be read, is not a crawl's store, of another format, or damaged. All methods do.
    """

    def __init__(self, store: Path, index: Path | None) -> None:
        self._path = store
        with read_back(store):
            self._connection = connected(store, one_thread=False)
            try:
                checked(self._connection, store)
                if index is not None:
                    self._connection.execute("ATTACH ? AS held", (f"{index.resolve().as_uri()}?mode=ro",))
            except BaseException:
                self._connection.close()
                raise

    @classmethod
    def plain(cls, store: Path) -> Self:
        """The store alone."""
        return cls(store, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the store."""
        self._connection.close()

    def batch(self, after: int, limit: int, kind: Kind | None = None) -> list[BaseUrl]:
        """The first URLs after an id, in the order of ids; of one kind, if that is given."""
        with read_back(self._path):
            ((text,),) = self._connection.execute(_URLS.format(which=_WHICH[kind]), (after, limit)).fetchall()
            return _ROWS.decode(text)

    def urls(self, kind: Kind | None = None, *, at_once: int = 2_000) -> Iterator[BaseUrl]:
        """All of them, in the order of ids; takes no memory by their number."""
        last = 0
        while batch := self.batch(last, at_once, kind):
            yield from batch
            last = batch[-1].id

    def count(self) -> int:
        """How many there are."""
        ((urls,),) = self._rows("SELECT coalesce(max(id), 0) FROM url")
        return int(urls)

    def hosts(self, at_once: int = 5_000) -> Iterator[list[HostState]]:
        """What politeness must go on remembering of each host, in batches; not what it had of the crawl alone."""
        last = 0
        while True:
            with read_back(self._path):
                rows = self._connection.execute(_HOSTS.replace("SELECT", "SELECT id,", 1), (last, at_once)).fetchall()
                states = msgspec.convert([row[1:] for row in rows], list[HostState])
            if not rows:
                return
            last = rows[-1][0]
            yield [msgspec.structs.replace(state, retired=None, pages=0, requests=0, waited_s=0.0) for state in states]

    def robots(self, now: float, at_once: int = 500) -> Iterator[list[RobotsFile]]:
        """The verdicts that are fresh yet, in batches; not those that shut an origin as nobody answered there."""
        last = ""
        while True:
            with read_back(self._path):
                rows = self._connection.execute(
                    "SELECT origin, expires_at, verdict FROM robots WHERE origin > ? AND expires_at > ? "
                    "AND closed IS NULL ORDER BY origin LIMIT ?",
                    (last, now, at_once),
                ).fetchall()
                files = [
                    RobotsFile(origin=origin, expires_at=until, robots=msgspec.json.decode(verdict, type=Robots))
                    for origin, until, verdict in rows
                ]
            if not rows:
                return
            last = rows[-1][0]
            yield files

    def blob(self, name: str) -> bytes:
        """A small state that checkpoints store under a name; empty if there is none."""
        rows = self._rows("SELECT content FROM blob WHERE name = ?", (name,))
        return bytes(rows[0][0]) if rows else b""

    def version(self) -> str:
        """Of the package that began it."""
        rows = self._rows("SELECT value FROM meta WHERE name = 'version'")
        return str(rows[0][0]) if rows else ""

    def _rows(self, statement: str, parameters: tuple[object, ...] = ()) -> list[Any]:
        with read_back(self._path):
            return self._connection.execute(statement, parameters).fetchall()
