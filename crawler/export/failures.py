"""How does an error of the operating system become one of exporting?"""

from __future__ import annotations

import errno
from contextlib import contextmanager
from typing import TYPE_CHECKING

from crawler.errors import ExportError
from crawler.shortage import shortage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def errors_named(path: Path, doing: str) -> Iterator[None]:
    """Name `path` in what goes wrong, and what was being done to it.

    Raises:
        ExportError: For an OSError within.
    """
    try:
        yield
    except OSError as error:
        why: object = error.strerror or error
        if error.errno == errno.EMFILE:  # of which more is to be said
            why = shortage(error) or why
        raise ExportError(f"{path}: cannot {doing}: {why}") from error
