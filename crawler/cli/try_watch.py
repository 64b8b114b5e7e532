"""How is a page tried again and again while its rules are written?

It is fetched once. Mistakes in the rules are shown, and waited out.
"""

from __future__ import annotations

import re
import sys
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from crawler.cli import INTERRUPTED
from crawler.cli.out import obey, tell
from crawler.cli.try_pages import configured, got
from crawler.cli.try_shown import shown
from crawler.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from crawler.cli.try_pages import Asked, Got, Place

_T = TypeVar("_T")

EVERY_S = 0.25
"""Between two looks at the files."""

SETTLED_S = 0.05
"""How long files have to stay as they are before they are read."""

_CLEAR = "\x1b[2J\x1b[3J\x1b[H"
_SUFFIXES = frozenset((".yaml", ".yml", ".py"))

_NAMED = re.compile(r"[^\s\"'\[\]{},:#]+\.ya?ml\b")
_MAX_NAMED = 100

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
                obey(_CLEAR)
            loaded = _told_if_wrong(lambda: configured(asked, place))
            if loaded is not None:
                found = found or got(place, asked, loaded.config)
                _told_if_wrong(partial(shown, found, loaded, as_json=as_json))
            tell(f"-- watching {asked.config}; Ctrl-C ends --", err=True)
            _wait_for_change(asked.config, before)
    except KeyboardInterrupt:
        return INTERRUPTED


def _told_if_wrong(ask: Callable[[], _T]) -> _T | None:
    """What `ask` gives; None after saying what is wrong with the configuration, or with what it names."""
    try:
        return ask()
    except ConfigError as error:
        tell(f"crawler: {error}", err=True)
        return None


def _wait_for_change(config: Path, before: Stamp) -> None:
    """Until files are others than `before`, and have stayed so for a moment: many editors empty a file to write it."""
    while (after := stamp(config)) == before:
        time.sleep(EVERY_S)
    while True:
        time.sleep(SETTLED_S)
        if (now := stamp(config)) == after:
            return
        after = now


def stamp(config: Path) -> Stamp:
    """Names, times and lengths of a configuration and of what may belong to it.

    These are YAML and Python files beside it, and rule files it names, or they. An editor may take one away for a
    moment.
    """
    files: set[Path] = set()
    with suppress(OSError):
        files = {path for path in config.parent.iterdir() if path.suffix in _SUFFIXES or path == config}
    named = [config]
    for path in named:  # which grows
        with suppress(OSError):
            names = {path.parent / name for name in _NAMED.findall(path.read_text(errors="replace"))}
            named += sorted(names - set(named))[: _MAX_NAMED - len(named)]
    files.update(named)
    stamps = []
    for path in sorted(files):
        try:
            stat = path.stat()
        except OSError:
            continue
        stamps.append((str(path), stat.st_mtime_ns, stat.st_size))
    return tuple(stamps)
