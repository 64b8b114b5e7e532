"""What is different between two files of records? Records added, removed, and changed, and which of their fields.

Both files are read side by side, and records put aside until their partner comes by: those of one archive are in the
same order in both, so that few wait. Those that do beyond `_HELD` of a side, or `_HELD_BYTES`, are in a private
temporary database, so memory is bounded however the files are ordered.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import msgspec

from crawler.dataset.lines import Lines
from crawler.directory import SPELLINGS
from crawler.errors import CrawlerError
from crawler.models import LINKS, MAX_EXAMPLES, OUTCOMES, PAGES, SITEMAPS
from crawler.sinks import CHANGES, FILES, is_late

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

_HELD, _HELD_BYTES = 2_000, 16 << 20  # records of a side
_OTHERS = frozenset((OUTCOMES, LINKS, SITEMAPS, FILES, CHANGES, "seeds", "runs"))


class Difference(msgspec.Struct, kw_only=True):
    """Between two files of records of one sink."""

    before: int = 0  #: records
    now: int = 0
    added: int = 0
    removed: int = 0
    changed: int = 0
    #: field -> in how many of the changed ones it differs, or is in one of both only
    fields: Counter[str] = msgspec.field(default_factory=Counter)
    #: ``added`` and ``removed`` -> URLs of a few records
    examples: dict[str, list[str]] = msgspec.field(default_factory=dict)
    #: field -> URLs of a few of the changed records
    field_examples: dict[str, list[str]] = msgspec.field(default_factory=dict)

    @property
    def is_none(self) -> bool:
        """Whether both hold the same."""
        return not (self.added or self.removed or self.changed)


def compare(before: Path | None, now: Path | None, sink: str) -> Difference:
    """Compare two files of the records of `sink`; None is a file without any.

    A page is known by its URL, an item of a page by that and its number on the page.

    Raises:
        CrawlerError: A file cannot be read, or holds what is no record.
    """
    found = Difference()
    with closing(_Waiting()) as waiting:
        for old, new in zip_longest(_records(before, sink), _records(now, sink)):
            if old is not None:
                found.before += 1
                if (partner := waiting.met("now", old[0])) is not None:
                    _compare(found, old, (old[0], partner))
                else:
                    waiting.add("before", *old)
            if new is not None:
                found.now += 1
                if (partner := waiting.met("before", new[0])) is not None:
                    _compare(found, (new[0], partner), new)
                else:
                    waiting.add("now", *new)
        for side, what in (("now", "added"), ("before", "removed")):
            for key in waiting.left(side):
                setattr(found, what, getattr(found, what) + 1)
                _example(found.examples, what, key)
    return found


def _records(path: Path | None, sink: str) -> Iterator[tuple[str, bytes]]:
    """Key and line of each record."""
    if path is None:
        return
    decoder: msgspec.json.Decoder[_PageKey | _ItemKey]
    decoder = msgspec.json.Decoder(_PageKey if sink == PAGES else _ItemKey)
    last, number = "", 0
    for place, line in enumerate(Lines(path), 1):
        try:
            url = decoder.decode(line).url
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise CrawlerError(f"{path}:{place}: not a record of {sink}: {error}") from error
        number = number + 1 if url == last else 0
        last = url
        yield (f"{url} {number}", line)


class _PageKey(msgspec.Struct):
    url: str


class _ItemKey(msgspec.Struct):
    url: str = msgspec.field(name="_url")


def _compare(found: Difference, old: tuple[str, bytes], new: tuple[str, bytes]) -> None:
    if old[1] == new[1]:
        return
    was, is_now = _fields(old[1]), _fields(new[1])
    different = [name for name in was | is_now if was.get(name, _ABSENT) != is_now.get(name, _ABSENT)]
    if different:
        found.changed += 1
    for name in different:
        found.fields[name] += 1
        _example(found.field_examples, name, new[0])


_ABSENT = object()


def _fields(line: bytes) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.json.decode(line)
    return fields


def _example(of: dict[str, list[str]], what: str, key: str) -> None:
    examples = of.setdefault(what, [])
    url = key.rpartition(" ")[0]
    if len(examples) < MAX_EXAMPLES and url not in examples:
        examples.append(url)


class _Waiting:
    """Records of each side whose partner has not come by."""

    def __init__(self) -> None:
        self._held: dict[str, dict[str, bytes]] = {"before": {}, "now": {}}
        self._bytes = {"before": 0, "now": 0}  # of those held
        self._spilt = {"before": 0, "now": 0}
        self._base = sqlite3.connect("", isolation_level=None)
        self._base.execute("PRAGMA journal_mode = OFF")
        for side in self._held:
            self._base.execute(f"CREATE TABLE {side} (key TEXT PRIMARY KEY, line BLOB)")

    def add(self, side: str, key: str, line: bytes) -> None:
        """Let it wait."""
        held = self._held[side]
        held[key] = line
        self._bytes[side] += len(line)
        if len(held) > _HELD or self._bytes[side] > _HELD_BYTES:
            self._base.execute("BEGIN")
            self._base.executemany(f"INSERT OR REPLACE INTO {side} VALUES (?, ?)", held.items())  # noqa: S608
            self._base.execute("COMMIT")
            self._spilt[side] += len(held)
            held.clear()
            self._bytes[side] = 0

    def met(self, side: str, key: str) -> bytes | None:
        """The line that waits there under this key, which now waits no more."""
        line = self._held[side].pop(key, None)
        if line is not None:
            self._bytes[side] -= len(line)
        if line is not None or not self._spilt[side]:
            return line
        row = self._base.execute(f"DELETE FROM {side} WHERE key = ? RETURNING line", (key,)).fetchone()  # noqa: S608
        if row is None:
            return None
        self._spilt[side] -= 1
        return bytes(row[0])

    def left(self, side: str) -> Iterator[str]:
        """The keys of those that wait still."""
        for (key,) in self._base.execute(f"SELECT key FROM {side} ORDER BY rowid"):  # noqa: S608
            yield str(key)
        yield from self._held[side]

    def close(self) -> None:
        """Forget all."""
        self._base.close()


def compare_all(before: Path, now: Path, *, made_of: Collection[str] = ()) -> dict[str, Difference]:
    """Sink -> what is different, for the pages and scraped records of two directories; a missing file holds none.

    Args:
        before: A directory.
        now: The other.
        made_of: Names of files that may have been made of the records in `before`, and are no sinks unless `now` has
            them too: a rule may be called the same.

    Raises:
        CrawlerError: As `compare`.
    """
    old, new = _files(before), _files(now)
    old = {name: path for name, path in old.items() if name in new or name not in made_of}
    names = sorted(old.keys() | new.keys(), key=lambda name: (name != PAGES, name))
    return {name: compare(old.get(name), new.get(name), name) for name in names}


def _files(folder: Path) -> dict[str, Path]:
    """Sink -> file, for those whose records can be compared."""
    found = {}
    for path in sorted(folder.iterdir()):
        name, dot, spelling = path.name.partition(".jsonl")
        if dot and spelling in SPELLINGS and name not in _OTHERS and not is_late(name):
            found[name] = path
    return found
