"""`crawler check`: is this configuration right, and what will apply?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from crawler.cli.completing import settings
from crawler.cli.page import Page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.config import CrawlConfig
    from crawler.url import HostKey


@click.command(cls=Page, short_help="Validate a configuration and print what will apply.")
@click.argument("path", metavar="crawl.yaml", type=click.Path(path_type=Path))
@click.option("--host", "hosts", multiple=True, metavar="H", help="Say which limits apply to this host, and why.")
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    shell_complete=settings,
    help="Override a key, as crawl does.",
)
def check(path: Path, hosts: tuple[str, ...], overrides: tuple[str, ...]) -> None:
    """Read crawl.yaml, report every mistake in it, and print the configuration that will apply, defaults included.
    A file of scraping rules alone will do, too.

    The configuration goes to standard output, as YAML that can be used again, without secrets that are written out;
    remarks and limits go to standard error.
    """
    from crawler.cli.out import tell  # noqa: PLC0415
    from crawler.cli.remarks import remarks  # noqa: PLC0415
    from crawler.config.file import dump, load  # noqa: PLC0415 - help must not wait for a YAML reader

    loaded = load(path, overrides, or_rules=True)
    config = loaded.config
    if config.extract.python is not None:
        from crawler.config.function import located  # noqa: PLC0415
        from crawler.parse.trial import try_function  # noqa: PLC0415 - only functions pay for a process

        try_function(located(config.extract, loaded.folder).python or "")
    explained = [line for host in hosts for line in _limits(config, host)]
    tell(dump(config), end="")
    for line in (*remarks(config, loaded.folder), *explained):
        tell(line, err=True)


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
    for line in (
        *LimitTable(config.limits).explain(key),
        *_other_limits(config),
        *_reached(config, key),
        *_sent(config, key),
    ):
        yield f"  {line}"


def _other_limits(config: CrawlConfig) -> Iterator[str]:
    """What holds for this host as for every other."""
    from crawler.wording import counted  # noqa: PLC0415

    robots, breaker, pages = config.robots, config.breaker, config.budget.pages_per_host
    if not robots.obey:
        yield "whatever its robots.txt says, from robots.obey: false"
    elif not robots.max_crawl_delay_s:
        yield "slower for no Crawl-delay of its robots.txt, from robots.max_crawl_delay: 0s"
    else:
        up_to = f"up to {robots.max_crawl_delay_s}, from robots.max_crawl_delay"
        yield f"slower for a Crawl-delay of its robots.txt, {up_to}"
    if breaker.failures is None:
        yield "never given up for failing, from breaker.failures: null"
    else:
        rest = f"rests {breaker.rest_s} after {counted(breaker.failures, 'failure')} in a row, from breaker"
        yield f"{rest}; given up if it then fails once more"
    if pages is None:
        yield "any number of pages, from budget.pages_per_host: null"
    else:
        yield f"at most {counted(pages, 'page')}, from budget.pages_per_host"


def _reached(config: CrawlConfig, key: HostKey) -> Iterator[str]:
    """Who may lead to it, where it is named by an address that is not public."""
    from crawler.addresses import purpose  # noqa: PLC0415
    from crawler.reach import Reach, address_of  # noqa: PLC0415

    address = address_of(key)
    if address is None or (told := purpose(address)) is None:
        return
    if Reach(config.fetch).shuts_out(key, ()):
        yield f"asked only where a seed names it, as it is {told} and not in fetch.allow_addresses"
    else:
        yield f"asked wherever it is found, though it is {told}, from fetch.allow_addresses"


def _sent(config: CrawlConfig, key: str) -> Iterator[str]:
    """What is sent to it alone, by pattern: names only, as values may be secrets."""
    from crawler.config.hosts import matching  # noqa: PLC0415

    known: set[str] = set()
    for pattern, own in matching(config.fetch.hosts, key):
        says = {f"header {name}": f"header {name.lower()}" for name in own.headers}
        given: dict[str, object] = {
            "user and password": own.auth,
            "cookies of a file": own.cookies,
            f"verify: {str(own.verify).lower()}": own.verify,
            "a proxy": own.proxy,
        }
        says |= {what: what.partition(":")[0] for what, value in given.items() if value is not None}
        new = [what for what, slot in says.items() if slot not in known]
        known.update(says.values())
        yield f'fetch.hosts["{pattern}"]: {", ".join(new) or "nothing that a more specific one does not say"}'
