"""What became of each URL between two generations of a crawl? The rows of changes.jsonl.

A row for each URL that has content now or had it in the generation before, in the order of URLs: so the file depends
on the crawls alone, not on who asked when. Content is a page, or what else a server gives under a status 2xx; sitemaps
are none. A URL that had content and was not visited, as a budget ended the refresh before, has no row: nobody knows.

Pages are compared by what counts of them (`content`), and by the records of rules. Of content that is no page a change
is seen by the digest of the stored body (``export.files``), else by its validators (ETag, Last-Modified); without
either it is unchanged as far as is known.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec

from crawler.clock import rfc3339
from crawler.dataset.changed import ChangeRecord, ItemChanges
from crawler.dataset.endings import Ending
from crawler.dataset.exported import written
from crawler.diff.content import BODY, PAGE, Compared, compared, similarity
from crawler.diff.held import Held, Wanted, met
from crawler.diff.items import Item, Pair, Rule, matched, rules_of
from crawler.diff.side import Side
from crawler.errors import CrawlerError
from crawler.export.packing import suffix
from crawler.models import Outcome
from crawler.sinks import CHANGES, hook_sink

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from crawler.config import CrawlConfig
    from crawler.dataset.changed import Change
    from crawler.directory import CrawlDirectory

_AT_ONCE = 2_000


class ChangeCounts(msgspec.Struct, kw_only=True):
    """What a comparison came to."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    gone: int = 0
    back: int = 0
    #: URLs that had content and were not visited: they have no row
    not_visited: int = 0
    #: field -> in how many of the changed pages it differs; the name of a rule -> in how many its records do
    fields: Counter[str] = msgspec.field(default_factory=Counter)
    #: what was not compared, and why, in lines
    notes: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """Lines of changes.jsonl."""
        return self.new + self.changed + self.unchanged + self.gone + self.back

    def count(self, row: ChangeRecord) -> None:
        """Count a row in."""
        setattr(self, row.change, getattr(self, row.change) + 1)
        if row.change == "changed":
            self.fields.update((*row.fields, *row.items))


def write_changes(before: CrawlDirectory, after: CrawlDirectory) -> ChangeCounts:
    """Write changes.jsonl into the folder of `after`, the generation that follows `before`; whole or not at all.

    It is packed as the other files of that crawl are. Whoever does it again writes the same.

    Args:
        before: The directory of the generation before, which has ended.
        after: That of this one, whose URLs have ended but for those that a budget left.

    Raises:
        ConfigError: In one of them lies no crawl.
        CrawlerError: A file cannot be read or written, or a store says that there is more in it.
    """
    counts = ChangeCounts()
    path = changes_path(after)
    encode = msgspec.json.Encoder().encode
    with written(path) as write:
        batch: list[bytes] = []
        for row in rows(before, after, counts):
            batch.append(encode(row))
            if len(batch) >= _AT_ONCE:
                write(batch)
                batch.clear()
        write(batch)
    for other in after.spellings(CHANGES):
        if other != path:
            with suppress(OSError):
                other.unlink()
    return counts


def changes_path(directory: CrawlDirectory) -> Path:
    """The file that `write_changes` writes for a crawl."""
    config = Side(directory).config
    return directory.records(CHANGES, suffix(config.export.compress) if config else "")


def rows(before: CrawlDirectory, after: CrawlDirectory, counts: ChangeCounts | None = None) -> Iterator[ChangeRecord]:
    """The rows themselves, one after another, which are counted in `counts`. Errors as for `write_changes`."""
    counts = ChangeCounts() if counts is None else counts
    old, new = Side(before), Side(after)
    for side in (old, new):
        if not side.has_store:
            raise CrawlerError(f"{side.directory.store}: is not there, and says how each URL ended")
    rules, notes = shared_rules(old.config, new.config)
    by = compared(old.config, new.config)
    counts.notes = (*by.notes, *notes)
    wanted = Wanted(by, rules, files=True)
    for url, was, now in met(old, new, wanted):
        if now.ending is None or not now.ending.has_ended:
            counts.not_visited += was.ending is not None and was.ending.has_content
            continue
        row = _row(url, was, now, wanted)
        if row is not None:
            counts.count(row)
            yield row


