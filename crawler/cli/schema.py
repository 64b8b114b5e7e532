"""`crawler schema`: print what a file holds, as JSON Schema."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import click
import msgspec

from crawler.cli.out import tell_json
from crawler.cli.page import Page
from crawler.errors import ConfigError
from crawler.extract.record import SCHEMA_VERSION
from crawler.mining.files import RECORDS as MINED
from crawler.mining.files import Mined

RECORDS: Final = ("pages", "outcomes", "links", "sitemaps", "seeds", "files", "changes", "diff", "runs", "log")
KINDS: Final = ("config", *RECORDS, "items", "rejects", *MINED, "mine")


@click.command(cls=Page, short_help="Print the JSON Schema of the configuration or of a record.")
@click.argument("kind", type=click.Choice(KINDS), metavar="WHAT")
@click.option("-c", "--config", type=click.Path(path_type=Path), metavar="FILE", help="Whose rules, for items.")
@click.option("--rule", metavar="NAME", help="Which of them; all by default.")
def schema(kind: str, config: Path | None, rule: str | None) -> None:
    """Print the JSON Schema (draft 2020-12) of crawl.yaml (WHAT is config), or of one line of a file: pages, outcomes,
    links, sitemaps, seeds, files, changes or runs, the lines of `crawler diff` (diff), the records of the rules in FILE
    (items), what rules reject (rejects), or crawl.log where log.format is json (log).

    Of what `crawler mine` writes: near_duplicates, keywords, host_keywords, ranks, host_ranks, dead_links, languages;
    mine is mine.json.
    """
    if (config or rule) and kind != "items":
        raise ConfigError(f"{kind}: is the same for all rules; -c and --rule are for items")
    if kind == "config":
        found = _config()
    elif kind in RECORDS:
        found = _record(kind)
    elif kind in MINED:
        found = _headed(kind, {"title": f"One line of {kind}.jsonl", **msgspec.json.schema(MINED[kind])})
    elif kind == "mine":
        found = _headed(kind, {"title": "mine.json", **msgspec.json.schema(Mined)})
    else:
        found = _scraped(kind, config, rule)
    tell_json(msgspec.json.encode(found))


def _config() -> dict[str, Any]:
    from crawler.config.schema import json_schema  # noqa: PLC0415 - the other schemas need no YAML

    return json_schema()


def _record(kind: str) -> dict[str, Any]:
    """The schema of a record, whose version rises when a field changes its meaning or goes."""
    from crawler.cli.log_lines import LogLine  # noqa: PLC0415
    from crawler.dataset.changed import ChangeRecord  # noqa: PLC0415
    from crawler.diff.record import DiffRecord  # noqa: PLC0415
    from crawler.export.files import FileRecord  # noqa: PLC0415 - help needs no records
    from crawler.export.outcomes import OutcomeRecord, SeedRecord  # noqa: PLC0415
    from crawler.extract.record import LinkLine, PageRecord, SitemapLine  # noqa: PLC0415
    from crawler.runs import Row  # noqa: PLC0415

    types: dict[str, Any] = {
        "pages": PageRecord,
        "outcomes": OutcomeRecord,
        "links": LinkLine,
        "sitemaps": SitemapLine,
        "seeds": SeedRecord,
        "files": FileRecord,
        "changes": ChangeRecord,
        "diff": DiffRecord,
        "runs": Row,
        "log": LogLine,
    }
    file = {"log": "crawl.log", "diff": "`crawler diff`"}.get(kind, f"{kind}.jsonl")
    return _headed(kind, {"title": f"One line of {file}", **msgspec.json.schema(types[kind])})


def _scraped(kind: str, config: Path | None, name: str | None) -> dict[str, Any]:
    from crawler.cli.schema_items import items_schema, rejects_schema  # noqa: PLC0415

    if kind == "rejects":
        return _headed(kind, rejects_schema())
    if config is None:
        raise ConfigError("items: what they hold their rules say; name the configuration with -c FILE")
    from crawler.config.file import load  # noqa: PLC0415

    rules = [
        rule for rule in load(config, or_rules=True).config.extract.rules if rule.fields and name in (None, rule.name)
    ]
    if not rules:
        raise ConfigError(f"{config}: has no rule " + (f"called {name}" if name else "that has fields"))
    return _headed(kind, items_schema(rules))


def _headed(kind: str, found: dict[str, Any]) -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:crawler:schema:{kind}:{SCHEMA_VERSION}",
        **found,
    }
