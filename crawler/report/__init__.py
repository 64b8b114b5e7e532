"""What did a crawl come to? One self-contained page about it, made from the files in its directory.

`collect` reads the directory into `facts.Report`, `page` makes HTML of that; `write` does both and puts it in place.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

from crawler.directory import CrawlDirectory, bring_down
from crawler.errors import CrawlerError
from crawler.renames import DRAFT_SUFFIX

if TYPE_CHECKING:
    from pathlib import Path

    from crawler.report.facts import Report


def write(directory: Path, to: Path | None = None, *, pages: Path | None = None) -> Report:
    """Write the report on the crawl in `directory`, in the place of one that may be there; what it tells.

    The file is whole or not there, whatever ends this: it is written beside its place and renamed.

    Args:
        directory: Of a crawl that runs, was interrupted or killed, or has ended.
        to: Where to; ``report.html`` in it if None.
        pages: Its page records, where they are not in the directory and no store says where.

    Raises:
        ConfigError: No crawl lies there.
        CrawlerError: What lies there cannot be read, or the page cannot be written.
    """
    from crawler.report.collect import collect  # noqa: PLC0415 - only who wants a report pays for what makes it
    from crawler.report.page import html  # noqa: PLC0415

    report = collect(directory, now=time.time(), pages=pages)
    put(to or CrawlDirectory(directory).report, html(report))
    return report


def put(path: Path, content: bytes) -> None:
    """Put a whole file at `path`, or leave what is there.

    Raises:
        CrawlerError: It cannot be written.
    """
    draft = path.with_name(path.name + DRAFT_SUFFIX)
    try:
        draft.write_bytes(content)
        bring_down(draft)
        draft.replace(path)
    except OSError as error:
        why = error.strerror or error
        raise CrawlerError(f"{path}: cannot be written: {why}; crawler report DIR -o FILE puts it elsewhere") from error
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
