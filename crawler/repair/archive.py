"""Up to where is an archive good that lies in the directory of a crawl to be repaired?

What is beyond is cut off when it is opened. URLs whose answers are lost so are not fetched again: they have ended, and
their records are in the other files. Those that are fetched again for other reasons are archived again.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from crawler.archive.places import archive_files, place_of, position_of
from crawler.archive.record import HEAD_BYTES, member_bytes
from crawler.archive.records import Records
from crawler.errors import CrawlerError

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger(__name__)


def good_position(folder: Path, name: str, committed: int | None) -> int | None:
    """The last position at which it can be cut and gone on with; None if nothing of it is there.

    Args:
        folder: Where it lies, if it does.
        name: Of the archive.
        committed: As far as the store knows; None if that is lost, so that all that is whole counts.
    """
    found = archive_files(folder, name) if folder.is_dir() else []
    number, length = (found[-1][0] if found else 0, None) if committed is None else place_of(committed)
    there = [(at, path) for at, path in found if at <= number]
    if not there:
        return None
    at, path = there[-1]
    size = path.stat().st_size
    if at == number and length is not None and size >= length:
        return committed
    if committed is not None:
        log.warning("a part of the archive is lost", extra={"why": f"{path}, and what came after it"})
    return position_of(at, size if at < number else _good_bytes(path))


def _good_bytes(path: Path) -> int:
    """Where the last answer in it ends, as its metadata record does; or begins, if it lacks a part."""
    good = 0
    with suppress(CrawlerError), path.open("rb") as file:  # damaged: what is before that is good
        for record in Records(path):
            if record.kind in ("response", "revisit"):
                good = record.start
            elif record.kind == "metadata":
                file.seek(record.start)
                if size := member_bytes(file.read(HEAD_BYTES)):
                    good = record.start + size
    return good
