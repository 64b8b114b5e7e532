"""What must be true of a crawl's files and store at any moment, and of two crawls of one web once both are done?

`conserved` is asked of a crawl whose process has died: what is committed, and only that, is held against itself. It
reads a copy, as opening a store would already begin to mend it. `Harvest` is all that a finished crawl has left, but
for what depends on time and order; two of these are compared.
"""

from __future__ import annotations

import gzip
import shutil
import sqlite3
import sys
import tempfile
from collections import Counter
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import groupby, islice
from typing import TYPE_CHECKING, Any

import msgspec

from crawler.extract.lastmod import LASTMODS

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

#: what may differ between two crawls of the same answers
_OF_TIME_AND_ORDER = {
    "pages": {"fetched_at", "elapsed_s", "via", "depth"},
    "outcomes": {"at", "attempts", "via", "depth"},
    "links": {"depth"},
    "items": {"_fetched_at"},
    "items.rejects": {"_fetched_at"},
}
SCRAPED = ("items", "items.rejects")
"""What `tests.support.matrix.RULES` have written."""
#: totals that count what was thrown away by a death, too, or time
_UNSTEADY_COUNTERS = {"elapsed_ms", "attempts", "snoozes", "wire_bytes", "latency_sum_ms"}
#: likewise, a total for each status and each bucket; each of them adds up to the attempts
_OF_ATTEMPTS = ("status", "latency")
_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a crawl had come, by what it had committed."""

    admitted: int = 0
    ended: int = 0
    bytes: int = 0  #: of all its output files together


class Address(msgspec.Struct):
    """The one field by which records are counted."""

    url: str


class Scraped(msgspec.Struct):
    """The page a record was scraped of."""

    url: str = msgspec.field(name="_url")


def conserved(directory: Path) -> Progress:
    """Hold what a dead crawl has committed against itself.

    Raises:
        AssertionError: A record is lost, twice there or torn; or the numbers do not add up.
    """
    with _copied(directory) as store:
        if store is None:
            return Progress()
        assert store.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        positions = dict(store.execute("SELECT name, bytes FROM file"))
        ended = {
            "pages": _column(store, "SELECT url FROM ledger WHERE has_page"),
            "outcomes": _column(store, "SELECT url FROM ledger WHERE NOT has_page AND at IS NOT NULL"),
        }
        admitted = _column(store, "SELECT url FROM url")
        (waiting,) = store.execute("SELECT count(*) FROM ledger WHERE outcome IN ('pending', 'snoozed')").fetchone()
        (tallied,) = store.execute("SELECT sum(urls) FROM tally").fetchone()
        fingerprints = store.execute("SELECT coalesce(sum(length(fingerprints)), 0) / 8 FROM seen").fetchone()[0]
    for name, urls in ended.items():
        lines = committed_lines(directory, name, positions[name]) if name in positions else []
        written = [msgspec.json.decode(line, type=Address).url for line in lines]
        assert not (twice := _twice(written)), f"twice in {name}: {twice}"
        _same(f"{name} on disk and in the store", Counter(written), Counter(urls))
    if "links" in positions:
        committed_lines(directory, "links", positions["links"])
    for name in SCRAPED:
        lines = committed_lines(directory, name, positions[name]) if positions.get(name) else []
        of_pages = [url for url, _ in groupby(msgspec.json.decode(line, type=Scraped).url for line in lines)]
        assert not (twice := _twice(of_pages)), f"scraped twice in {name}: {twice}"
        assert set(of_pages) <= set(ended["pages"]), f"in {name} of what is no page"
    assert not (twice := _twice(admitted)), f"twice in the store: {twice}"
    assert len(admitted) == tallied + waiting, f"{len(admitted)} admitted, {tallied} ended and {waiting} waiting"
    assert tallied == sum(map(len, ended.values()))
    assert fingerprints == len(admitted)
    return Progress(admitted=len(admitted), ended=tallied, bytes=sum(positions.values()))


def committed_lines(directory: Path, name: str, position: int | None = None) -> list[bytes]:
    """The lines of an output file, packed or not, up to where it is committed; by default all of it.

    Raises:
        AssertionError: There is a torn line, or less than that.
    """
    path = output(directory, name)
    packed = path.read_bytes()
    if position is not None:
        assert len(packed) >= position, f"{path} has {len(packed)} bytes, of which {position} are committed"
        packed = packed[:position]
    match path.suffix:
        case ".gz":
            text = gzip.decompress(packed)
        case ".zst":
            text = zstd.decompress(packed) if packed else b""
        case _:
            text = packed
    assert text.endswith(b"\n") or not text, f"{path} ends with a torn line"
    return text.splitlines()


def output(directory: Path, name: str) -> Path:
    """Where the records of a sink are, whatever packs them."""
    (path,) = (path for suffix in ("", ".gz", ".zst") if (path := directory / f"{name}.jsonl{suffix}").exists())
    return path


@dataclass(frozen=True, kw_only=True)
class Harvest:
    """What a finished crawl has left, but for what depends on time and order."""

    files: Mapping[str, Counter[bytes]]  #: sink name -> its records
    store: Mapping[str, Counter[Any]]  #: table -> its rows
    summary: Mapping[str, Any]
    endings: Mapping[str, tuple[str, str | None, int | None]]  #: URL -> outcome, reason, status

    @classmethod
    def of(cls, directory: Path) -> Harvest:
        """Read a finished crawl.

        Raises:
            AssertionError: It is not whole, or its files, its store and its summary do not agree.
        """
        conserved(directory)
        files, endings = {}, {}
        for name in ("pages", "outcomes", "links", *SCRAPED):
            if name not in ("pages", "outcomes") and not list(directory.glob(f"{name}.jsonl*")):
                continue
            records = [msgspec.json.decode(line) for line in committed_lines(directory, name)]
            files[name] = Counter(_steady(name, record) for record in records)
            if name in ("pages", "outcomes"):
                ends = {r["url"]: (r.get("outcome", "fetched"), r.get("reason"), r["status"]) for r in records}
                assert len(ends) == len(records), f"{len(records) - len(ends)} URLs twice in {name}"
                assert not endings.keys() & ends.keys(), "URLs in both pages and outcomes"
                endings |= ends
        summary = msgspec.json.decode((directory / "summary.json").read_bytes())
        assert summary["complete"], summary
        runs = [msgspec.json.decode(line) for line in (directory / "runs.jsonl").read_bytes().splitlines()]
        assert (runs[-1]["event"], runs[-1]["ended"]) == ("ended", "complete"), runs[-1]
        assert (directory / "report.html").read_bytes().rstrip().endswith(b"</html>")
        assert summary["pending"] == 0
        assert summary["admitted"] == sum(summary["outcomes"].values()) == len(endings)
        assert summary["pages"] == files["pages"].total()
        for name in SCRAPED[: 2 * ("items" in files)]:
            counted = summary["rules"]["items"]["rejects" if name.endswith(".rejects") else "records"]
            assert counted == files.get(name, Counter()).total(), name
        kept = ("admitted", "outcomes", "reasons", "refusals", "seeds", "pages", "rules")
        files["seeds"] = Counter((directory / "seeds.jsonl").read_bytes().splitlines())
        return cls(
            files=files,
            store=_store(directory),
            summary={key: summary[key] for key in kept},
            endings=endings,
        )

    def same_as(self, other: Harvest) -> None:
        """Compare with a crawl of the same answers.

        Raises:
            AssertionError: They differ.
        """
        assert self.endings == other.endings, _told_ends(self.endings, other.endings)
        assert self.files.keys() == other.files.keys()
        for name, records in self.files.items():
            _same(name, records, other.files[name])
        for table, rows in self.store.items():
            _same(f"crawl.db: {table}", rows, other.store[table])
        assert self.summary == other.summary


def _store(directory: Path) -> dict[str, Counter[Any]]:
    """The tables of a finished crawl, which are also held against its files' lengths."""
    with _copied(directory) as store:
        if store is None:
            return {}
        positions = dict(store.execute("SELECT name, bytes FROM file"))
        for name, position in positions.items():
            if name in ("warc", LASTMODS) or (not position and name.endswith(".rejects")):
                continue  # whose position is no length; made with its first line
            length = output(directory, name).stat().st_size
            assert length == position, f"{name} has {length} bytes, of which {position} are committed"
        questions = {
            "ledger": "SELECT url, host, seed, scope_host, kind, priority, outcome, reason, status, target, has_page "
            "FROM ledger",
            "url.extra": "SELECT url, extra FROM url",
            "seed": "SELECT DISTINCT seed, scope_host FROM seed",
            "host": "SELECT name, coalesce(delay_s, 0), retired FROM host",
            "robots": "SELECT origin, closed, verdict FROM robots",
            "tally": "SELECT outcome, urls FROM tally",
            "snoozed": "SELECT id FROM snoozed",
            "chunk": "SELECT first FROM chunk",
        }
        rows = {table: Counter(store.execute(question).fetchall()) for table, question in questions.items()}
        counters = dict(store.execute("SELECT name, value FROM counter"))
    for kind in _OF_ATTEMPTS:
        counted = sum(value for name, value in counters.items() if name.startswith(f"{kind} "))
        assert counted == counters["attempts"], f"{counted} by {kind} of {counters['attempts']} attempts"
    return rows | {"counter": Counter(row for row in counters.items() if row[1] and _is_steady(row[0]))}


