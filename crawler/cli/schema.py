"""`crawler schema`: print what a file holds, as JSON Schema."""

from __future__ import annotations

from typing import Any, Final

import click
import msgspec

from crawler.extract.record import SCHEMA_VERSION

KINDS: Final = ("config", "pages", "outcomes", "links", "sitemaps")


@click.command(short_help="Print the JSON Schema of the configuration or of a record.")
@click.argument("kind", type=click.Choice(KINDS), metavar="|".join(KINDS))
def schema(kind: str) -> None:
    """Print the JSON Schema (draft 2020-12) of crawl.yaml, or of one line of {pages,outcomes,links,sitemaps}.jsonl."""
    found = _config() if kind == "config" else _record(kind)
    click.echo(msgspec.json.format(msgspec.json.encode(found), indent=2))


def _config() -> dict[str, Any]:
    from crawler.config.schema import json_schema  # noqa: PLC0415 - the other schemas need no YAML

    return json_schema()


def _record(kind: str) -> dict[str, Any]:
    """The schema of a record, whose version rises when a field changes its meaning or goes."""
    from crawler.export.outcomes import OutcomeRecord  # noqa: PLC0415 - help needs no records
    from crawler.extract.record import LinkLine, PageRecord, SitemapLine  # noqa: PLC0415

    types = {"pages": PageRecord, "outcomes": OutcomeRecord, "links": LinkLine, "sitemaps": SitemapLine}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:crawler:schema:{kind}:{SCHEMA_VERSION}",
        "title": f"One line of {kind}.jsonl",
        **msgspec.json.schema(types[kind]),
    }
