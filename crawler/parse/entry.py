"""What is run on each response, and how many workers run it?

The backends differ only in where they run; what they run is named here, once, by an import path, so that
it can be loaded in another process.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from crawler.errors import ParseError
from crawler.models import Page, ParseFailure, Request, Response

if TYPE_CHECKING:
    from crawler.config import ParseConfig
    from crawler.extract.settings import Settings

EXTRACTOR = "crawler.extract.page:Extractor"
"""``module:class``. The class takes `Settings`; its method ``page`` is the work. It must be pure: several
threads may call it at once, and a page may be worked on a second time after a crash."""

PageFunction = Callable[[Request, Response], Page | ParseFailure]

NOT_RUNNING = "the parser pool is not running: it was not started, or is closed"


def load(entry: str, settings: Settings) -> PageFunction:
    """Import `entry` and hand back its page function.

    Raises:
        ParseError: There is no such module or class.
    """
    module, _, name = entry.partition(":")
    try:
        extractor = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ParseError(f"cannot load {entry!r} (expected 'module:class'): {error}") from error
    page: PageFunction = extractor(settings).page
    return page


def attempt(page: PageFunction, request: Request, response: Response) -> Page | ParseFailure:
    """Run `page`, with whatever it raises turned into a failure of this response alone."""
    try:
        return page(request, response)
    except Exception as error:  # noqa: BLE001  # contained damage: any error is this page's, never the pool's
        return failure_of(error)


def failure_of(error: Exception) -> ParseFailure:
    """The failure that stands for an exception of the page function."""
    reason = "parse_memory" if isinstance(error, MemoryError) else "parse_error"
    return ParseFailure(reason=reason, detail=f"{type(error).__name__}: {error}"[:300])


def worker_count(config: ParseConfig) -> int:
    """How many workers to run; ``auto`` is one for each core this process may use."""
    if config.workers != "auto":
        return config.workers
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
