"""Where does a crawl's log go, and what does a line of it look like?"""

from __future__ import annotations

import logging
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from crawler.cli.out import tell
from crawler.errors import ConfigError
from crawler.wording import printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: what events carry beside their fixed text, in the order shown
FIELDS = ("url", "host", "attempt", "why")


class _Line(logging.Formatter):
    """Time, level, event, then the fields it carries; nothing from a page can break out of its line."""

    def format(self, record: logging.LogRecord) -> str:
        values = ((name, getattr(record, name, None)) for name in FIELDS)
        told = " ".join(f"{name}={value}" for name, value in values if value is not None)
        time = self.formatTime(record)
        return f"{time} {record.levelname} {printable(f'{record.getMessage()} {told}'.rstrip())}"


class _File(logging.FileHandler):
    """A log file that, once it cannot be written, says so once and is left alone: a crawl outlives its log."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802, ARG002  (logging's name)
        logging.getLogger("crawler").removeHandler(self)
        error = sys.exc_info()[1]
        tell(f"crawler: {self.baseFilename}: cannot be written, the log ends here: {error}", err=True)


@contextmanager
def not_logging() -> Iterator[None]:
    """Keep no log: what there is to say is said in other words. Python prints warnings that no handler takes."""
    package = logging.getLogger("crawler")
    handler = logging.NullHandler()
    package.addHandler(handler)
    try:
        yield
    finally:
        package.removeHandler(handler)


@contextmanager
def logging_to(path: Path, *, verbose: bool) -> Iterator[None]:
    """Keep a log at `path`; with `verbose` of every attempt, and on stderr too.

    Raises:
        ConfigError: The file cannot be opened.
    """
    try:
        handlers: list[logging.Handler] = [_File(path, encoding="utf-8")]
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}") from error
    if verbose and sys.stderr is not None:
        handlers.append(logging.StreamHandler(sys.stderr))
    package = logging.getLogger("crawler")
    package.setLevel(logging.DEBUG if verbose else logging.INFO)
    for handler in handlers:
        handler.setFormatter(_Line())
        package.addHandler(handler)
    try:
        yield
    finally:
        for handler in handlers:
            package.removeHandler(handler)
            handler.close()
