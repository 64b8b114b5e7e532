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

    The configuration goes to standard output, as YAML that can be used again; remarks go to standard error.
    """
    from crawler.config.file import dump, load  # noqa: PLC0415 - help must not wait for a YAML reader

    config = load(path, overrides).config
    explained = [line for host in hosts for line in _limits(config, host)]
    click.echo(dump(config), nl=False)
    for line in (*_remarks(config), *explained):
        click.echo(line, err=True)


def _remarks(config: CrawlConfig) -> Iterator[str]:
    """What follows from a valid configuration without being written in it."""
    from crawler.config import NO_CONTACT  # noqa: PLC0415
    from crawler.gate import shares_of  # noqa: PLC0415
    from crawler.units import Size  # noqa: PLC0415

    if NO_CONTACT in config.fetch.user_agent:
        yield (
            f"fetch.user_agent: {config.fetch.user_agent} names no contact: a polite crawler says whom a site's owner "
            "can write to, such as shopbot/1.0 (+https://example.org/shopbot)"
        )
    overshoot = Size(config.limits.concurrency * config.fetch.max_body_bytes)
    shares = shares_of(config.limits.memory_bytes)
    yield (
        f"memory: of limits.memory ({config.limits.memory_bytes}), {Size(shares.bodies)} are for bodies fetched and "
        f"not yet parsed, {Size(shares.results)} for records that wait for a checkpoint and as much for those being "
        f"written; as a started fetch always finishes, bodies may take up to limits.concurrency x fetch.max_body = "
        f"{config.limits.concurrency} x {config.fetch.max_body_bytes} = {overshoot} more"
    )
    if config.frontier == "memory":
        yield "frontier: memory keeps the queue in memory: the crawl cannot be resumed, and grows with its URLs"
    if config.parse.backend != "process":
        yield (
            f"parse.backend: {config.parse.backend} does not contain crashes, endless pages or memory: one bad page "
            "can end the crawl, and parse.deadline and parse.memory are not enforced; process does and is the default"
        )


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
