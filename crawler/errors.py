"""What can go wrong, as one tree.

Failures of a single URL become a `Finished` with an outcome and never reach the engine as exceptions;
what does reach it stops the crawl. Constructors are positional, so that errors pickle. Messages say
what was wrong, with which value, and what was expected.
"""

from __future__ import annotations

from typing import TypeVar

ErrorT = TypeVar("ErrorT", bound=Exception)


class CrawlerError(Exception):
    """Base of every error this package raises on purpose."""


class ConfigError(CrawlerError):
    """A configuration, command line or seed list that cannot be used as it stands (exit code 2)."""


class UrlError(CrawlerError):
    """A string that is not an http or https URL after WHATWG parsing."""


class FetchError(CrawlerError):
    """One attempt to fetch failed.

    Args:
        reason: A reason of `reasons.REASONS`, such as ``"timeout"`` or ``"dns"``.
        detail: What happened, for the log and for people; never parsed.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}" if self.detail else self.reason


class WithheldError(CrawlerError):
    """A request was not sent after all: its host may not be asked now. No attempt was made."""


class ParseError(CrawlerError):
    """The parser pool itself cannot go on (a page that fails is a `ParseFailure`, not an error)."""


class HookError(CrawlerError):
    """The user's own function failed on a page; its text says how and where, in one line."""


class FrontierError(CrawlerError):
    """The store of the crawl is missing, damaged, locked or cannot be written."""


class DamagedStoreError(FrontierError):
    """The store of the crawl is damaged: what can be known of the crawl, its output files tell.

    Args:
        message: As of any error, for people.
        what: What is wrong with it, in a few words.
    """

    def __init__(self, message: str, what: str) -> None:
        super().__init__(message, what)
        self.what = what

    def __str__(self) -> str:
        return str(self.args[0])


class ExportError(CrawlerError):
    """An output file is missing, shorter than committed, or cannot be written."""


def first_error(errors: ExceptionGroup[ErrorT]) -> ErrorT:
    """The error that brought a task group down: the first of its leaves, the others being its echoes."""
    first = errors.exceptions[0]
    return first_error(first) if isinstance(first, ExceptionGroup) else first
