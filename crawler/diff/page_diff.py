"""Which pages are in one of two crawls only, and which are in both and not the same?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crawler.dataset.ledger import PENDING
from crawler.diff.content import Compared, similarity
from crawler.diff.excerpt import beginning, excerpts
from crawler.diff.held import Held, HeldPage, Wanted, met, unpacked
from crawler.diff.record import Counts, DiffRecord, Ended

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.diff.side import Side


def page_differences(before: Side, after: Side, by: Compared, counts: Counts) -> Iterator[DiffRecord]:
    """Them in the order of URLs; all pages are counted in `counts`.

    Raises:
        CrawlerError: A file cannot be read, or holds what is no record.
    """
    for url, was, now in met(before, after, Wanted(by, with_values=True)):
        counts.before += was.page is not None
        counts.after += now.page is not None
        record = _difference(url, was, now, by)
        if record is not None:
            counts.count(record)
            yield record


def _difference(url: str, was: Held, now: Held, by: Compared) -> DiffRecord | None:
    if was.page is None and now.page is None:
        return None
    if was.page is None or now.page is None:
        return _alone(url, was, now, by)
    old, new = was.page.digests, now.page.digests
    fields = tuple(name for name, one, other in zip(by.fields, old, new, strict=True) if one != other)
    if not fields:
        return None
    first, second = _values(was.page, by), _values(now.page, by)
    shown = {name: excerpts(first[name], second[name]) for name in fields}
    return DiffRecord(
        what="page",
        change="changed",
        url=url,
        fields=fields,
        before={name: pair[0] for name, pair in shown.items()},
        after={name: pair[1] for name, pair in shown.items()},
        similarity=similarity(was.page.fingerprint, now.page.fingerprint),
    )


def _alone(url: str, was: Held, now: Held, by: Compared) -> DiffRecord:
    """A page that one crawl has."""
    there, other = (now, was) if was.page is None else (was, now)
    values = {name: beginning(value) for name, value in _values(there.page, by).items()} if there.page else {}
    return DiffRecord(
        what="page",
        change="added" if was.page is None else "removed",
        url=url,
        before=None if was.page is None else values,
        after=values if was.page is None else None,
        ended=_ended(other),
    )


def _values(page: HeldPage, by: Compared) -> dict[str, Any]:
    return dict(zip(by.fields, unpacked(page), strict=True))


def _ended(held: Held) -> Ended | None:
    end = held.ending
    if end is None:
        return None
    return Ended(outcome=end.outcome or PENDING, reason=end.reason, status=end.status, target=end.target)
