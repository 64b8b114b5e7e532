"""`crawler check`: is this configuration right, and what will apply?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.config import CrawlConfig


@click.command(short_help="Validate a configuration and print what will apply.")
@click.argument("path", metavar="crawl.yaml", type=click.Path(path_type=Path))
@click.option("--host", "hosts", multiple=True, metavar="H", help="Say which limits apply to this host, and why.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a key, as crawl does.")
def check(path: Path, hosts: tuple[str, ...], overrides: tuple[str, ...]) -> None:
    """Read crawl.yaml, report every mistake in it, and print the configuration that will apply, defaults included.

    The configuration goes to standard output, as YAML that can be used again, without secrets that are written out;
    remarks go to standard error.
    """
    from crawler.cli.remarks import remarks  # noqa: PLC0415
    from crawler.config.file import dump, load  # noqa: PLC0415 - help must not wait for a YAML reader

    loaded = load(path, overrides)
    config = loaded.config
    explained = [line for host in hosts for line in _limits(config, host)]
    click.echo(dump(config), nl=False)
    for line in (*remarks(config, loaded.folder), *explained):
        click.echo(line, err=True)


def _limits(config: CrawlConfig, host: str) -> Iterator[str]:
    from crawler.config.hosts import likely_pattern  # noqa: PLC0415
    from crawler.errors import ConfigError, UrlError  # noqa: PLC0415
    from crawler.politeness.limits import LimitTable  # noqa: PLC0415
    from crawler.url import canonicalize, host_key  # noqa: PLC0415

    try:
        key = host_key(canonicalize(host if "://" in host else f"https://{host}/"))
    except UrlError as error:
        likely = likely_pattern(host)
        hint = f" (did you mean {likely}?)" if likely else ""
        raise ConfigError(f"--host {host}: expected a host or URL, such as example.org{hint}") from error
    yield f"{key}:"
    for line in LimitTable(config.limits).explain(key):
        yield f"  {line}"
