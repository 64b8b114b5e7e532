"""`crawler init`: a commented configuration and a seed list to begin with."""

from __future__ import annotations

import shlex
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from crawler.cli import OK
from crawler.cli.completing import directories, settings
from crawler.cli.out import tell
from crawler.cli.page import Page
from crawler.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

CONFIG, SEEDS, RULES = "crawl.yaml", "seeds.txt", "rules.yaml"
TEMPLATES: Final = (CONFIG, SEEDS)


@click.command(cls=Page, short_help="Write a commented crawl.yaml and seeds.txt; --from URL proposes them.")
@click.argument("directory", metavar="[DIR]", default=".", type=click.Path(path_type=Path), shell_complete=directories)
@click.option("--from", "site", metavar="URL", help="Look at this site first, and propose what suits it.")
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    shell_complete=settings,
    help="With --from: set a key, and keep it set.",
)
def init(directory: Path, site: str | None, overrides: tuple[str, ...]) -> int:
    """Write crawl.yaml and seeds.txt into DIR (default: here). Asks nothing, and never overwrites a file.

    With --from, the site at URL (or a host, tried as https) is asked for robots.txt, its sitemaps, that page and up to
    six others of different kinds, as politely as a crawl would, which takes some seconds. What is written then is
    short: seeds, scope, pace and a budget, each with the reason for it, and rules.yaml where pages describe what they
    show for search engines, as JSON-LD or microdata.
    """
    names = (*TEMPLATES, RULES) if site is not None else TEMPLATES
    for name in names:
        if (directory / name).exists():
            left = "exists already, and is left as it is; crawler init DIR writes elsewhere"
            raise ConfigError(f"{directory / name}: {left}")
    if site is not None:
        from crawler.cli.init_from import proposed  # noqa: PLC0415 - asking a site takes all that a crawl does

        return proposed(site, directory, overrides)
    if overrides:
        raise ConfigError("--set: goes with --from URL; without it, change the keys in crawl.yaml, which has them all")
    templates = files("crawler.cli").joinpath("templates")
    write_all(directory, {name: templates.joinpath(name).read_bytes() for name in TEMPLATES})
    typed = shlex.quote(str(directory / CONFIG))
    tell(
        f"""Wrote {directory / CONFIG} and {directory / SEEDS}.

Next:
  1. put the sites you want into {directory / SEEDS}
  2. set fetch.user_agent in {directory / CONFIG}, so that a site's owner can reach you
  3. crawler check {typed}
  4. crawler crawl -c {typed}"""
    )
    return OK


def write_all(directory: Path, contents: Mapping[str, bytes]) -> None:
    """Write files, by name, into a folder that is made; mode x, so that none that appears meanwhile is overwritten.

    Raises:
        ConfigError: They cannot be written; those that were are gone again.
    """
    written: list[Path] = []
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            with (directory / name).open("xb") as file:
                written.append(directory / name)
                file.write(content)
    except OSError as error:
        _remove(written)
        raise ConfigError(f"{directory}: {error.strerror}: expected a folder that can be written") from error


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
