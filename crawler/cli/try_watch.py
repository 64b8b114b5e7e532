"""How is a page tried again and again while its rules are written?

It is fetched once. Mistakes in the rules are shown, and waited out.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

from crawler.cli import INTERRUPTED
from crawler.cli.try_pages import configured, got
from crawler.cli.try_shown import shown
from crawler.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from crawler.cli.try_pages import Asked, Got, Place

EVERY_S = 0.25
"""Between two looks at the files."""

_CLEAR = "\x1b[2J\x1b[3J\x1b[H"
_SUFFIXES = frozenset((".yaml", ".yml", ".py"))

Stamp = tuple[tuple[str, int, int], ...]


def watched(place: Place, asked: Asked, *, as_json: bool) -> int:
    """Show what the page comes to, at once and after each change, until interrupted.

    Raises:
        ConfigError: There is no file to watch, or no such page.
        CrawlerError: The page cannot be fetched.
    """
    if asked.config is None:
        raise ConfigError("--watch needs a -c FILE to watch")
    found: Got | None = None
    try:
        while True:
            before = stamp(asked.config)
            if sys.stdout.isatty():
                click.echo(_CLEAR, nl=False)
            try:
                loaded = configured(asked, place)
            except ConfigError as error:
                click.echo(f"crawler: {error}", err=True)
            else:
                found = found or got(place, asked, loaded.config)
                shown(found, loaded, as_json=as_json)
            click.echo(f"-- watching {asked.config}; Ctrl-C ends --", err=True)
            while stamp(asked.config) == before:
                time.sleep(EVERY_S)
    except KeyboardInterrupt:
        return INTERRUPTED


def stamp(config: Path | None) -> Stamp:
    """Names, times and lengths of a configuration and of what may belong to it: YAML and Python files beside it.

    An editor may take a file away for a moment.
    """
    if config is None:
        return ()
    try:
        files = [path for path in config.parent.iterdir() if path.suffix in _SUFFIXES or path == config]
    except OSError:
        return ()
    stamps = []
    for path in sorted(files):
        try:
            stat = path.stat()
        except OSError:
            continue
        stamps.append((path.name, stat.st_mtime_ns, stat.st_size))
    return tuple(stamps)
