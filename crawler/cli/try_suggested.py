"""How are selectors proposed to a person? By field, the likeliest first, and as a rule to be copied into a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import yaml

from crawler.cli import NO_SEED, OK
from crawler.cli.out import tell, tell_json
from crawler.cli.try_pages import configured, from_servers, got, is_page, place_of
from crawler.cli.try_rows import row, short, width
from crawler.cli.try_runs import parsed_answer, tried
from crawler.cli.try_shown import result_shown, shown
from crawler.config.file import loads
from crawler.errors import ConfigError
from crawler.extract.rules import RuleSet
from crawler.extract.suggest import MAX_EXAMPLES, suggest
from crawler.extract.suggest_rule import NAME, rule_of
from crawler.models import ParseFailure
from crawler.seedfile import as_utf8
from crawler.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from crawler.cli.try_pages import Asked, Got, Place
    from crawler.extract.parsed import Parsed
    from crawler.extract.suggest import Candidate, Suggestion

_RECORDS_SHOWN = 3


def suggested(items: Sequence[str], examples: Sequence[str], asked: Asked, *, as_json: bool) -> int:
    """Print what selectors `examples` suggest; the exit code.

    Args:
        items: Pages, the last one at least; what is before them and can be none is one more example.
        examples: As given with the option.
        asked: How pages are fetched.
        as_json: Whether to print it for programs.

    Raises:
        ConfigError: There is no page among the items.
    """
    *others, last = items
    pages = [item for item in others if is_page(item)]
    wanted = [as_utf8(given) for given in (*examples, *(item for item in others if item not in pages))]
    if not all(given.strip() for given in wanted):
        raise ConfigError("an example is empty; expected a value that stands on the page")
    if len(wanted) > MAX_EXAMPLES:
        raise ConfigError(f"{len(wanted)} examples; expected at most {MAX_EXAMPLES}")
    places = [place_of(item, asked.url) for item in (*pages, last)]
    parsed: list[Parsed] = []
    for place, found in zip(places, _all_got(places, asked), strict=True):
        loaded = configured(asked, place)
        if found.request is None or found.response is None:
            return shown(found, loaded, as_json=as_json)
        result = tried(found.request, found.response, loaded.config, loaded.folder)
        if isinstance(result.page, ParseFailure):
            return result_shown(found, result, as_json=as_json)
        page = parsed_answer(found.request, found.response, loaded.config)
        if page is None:
            raise ConfigError(f"{found.request.url}: expected HTML, JSON or XML")
        parsed.append(page)
    suggestion = suggest(parsed, wanted)
    rule = rule_of(suggestion, parsed)
    if as_json:
        told = {**msgspec.to_builtins(suggestion), "rule": rule}
        tell_json(msgspec.json.encode(told))
    else:
        tell("\n".join(_told(suggestion, rule, parsed, width())).lstrip("\n"))
    return OK if rule else NO_SEED


def _all_got(places: Sequence[Place], asked: Asked) -> Iterator[Got]:
    """The answers, those of servers by one crawl, so that none is asked twice within its delay."""
    urls = list(dict.fromkeys(place for place in places if isinstance(place, str)))
    fetched = dict(zip(urls, from_servers(urls, asked), strict=True)) if urls else {}
    for place in places:
        yield fetched[place] if isinstance(place, str) else got(place, asked, configured(asked, place).config)


def _told(suggestion: Suggestion, rule: dict[str, Any] | None, pages: Sequence[Parsed], columns: int) -> Iterator[str]:
    for given in suggestion.missing:
        yield row("not found", f"{short(given)} stands on none of these pages", columns)
    if suggestion.each is not None:
        matches = ", ".join(f"{count:,}" for count in suggestion.items)
        yield row("each", f"{suggestion.each} matches {matches}", columns)
    for field in suggestion.fields:
        yield ""
        yield f"{field.name}: {', '.join(short(given) for given in field.examples)}"
        for candidate in field.candidates:
            yield from _candidate_told(candidate, columns)
    if rule is not None:
        yield ""
        yield "# a rule, for a file of rules:"
        yield _as_yaml(rule)
        yield ""
        yield from _checked(rule, pages, columns)


def _as_yaml(rule: dict[str, Any]) -> str:
    """A rule as a file has it; letters of any language as they are, unless a terminal would not show one."""
    for allow_unicode in (True, False):
        text: str = yaml.dump(
            [rule],
            Dumper=yaml.SafeDumper,
            sort_keys=False,
            default_flow_style=None,
            width=10_000,
            allow_unicode=allow_unicode,
        )
        if all(c.isprintable() or c == "\n" for c in text):
            break
    return text.rstrip("\n")


def _candidate_told(candidate: Candidate, columns: int) -> Iterator[str]:
    if candidate.json is not None:
        way = f"json {candidate.json}" + (f" in {candidate.within}" if candidate.within else "")
    else:
        way = f"css {candidate.css or '(the item itself)'}" + (f" attr {candidate.attr}" if candidate.attr else "")
    counts = ", ".join(f"{sight.found:,}" for sight in candidate.sights)
    value = next((sight.value for sight in candidate.sights if sight.value is not None), None)
    yield row(f"{candidate.score:3} {candidate.stability}", way, columns, indent=2)
    gives = f"matches {counts}" + (f", first {short(value)}" if value is not None else "")
    yield row("", gives, columns, indent=4)


def _checked(rule: dict[str, Any], pages: Sequence[Parsed], columns: int) -> Iterator[str]:
    """What the rule gives of the pages it was learnt from."""
    text: str = yaml.dump({"extract": {"rules": [rule]}}, Dumper=yaml.SafeDumper, allow_unicode=True)
    rules = RuleSet(loads(text, NAME).config.extract.rules)
    for page in pages:
        scraped = rules.scrape(page, _unresolved)
        yield row("gives", f"{counted(len(scraped.records), 'record')} of {page.url}", columns)
        for _, record in scraped.records[:_RECORDS_SHOWN]:
            yield row("", short(record, columns), columns)


def _unresolved(reference: str) -> str:
    return reference
