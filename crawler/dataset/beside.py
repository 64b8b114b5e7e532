"""Where does a file grow while it is not whole? In a folder beside it, from which it is moved into its place.

The folder is the process's own, and locked while that lives (flock(2)): what a process has left that was killed is
found by its name and taken away by the next one that writes the same file, and two at a time do not meet.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from contextlib import contextmanager, suppress
from secrets import token_hex
from typing import TYPE_CHECKING

from crawler.directory import bring_down
from crawler.errors import CrawlerError
from crawler.renames import DRAFT_SUFFIX

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_DRAFT = "whole"


@contextmanager
def beside(path: Path) -> Iterator[Path]:
    """A new, empty folder beside `path`; the file called `draft_in` it takes the place of `path` at the end.

    On an error nothing is left, and what was at `path` stays.

    Raises:
        CrawlerError: It cannot be written.
    """
    try:
        _tidy(path)
        folder = path.with_name(f"{path.name}.{token_hex(4)}{DRAFT_SUFFIX}")
        folder.mkdir()
        held = hold(folder)
        try:
            yield folder
            draft = draft_in(folder)
            bring_down(draft)
            draft.replace(path)
            bring_down(path.parent)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            if held is not None:
                os.close(held)
    except OSError as error:
        raise CrawlerError(f"{path}: cannot be written: {error.strerror or error}") from error


def draft_in(folder: Path) -> Path:
    """The file that is to be made in a folder of `beside`."""
    return folder / _DRAFT


def hold(folder: Path) -> int | None:
    """The lock on a folder, a file descriptor; None if another process has it, or it is gone."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
        else:
            return descriptor
    return None


def _tidy(path: Path) -> None:
    """Remove what killed processes have left of this file."""
    marks = len(token_hex(4))
    for folder in path.parent.glob(f"*{DRAFT_SUFFIX}"):
        mark = folder.name.removeprefix(f"{path.name}.").removesuffix(DRAFT_SUFFIX)
        if folder.name.startswith(f"{path.name}.") and len(mark) == marks and folder.is_dir():
            held = hold(folder)
            if held is not None:
                shutil.rmtree(folder, ignore_errors=True)
                os.close(held)
