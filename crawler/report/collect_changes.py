"""What became of pages since the generation before? Counted from changes.jsonl, with the first of each kind."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from crawler.dataset.changed import ChangeRecord
from crawler.report.bounded import Counts, Largest
from crawler.report.facts import Changed, Changes, Gone
from crawler.sinks import CHANGES

if TYPE_CHECKING:
    from crawler.dataset.changed import ItemChanges
    from crawler.report.source import Sources

MAX_SHOWN: Final = 200
_MAX_NAMES: Final = 1_000


def changes_of(sources: Sources) -> Changes | None:
    """What the crawl's changes.jsonl tells; None if it has none, as a first generation."""
    if sources.path(CHANGES) is None:
        return None
    counts: Counter[str] = Counter()
    fields: Counts[str] = Counts(_MAX_NAMES, "others")
    changed: Largest[Changed] = Largest(MAX_SHOWN)
    urls: dict[str, list[str]] = {"new": [], "back": []}
    gone: list[Gone] = []
    for records in sources.records(CHANGES, ChangeRecord):
        for record in records:
            counts[record.change] += 1
            match record.change:
                case "changed":
                    for name in (*record.fields, *record.items):
                        fields.add(name)
                    different = 1 - record.similarity if record.similarity is not None else 0.0
                    if different >= changed.floor:
                        changed.add(different, record.url, _changed(record))
                case "gone" if len(gone) < MAX_SHOWN:
                    why = record.reason or record.outcome
                    gone.append(Gone(url=record.url, reason=why, status=record.status, target=record.target or ""))
                case "new" | "back" if len(urls[record.change]) < MAX_SHOWN:
                    urls[record.change].append(record.url)
    return Changes(
        **counts,
        fields=fields.most(),
        changed_pages=changed.things(),
        gone_urls=tuple(gone),
        new_urls=tuple(urls["new"]),
        back_urls=tuple(urls["back"]),
    )


def _changed(record: ChangeRecord) -> Changed:
    return Changed(
        url=record.url,
        fields=record.fields,
        items=tuple(f"{rule}: {told(found)}" for rule, found in record.items.items()),
        similarity=record.similarity,
    )


def told(found: ItemChanges) -> str:
    """``1 added, 2 changed (price)``."""
    counts = {"added": found.added, "removed": found.removed, "changed": found.changed}
    parts = [f"{count:,} {name}" for name, count in counts.items() if count]
    return ", ".join(parts) + (f" ({', '.join(found.fields)})" if found.fields else "")
