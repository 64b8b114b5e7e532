"""Where does a crawl's log go?"""

from __future__ import annotations

import logging
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from crawler.cli.log_file import LogFile
from crawler.cli.log_lines import JsonLines, TextLines
from crawler.cli.log_queue import LogQueue
from crawler.errors import ConfigError
from crawler.runs import next_run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.config import CrawlConfig
    from crawler.directory import CrawlDirectory


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
def logging_to(directory: CrawlDirectory, config: CrawlConfig, *, verbose: bool) -> Iterator[None]:
    """Keep the log of a crawl that is about to run; with `verbose` of every attempt, and on stderr too.

    On return all of it is written.

    Raises:
        ConfigError: The file cannot be opened.
    """
    wanted = config.log
    as_json = wanted.format == "json"
    lines = (JsonLines if as_json else TextLines)(config.name, next_run(directory.runs))
    try:
        handlers: list[logging.Handler] = [
            LogFile(
                directory.log,
                older=directory.older_logs(),
                keep=wanted.keep,
                most_bytes=wanted.max_file_bytes,
                as_json=as_json,
            )
        ]
    except OSError as error:
        raise ConfigError(f"{directory.log}: cannot be written: {error.strerror}") from error
    if verbose and sys.stderr is not None:
        handlers.append(_Person(sys.stderr))
    for handler in handlers:
        handler.setFormatter(lines)
    package, queue = logging.getLogger("crawler"), LogQueue(handlers)
    package.setLevel(logging.DEBUG if verbose else logging.INFO)
    queue.start()
    package.addHandler(queue)
    try:
        yield
    finally:
        package.removeHandler(queue)
        queue.close()


class _Person(logging.StreamHandler):  # type: ignore[type-arg]  # generic for type checkers only, before 3.13
    """Standard error, for as long as there is somebody to read it."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802  (logging's name)
        """Say no more."""
        self.setLevel(logging.CRITICAL + 1)
