"""`crawler init`: a commented configuration and a seed list to begin with."""

from __future__ import annotations

import shlex
from importlib.resources import files
from pathlib import Path
from typing import Final

import click

from crawler.cli.out import tell
from crawler.errors import ConfigError

TEMPLATES: Final = ("crawl.yaml", "seeds.txt")


@click.command(short_help="Write a commented crawl.yaml and seeds.txt.")
@click.argument("directory", metavar="[DIR]", default=".", type=click.Path(path_type=Path))
def init(directory: Path) -> None:
    """Write crawl.yaml and seeds.txt into DIR (default: here). Never overwrites a file."""
    for name in TEMPLATES:
        if (directory / name).exists():
            left = "exists already, and is left as it is; crawler init DIR writes elsewhere"
            raise ConfigError(f"{directory / name}: {left}")
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name in TEMPLATES:
            _write(directory / name)
    except OSError as error:
        raise ConfigError(f"{directory}: {error.strerror}: expected a folder that can be written") from error
    typed = shlex.quote(str(directory / "crawl.yaml"))
    tell(
        f"""Wrote {directory / "crawl.yaml"} and {directory / "seeds.txt"}.

Next:
  1. put the sites you want into {directory / "seeds.txt"}
  2. set fetch.user_agent in {directory / "crawl.yaml"}, so that a site's owner can reach you
  3. crawler check {typed}
  4. crawler crawl -c {typed}"""
    )


def _write(path: Path) -> None:
    """Write one template; mode x, so that a file that appears meanwhile is not overwritten either."""
    with path.open("xb") as file:
        file.write(files("crawler.cli").joinpath("templates", path.name).read_bytes())