@contextmanager
def _copied(directory: Path) -> Iterator[sqlite3.Connection | None]:
    """A copy of the crawl's store; None if it has none yet, with tables."""
    if not (directory / "crawl.db").exists():
        yield None
        return
    with tempfile.TemporaryDirectory() as folder:
        for path in directory.glob("crawl.db*"):
            shutil.copy(path, folder)
        with closing(sqlite3.connect(f"{folder}/crawl.db")) as store:
            created = store.execute("SELECT count(*) FROM sqlite_master WHERE name = 'meta'").fetchone() == (1,)
            yield store if created else None


def _is_steady(counter: str) -> bool:
    return counter not in _UNSTEADY_COUNTERS and counter.partition(" ")[0] not in _OF_ATTEMPTS


def _column(store: sqlite3.Connection, question: str) -> list[str]:
    return [value for (value,) in store.execute(question)]


def _steady(name: str, record: dict[str, Any]) -> bytes:
    return msgspec.json.encode({key: value for key, value in record.items() if key not in _OF_TIME_AND_ORDER[name]})


def _twice(urls: list[str]) -> list[str]:
    return [url for url, times in Counter(urls).items() if times > 1][:_SHOWN]


def _same(what: str, left: Counter[Any], right: Counter[Any]) -> None:
    missing, strange = right - left, left - right
    shown = [list(islice(records, _SHOWN)) for records in (missing, strange)]
    assert left == right, f"{what}: {missing.total()} missing: {shown[0]}, {strange.total()} too many: {shown[1]}"


def _told_ends(left: Mapping[str, object], right: Mapping[str, object]) -> str:
    urls = [url for url in left.keys() | right.keys() if left.get(url) != right.get(url)]
    return f"{len(urls)} URLs: " + "; ".join(f"{url}: {left.get(url)}, not {right.get(url)}" for url in urls[:_SHOWN])
