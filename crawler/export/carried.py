"""How do the answers that earlier generations have archived come into a new one?

Its directory is to be whole by itself: what has not changed since is in older files alone, and these must not go when
an older generation does. So they are linked, which takes no space, or copied where that cannot be. What an archive
knows of its payloads comes along, so that none is stored twice. Bodies of ``export.files`` come with the lines that
name them (`crawler.export.files`), as those of what is gone are not wanted.

All of it may be done again after a crash, at any point.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing, suppress
from typing import TYPE_CHECKING

from crawler.archive.places import STALE, all_files
from crawler.directory import bring_down
from crawler.export.failures import errors_named
from crawler.export.payloads import CARRIED, INDEX
from crawler.sinks import WARC

if TYPE_CHECKING:
    from pathlib import Path

_PART = ".part"  # follows the name of what is not whole yet


def carry_archives(base: Path, into: Path) -> None:
    """Let the directory `into` have all WARC files of `base`, under the same names. Blocks.

    Args:
        base: A finished crawl's directory; nothing in it is changed.
        into: That of its next generation, whose sinks are not open yet.

    Raises:
        ExportError: They can neither be linked nor copied.
    """
    source, target = base / WARC, into / WARC
    if not source.is_dir():
        return
    with errors_named(target, "carry archives over to"):
        target.mkdir(exist_ok=True)
        bring_down(into)
        for file in all_files(source):
            link(file.path, target / file.path.name)
        if (source / STALE).exists():
            link(source / STALE, target / STALE)
        if not (target / CARRIED).exists():
            _carry_index(source, target / CARRIED)
        bring_down(target)


def link(source: Path, target: Path) -> None:
    """Let `target` be the same file, or one like it where there can be no links; not brought down.

    Raises:
        OSError: It cannot be.
    """
    if target.exists():
        return
    try:
        target.hardlink_to(source)
    except FileNotFoundError:
        raise
    except OSError:  # another file system, or one without links, or too many of them
        copy(source, target)


def copy(source: Path, target: Path) -> None:
    """Make `target` a file of its own like `source`, which it may be another name of; on the disk before it is seen."""
    part = target.with_name(target.name + _PART)
    shutil.copyfile(source, part)
    bring_down(part)
    part.replace(target)


def is_shared(path: Path) -> bool:
    """Whether what is written to the file would be seen elsewhere, too."""
    return path.exists() and path.stat().st_nlink > 1


def _carry_index(source: Path, target: Path) -> None:
    """What is known of payloads there; without it, or a part of it, some are stored once more."""
    part = target.with_name(target.name + _PART)
    part.unlink(missing_ok=True)
    with suppress(sqlite3.Error):
        with closing(sqlite3.connect(part, isolation_level=None)) as base:
            base.execute("PRAGMA journal_mode = OFF")
            base.execute("PRAGMA synchronous = OFF")
            base.execute(
                "CREATE TABLE payload (digest BLOB PRIMARY KEY, url TEXT NOT NULL, date TEXT NOT NULL) WITHOUT ROWID"
            )
            for name in (CARRIED, INDEX):
                if (source / name).exists():
                    base.execute("ATTACH ? AS one", (os.fspath(source / name),))
                    base.execute("INSERT OR IGNORE INTO payload SELECT digest, url, date FROM one.payload")
                    base.execute("DETACH one")
        bring_down(part)
        part.replace(target)
