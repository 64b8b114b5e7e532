"""`crawler try`: what would be extracted from one page, by which rule; what would be followed, and why not?"""

from __future__ import annotations

from pathlib import Path

import click

from crawler.cli.completing import paths, settings
from crawler.cli.page import Page


@click.command(name="try", cls=Page, short_help="Show what one page would give.")
@click.argument("items", metavar="URL|FILE|DIR/URL...", nargs=-1, required=True, shell_complete=paths)
@click.option("-c", "--config", type=click.Path(path_type=Path), metavar="FILE", help="Configuration or rules (YAML).")
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    shell_complete=settings,
    help="Set any configuration key.",
)
@click.option("--url", metavar="URL", help="Of the page that FILE holds, which its links are relative to.")
@click.option(
    "--watch", is_flag=True, help="Again whenever the -c FILE, or a file it names or stands beside, is saved."
)
@click.option(
    "--suggest",
    "examples",
    multiple=True,
    metavar="VALUE",
    help="Propose selectors that lead to this value; several pages may be given.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the records alone, as JSON.")
def try_(
    *,
    items: tuple[str, ...],
    config: Path | None,
    overrides: tuple[str, ...],
    url: str | None,
    watch: bool,
    examples: tuple[str, ...],
    as_json: bool,
) -> int:
    """Show the page record a crawl would write for one page, how each rule did on it, and which links it would follow.

    URL may be a host, tried as https; it is fetched once, robots.txt obeyed and redirects followed as in a crawl. FILE
    is a page on this machine: .html, .json or .xml, .gz or not; any name with --url. DIR/URL is a page of the crawl in
    DIR, read from its WARC archive, with its configuration. -c FILE may hold rules alone. If there is no record, what
    happened to the URL is printed instead, and the exit code is 3.
    """
    from crawler.cli.try_pages import Asked, configured, got, place_of  # noqa: PLC0415  (help needs none of it)
    from crawler.cli.try_shown import shown  # noqa: PLC0415
    from crawler.errors import ConfigError  # noqa: PLC0415

    asked = Asked(config, overrides, url)
    if examples:
        from crawler.cli.try_suggested import suggested  # noqa: PLC0415

        if watch:
            raise ConfigError("--suggest and --watch do not go together")
        return suggested(items, examples, asked, as_json=as_json)
    if len(items) != 1:
        raise ConfigError(f"{len(items)} pages; expected one URL, FILE or DIR/URL")
    place = place_of(items[0], url)
    if watch:
        from crawler.cli.try_watch import watched  # noqa: PLC0415

        return watched(place, asked, as_json=as_json)
    loaded = configured(asked, place)
    return shown(got(place, asked, loaded.config), loaded, as_json=as_json)
