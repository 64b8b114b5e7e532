"""Where are new files while they are not whole? In a folder beside the one they are for, which it then becomes.

So a process that dies leaves nothing under the final name, and what it has left is removed by the next.
"""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING

from crawler.directory import CrawlDirectory, bring_down
from crawler.errors import ConfigError, CrawlerError
from crawler.renames import DRAFT_SUFFIX

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LOCK = "crawl.lock"


def free_name(folder: Path, stem: str) -> Path:
    """The first of ``STEM-1``, ``STEM-2``, … in `folder` that is not taken."""
    return next(path for number in count(1) if not (path := folder / f"{stem}-{number}").exists())


@contextmanager
def drafted(final: Path) -> Iterator[Path]:
    """A new, empty folder that takes the place of `final` at the end, whole and on the disk; it goes away on an error.

    Raises:
        ConfigError: `final` is there already and not an empty folder, or its own folder is not.
        CrawlerError: Somebody else is at it, or it cannot be renamed.
    """
    final = final.resolve()
    if final.exists() and (not final.is_dir() or any(final.iterdir())):
        raise ConfigError(f"{final}: exists already; name another directory")
    if not final.parent.is_dir():
        raise ConfigError(f"{final}: there is no folder {final.parent}")
    draft = final.with_name(final.name + DRAFT_SUFFIX)
    with CrawlDirectory(draft).lock():
        _empty(draft)
        try:
            yield draft
            (draft / _LOCK).unlink()
            bring_down(draft)
            if final.exists():
                final.rmdir()
            draft.rename(final)
            bring_down(final.parent)
        except OSError as error:
            shutil.rmtree(draft, ignore_errors=True)
            raise CrawlerError(f"{final}: cannot be put in place: {error.strerror or error}") from error
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise


def _empty(draft: Path) -> None:
    """Remove what a process that died has left; nobody else's should be called so (`DRAFT_SUFFIX`)."""
    for path in draft.iterdir():
        if path.name != _LOCK:
            path.unlink()
