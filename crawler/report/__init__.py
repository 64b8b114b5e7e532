"""What did a crawl come to? One self-contained page about it, made from the files in its directory.

`collect` reads the directory into `facts.Report`, `page` makes HTML of that; `write` does both and puts it in place.
"""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from secrets import token_hex
from typing import TYPE_CHECKING

from crawler.directory import CrawlDirectory, bring_down
from crawler.errors import CrawlerError
from crawler.models import OUTCOMES, PAGES, STOPPED
from crawler.renames import DRAFT_SUFFIX

if TYPE_CHECKING:
    from pathlib import Path

    from crawler.config import CrawlConfig
    from crawler.report.facts import Report

log = logging.getLogger(__name__)

_LONG_BYTES = 100 << 20
"""Records of which the report takes a second or more."""


def write(
    directory: Path, to: Path | None = None, *, pages: Path | None = None, config: CrawlConfig | None = None
) -> Report:
    """Write the report on the crawl in `directory`, in the place of one that may be there; what it tells.

    The file is whole or not there, whatever ends this: it is written beside its place and renamed.

    Args:
        directory: Of a crawl that runs, was interrupted or killed, or has ended.
        to: Where to; ``report.html`` in it if None.
        pages: Its page records, where they are not in the directory and no store says where.
        config: What its crawl.yaml says, if that is known.

    Raises:
        ConfigError: No crawl lies there.
        CrawlerError: What lies there cannot be read, or the page cannot be written.
    """
    from crawler.report.collect import collect  # noqa: PLC0415 - only who wants a report pays for what makes it
    from crawler.report.page import html  # noqa: PLC0415

    report = collect(directory, now=time.time(), pages=pages, config=config)
    put(to or CrawlDirectory(directory).report, html(report))
    return report


def wants_report(config: CrawlConfig, stopped_by: str | None) -> bool:
    """Whether a run that ended so leaves a report: not one that was interrupted, as that is to be resumed."""
    return config.export.report and stopped_by != STOPPED


def write_or_log(directory: Path, *, pages: Path | None = None, config: CrawlConfig | None = None) -> str | None:
    """As `write`, at the end of a crawl, which is as good without: what kept it from being written, or None.

    Args:
        directory: Of a crawl that has ended.
        pages: As for `write`.
        config: As for `write`.
    """
    try:
        write(directory, pages=pages, config=config)
    except Exception as error:  # a mistake of ours must not cost the account of a crawl either
        why = str(error) if isinstance(error, CrawlerError) else f"{type(error).__name__}: {error}"
        log.warning("report not written", extra={"why": why}, exc_info=not isinstance(error, CrawlerError))
        return why
    return None


def takes_long(directory: Path, pages: Path | None = None) -> bool:
    """Whether somebody who waits for it should be told."""
    crawl = CrawlDirectory(directory)
    files = [*crawl.spellings(OUTCOMES), *([pages] if pages else crawl.spellings(PAGES))]
    return sum(file.stat().st_size for file in files if file.exists()) > _LONG_BYTES


def put(path: Path, content: bytes) -> None:
    """Put a whole file at `path`, or leave what is there. Two that do so at once do not meet: the last one's is there.

    Raises:
        CrawlerError: It cannot be written.
    """
    place = path.resolve()  # of the file itself, where there is a link to it
    draft = place.with_name(f"{place.name}.{token_hex(4)}{DRAFT_SUFFIX}")
    try:
        draft.write_bytes(content)
        bring_down(draft)
        draft.replace(place)
    except OSError as error:
        why = error.strerror or error
        raise CrawlerError(f"{path}: cannot be written: {why}; crawler report DIR -o FILE puts it elsewhere") from error
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