def shared_rules(before: CrawlConfig | None, after: CrawlConfig | None) -> tuple[list[Rule], list[str]]:
    """The rules whose records can be compared, and lines on those that cannot."""
    if before is None or after is None:
        return [], ["A configuration is not known: records of rules are not compared."]
    hooks = {hook_sink(config.extract.python) if config.extract.python else None for config in (before, after)}
    found, notes = rules_of(before, after, next(iter(hooks)) if len(hooks) == 1 else None)
    if len(hooks) > 1:
        notes.append("extract.python: not compared, as it is not the same in both crawls.")
    return found, notes


def _row(url: str, was: Held, now: Held, wanted: Wanted) -> ChangeRecord | None:
    """The row of a URL that was visited; None if there is nothing to tell."""
    ending, had = now.ending or Ending(), was.ending is not None and was.ending.has_content
    if not had and not ending.has_content:
        return None
    both = had and ending.has_content
    fields = _fields(was, now, wanted.compared) if both else ()
    items = _items(was if had else _NOTHING, now if ending.has_content else _NOTHING, wanted.rules)
    change: Change
    if not ending.has_content:
        change = "gone"
    elif not had:
        change = "back" if was.ending is not None and was.ending.gone_at is not None else "new"
    else:
        change = "changed" if fields or items else "unchanged"
    return ChangeRecord(
        url=url,
        change=change,
        fields=fields,
        items=items,
        outcome=Outcome(ending.outcome),
        reason=ending.reason,
        status=ending.status,
        target=ending.target,
        before_at=_at(was) if had else None,
        after_at=_at(now) if ending.has_content else _moment(ending.at),
        similarity=_similarity(was, now) if both else None,
    )


_NOTHING = Held(None, None, "", {})


def _fields(was: Held, now: Held, by: Compared) -> tuple[str, ...]:
    """What of a URL's content is not as it was."""
    if was.page is not None and now.page is not None:
        old, new = was.page.digests, now.page.digests
        return tuple(name for name, one, other in zip(by.fields, old, new, strict=True) if one != other)
    if (was.page is None) != (now.page is None):
        return (PAGE,)
    return (BODY,) if _is_other_body(was, now) else ()


def _is_other_body(was: Held, now: Held) -> bool:
    """Whether content that is no page is known to be other content."""
    if was.ending is None or now.ending is None or now.ending.outcome == Outcome.UNCHANGED:
        return False
    seen: tuple[tuple[Any, Any], ...] = (
        (was.file_digest or None, now.file_digest or None),
        (was.ending.etag, now.ending.etag),
        (was.ending.last_modified, now.ending.last_modified),
    )
    return next((one != other for one, other in seen if one is not None and other is not None), False)


def _items(was: Held, now: Held, rules: Sequence[Rule]) -> dict[str, ItemChanges]:
    found = {}
    for number, rule in enumerate(rules):
        old, new = was.items.get(number, []), now.items.get(number, [])
        if old == new:
            continue
        pairs = matched([_item(line, rule) for line in old], [_item(line, rule) for line in new])
        if pairs:
            found[rule.name] = _counted(pairs)
    return found


def _counted(pairs: Sequence[Pair]) -> ItemChanges:
    counts = Counter(pair.change for pair in pairs)
    fields = dict.fromkeys(name for pair in pairs for name in pair.fields)
    return ItemChanges(
        added=counts["added"], removed=counts["removed"], changed=counts["changed"], fields=tuple(sorted(fields))
    )


def _item(line: bytes, rule: Rule) -> Item:
    try:
        return Item(line, rule)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CrawlerError(f"{rule.name}: a line is not a record of it: {error}") from error


def _similarity(was: Held, now: Held) -> float | None:
    if was.page is None or now.page is None:
        return None
    return similarity(was.page.fingerprint, now.page.fingerprint)


def _at(held: Held) -> str | None:
    """When the content was had."""
    if held.page is not None:
        return held.page.at
    return _moment(held.ending.at) if held.ending is not None else None


def _moment(at: float | None) -> str | None:
    return None if at is None else rfc3339(at)
