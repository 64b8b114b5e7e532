"""What would a web answer that changes between two visits, and what must a crawl find changed?

``ChangingWeb`` is served by `tests.support.server.Server`. Its state is moved on by hand: `move` begins a new state,
then `change`, `remove`, `restore` and `add` (or `plant`, which draws) say what is different in it, and `expected`
says what a refresh must tell. Each host has a style, in turn:

- ``etag``, ``modified``, ``both``: validators, and honest answers 304 to conditional requests;
- ``same``: none of them, but the same bytes until the page changes;
- ``noisy``: none of them, and a date, a counter and a token that differ at every answer;
- ``weak``: the same noise, with a weak ETag of what counts.

Page 0 of a host is its front page, page n links to 2n+1 and 2n+2, and to the pages that were added to it. Links stand
in boilerplate. A page that is gone still was known: what it led to is found from the generation before.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

from tests.support.changing_pages import PARTS, Look, html
from tests.support.web import Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.hits import Hit

STYLES = ("etag", "modified", "both", "same", "noisy", "weak")
COUNTS = frozenset(PARTS) - {"boilerplate"}

_HTML = ("Content-Type", "text/html; charset=utf-8")
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Leaf:
    """One page, in one state of the web."""

    look: Look
    #: the status it is gone with, or the path it redirects to
    gone: int | str | None = None
    #: pages that were added to it
    links: tuple[int, ...] = ()
    #: the state in which its bytes were last new
    step: int = 0
    #: wall time of that
    at: float = 0.0
    #: whether it was there in an earlier state
    lived: bool = True


@dataclass(frozen=True)
class Planted:
    """What a refresh must tell of a URL."""

    change: str  #: as in changes.jsonl
    parts: frozenset[str] = frozenset()  #: which of `COUNTS` changed


@dataclass
class ChangingWeb:
    """Hosts ``h0.test``, ``h1.test``, … of equally many pages at first."""

    hosts: int = 1
    pages_per_host: int = 30
    #: of the hosts, in turn
    styles: tuple[str, ...] = STYLES
    #: what sitemaps say of pages, by host in turn: ``honest``, ``stale`` (never moves), ``restless`` (always now),
    #: ``silent`` (no lastmod); empty: there are no sitemaps
    lastmods: tuple[str, ...] = ()
    #: of the main text
    words: int = 200
    #: seconds a page has been as it is when the web begins
    age_s: float = 30 * 86_400.0
    #: wall time; what changes is stamped with it
    now: Callable[[], float] = time.time
    step: int = 0
    answers: int = 0
    _leaves: dict[tuple[int, int], Leaf] = field(default_factory=dict)
    _before: dict[tuple[int, int], Leaf] = field(default_factory=dict)
    _added: dict[int, int] = field(default_factory=dict)
    _began: float = 0.0

    def __post_init__(self) -> None:
        self._began = self.now() - self.age_s

    # What is there.

    def seeds(self) -> list[str]:
        """The front page of every host."""
        return [self.url(host, 0) for host in range(self.hosts)]

    def url(self, host: int, number: int) -> str:
        """Of a page."""
        return f"http://h{host}.test{_path(number)}"

    def style(self, host: int) -> str:
        """Of a host."""
        return self.styles[host % len(self.styles)]

    def numbers(self, host: int) -> range:
        """Of all pages that a host has or had."""
        return range(self.pages_per_host + self._added.get(host, 0))

    def pages(self) -> list[tuple[int, int]]:
        """Host and number of all pages that are there now."""
        return [
            (host, number)
            for host in range(self.hosts)
            for number in self.numbers(host)
            if self.leaf(host, number).gone is None
        ]

    def leaf(self, host: int, number: int) -> Leaf:
        """A page as it is now."""
        return self._leaves.get((host, number)) or self._first(host, number)

    # What becomes of it.

    def move(self) -> None:
        """Begin a new state, in which nothing is different yet."""
        self.step += 1
        self._leaves = {key: replace(leaf, lived=leaf.lived or leaf.gone is None) for key, leaf in self._leaves.items()}
        self._before = dict(self._leaves)

    def change(self, host: int, number: int, *parts: str) -> None:
        """Change a page in some of its `PARTS`."""
        look = self.leaf(host, number).look
        self._set(host, number, look=replace(look, **{part: getattr(look, part) + 1 for part in parts}))

    def remove(self, host: int, number: int, how: int | str = 404) -> None:
        """A page is gone: with a status (404, 410, 503), or with a redirect to a path or a URL."""
        self._set(host, number, gone=how)

    def restore(self, host: int, number: int) -> None:
        """A page is back, as it was."""
        self._set(host, number, gone=None)

    def add(self, host: int, parent: int | None = 0) -> int:
        """A new page, linked from `parent`, or from the sitemap alone; its number."""
        number = self.numbers(host).stop
        self._added[host] = self._added.get(host, 0) + 1
        self._leaves[host, number] = replace(self._first(host, number), step=self.step, at=self.now(), lived=False)
        if parent is not None:
            self._set(host, parent, links=(*self.leaf(host, parent).links, number))
        return number

    def plant(self, seed: int, *, share: float = 0.05, gone: float = 0.01, new: float = 0.01) -> None:
        """Change a share of all pages, in their boilerplate alone as many again, and remove and add some."""
        drawn = random.Random(f"plant {self.step} {seed}")
        there = [page for page in self.pages() if page[1]]
        count = len(there)
        drawn.shuffle(there)
        for page in there[: (changed := round(count * share))]:
            self.change(*page, *drawn.sample(sorted(COUNTS), drawn.randint(1, 2)))
        for page in there[changed : 2 * changed]:
            self.change(*page, "boilerplate")
        for page in there[2 * changed : 2 * changed + round(count * gone)]:
            self.remove(*page, drawn.choice((404, 410, "/")))
        for host, parent in drawn.choices(there[:changed], k=round(count * new)) if changed else ():
            self.add(host, parent)

    def expected(self) -> dict[str, Planted]:
        """URL -> what is different since the last `move`, of all pages that are there or were there then."""
        told = {}
        for host in range(self.hosts):
            for number in self.numbers(host):
                if planted := self._planted(host, number):
                    told[self.url(host, number)] = planted
        return told

    # What it answers.

    def respond_to(self, hit: Hit, visit: int) -> Reply:
        """Answer a request, with 304 where its conditions allow that (RFC 9110, section 13.2.2)."""
        self.answers += 1
        number_of_host = hit.host.removesuffix(".test").removeprefix("h")
        if not number_of_host.isdecimal() or int(number_of_host) >= self.hosts:
            return Reply(421, body=b"no such host")
        host = int(number_of_host)
        if hit.path == "/robots.txt":
            sitemap = f"Sitemap: http://h{host}.test/sitemap.xml\n" if self.lastmods else ""
            return Reply(200, (("Content-Type", "text/plain"),), f"User-agent: *\nDisallow:\n{sitemap}".encode())
        if hit.path == "/sitemap.xml" and self.lastmods:
            return Reply(200, (("Content-Type", "text/xml"),), self._sitemap(host))
        number = _number(hit.path)
        if number is None or number not in self.numbers(host):
            return Reply(404, (_HTML,), b"<title>No such page</title>")
        return self._page(host, number, hit)

    def _page(self, host: int, number: int, hit: Hit) -> Reply:
        leaf = self.leaf(host, number)
        if isinstance(leaf.gone, str):
            return Reply(301, (("Location", leaf.gone),))
        if leaf.gone is not None:
            return Reply(leaf.gone, (_HTML,), b"<title>Gone</title>")
        style = self.style(host)
        validators = self._validators(style, leaf)
        if _is_met(hit, dict(validators)):
            return Reply(304, validators)
        noise = f"{self.answers} on {datetime.now(UTC):%c}" if style in ("noisy", "weak") else ""
        return Reply(
            200, (_HTML, *validators), html(leaf.look, self._links(host, number), noise=noise, words=self.words)
        )

    def _validators(self, style: str, leaf: Leaf) -> tuple[tuple[str, str], ...]:
        tag = f'"{leaf.look.host}-{leaf.look.number}-{leaf.step}"'
        modified = format_datetime(_EPOCH + timedelta(minutes=leaf.step), usegmt=True)
        of_styles = {
            "etag": (tag, None),
            "weak": (f"W/{tag}", None),
            "modified": (None, modified),
            "both": (tag, modified),
        }
        etag, last_modified = of_styles.get(style, (None, None))
        return tuple((name, value) for name, value in (("ETag", etag), ("Last-Modified", last_modified)) if value)

    def _links(self, host: int, number: int) -> list[str]:
        children = [child for child in (2 * number + 1, 2 * number + 2) if child < self.pages_per_host]
        return [_path(child) for child in (*children, *self.leaf(host, number).links)]

    def _sitemap(self, host: int) -> bytes:
        kind = self.lastmods[host % len(self.lastmods)]
        entries = []
        for number in self.numbers(host):
            leaf = self.leaf(host, number)
            at = {"honest": leaf.at, "stale": self._began, "restless": self.now(), "silent": None}[kind]
            said = "" if at is None else f"<lastmod>{datetime.fromtimestamp(at, UTC).isoformat()}</lastmod>"
            if leaf.gone is None:
                entries.append(f"<url><loc>{self.url(host, number)}</loc>{said}</url>")
        head = '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
        return f"{head}{''.join(entries)}</urlset>".encode()

    def _first(self, host: int, number: int) -> Leaf:
        return Leaf(Look(host, number), at=self._began)

    def _set(self, host: int, number: int, **fields: object) -> None:
        self._leaves[host, number] = replace(self.leaf(host, number), step=self.step, at=self.now(), **fields)

    def _planted(self, host: int, number: int) -> Planted | None:
        now = self.leaf(host, number)
        if number >= self.pages_per_host and (host, number) not in self._before:
            return Planted("new") if now.gone is None else None
        before = self._before.get((host, number)) or self._first(host, number)
        if before.gone is not None:
            return None if now.gone is not None else Planted("back" if before.lived else "new")
        if now.gone is not None:
            return Planted("gone")
        parts = frozenset(part for part in COUNTS if getattr(before.look, part) != getattr(now.look, part))
        return Planted("changed", parts) if parts else Planted("unchanged")


def _path(number: int) -> str:
    return f"/pages/{number}" if number else "/"


def _number(path: str) -> int | None:
    if path == "/":
        return 0
    name = path.removeprefix("/pages/")
    return int(name) if name.isdecimal() and path == _path(int(name)) else None


def _is_met(hit: Hit, validators: dict[str, str]) -> bool:
    """Whether nothing is new under the request's conditions: the ETag is asked first, and the date not besides."""
    if hit.if_none_match is not None:
        return _opaque(hit.if_none_match) == _opaque(validators.get("ETag"))
    return hit.if_modified_since is not None and hit.if_modified_since == validators.get("Last-Modified")


def _opaque(etag: str | None) -> str | None:
    """For the weak comparison."""
    return etag and etag.removeprefix("W/")
