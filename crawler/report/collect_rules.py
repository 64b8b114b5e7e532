"""How did each scraping rule fare, and what did it find?

Counts are those of the store or of summary.json, samples those of the first records of each rule's file.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec

from crawler.report.bounded import Sample
from crawler.report.facts import Field, Rule
from crawler.rule_states import Tallied, tallied
from crawler.sinks import hook_sink, rejects_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from crawler.account import Summary
    from crawler.config import CrawlConfig
    from crawler.report.source import Sources

MAX_RULES, MAX_FIELDS = 100, 100
_LOOKED_AT = 2_000  # records of each rule
_SAMPLES, _REJECTS = 5, 5
_MAX_VALUE, _MAX_WHY = 100, 300


class _Reject(msgspec.Struct):
    """What is read of a line of ``RULE.rejects.jsonl``."""

    url: str = msgspec.field(name="_url", default="")
    errors: list[dict[str, Any]] = msgspec.field(name="_errors", default_factory=list)


def rules_of(config: CrawlConfig, sources: Sources, state: bytes, summary: Summary | None) -> tuple[Rule, ...]:
    """How each rule that gives records fared, in the order of the configuration.

    Args:
        config: In force.
        sources: The crawl's files.
        state: What checkpoints store of rules; empty if nothing is known.
        summary: How the crawl ended, which knows less exactly.
    """
    counts = tallied(state) or _of_summary(summary)
    names = [rule.name for rule in config.extract.rules if rule.fields]
    if config.extract.python is not None:
        names.append(hook_sink(config.extract.python))
    fields = {rule.name: tuple(rule.fields) for rule in config.extract.rules}
    return tuple(
        _rule(name, counts.get(name), fields.get(name, ()), sources)
        for name in islice(dict.fromkeys((*names, *counts)), MAX_RULES)
    )


def _of_summary(summary: Summary | None) -> Mapping[str, Tallied]:
    rules = summary.rules if summary else {}
    return {
        name: Tallied(
            pages=rule.pages,
            items=(items := rule.records + rule.rejects),
            records=rule.records,
            rejects=rule.rejects,
            filled={field: round(share * items) for field, share in rule.fill.items()},
        )
        for name, rule in rules.items()
    }


def _rule(name: str, counts: Tallied | None, fields: Iterable[str], sources: Sources) -> Rule:
    if counts is None:
        counts = Tallied(records=sources.count(name), rejects=sources.count(rejects_of(name)))
    samples: dict[str, Sample[str]] = {}
    for record in islice(_records(sources, name, dict[str, msgspec.Raw]), _LOOKED_AT):
        for field, value in record.items():
            if not field.startswith("_") and len(samples) < MAX_FIELDS and bytes(value) not in (b"null", b'""', b"[]"):
                text = _shortened(bytes(value))
                samples.setdefault(field, Sample(_SAMPLES)).add(text, text)
    told = dict.fromkeys((*fields, *counts.filled))
    if counts.items != counts.records + counts.rejects or not told:
        told = dict.fromkeys((*told, *samples))  # not all of these are counted
    is_counted = counts.items > 0 or not (counts.records or counts.rejects)
    return Rule(
        name=name,
        records=counts.records,
        rejects=counts.rejects,
        items=counts.items,
        pages=counts.pages,
        fields=tuple(
            Field(
                name=field,
                filled=counts.filled.get(field, 0) if is_counted else None,
                samples=samples[field].things() if field in samples else (),
            )
            for field in islice(told, MAX_FIELDS)
        ),
        rejected=tuple(_rejected(sources, rejects_of(name))),
    )


def _rejected(sources: Sources, sink: str) -> Iterator[tuple[str, str]]:
    for reject in islice(_records(sources, sink, _Reject), _REJECTS):
        why = "; ".join(
            f"{error.get('field') or 'record'}: expected {error.get('expected')}, got {_value(error.get('value'))}"
            for error in reject.errors[:3]
        )
        yield why[:_MAX_WHY], reject.url


def _records(sources: Sources, sink: str, kind: Any) -> Iterator[Any]:  # noqa: ANN401  (whatever the kind is of)
    for records in sources.records(sink, kind):
        yield from records


def _value(value: object) -> str:
    return _shortened(msgspec.json.encode(value))


def _shortened(value: bytes) -> str:
    text = value[: 4 * _MAX_VALUE].decode("utf-8", "ignore")
    return text if len(text) <= _MAX_VALUE and len(value) == len(text.encode()) else text[: _MAX_VALUE - 1] + "…"
