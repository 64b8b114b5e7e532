"""A crawl that runs, on a page: what it does now, and what it may be told. Served by the process that crawls."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contextlib import ExitStack

    from crawler.dashboard.board import Board


def open_board(serve: str | None, stack: ExitStack) -> Board | None:
    """A dashboard that listens where `serve` says until the stack is closed; None for none.

    Raises:
        ConfigError: It cannot be served there.
    """
    if serve is None:
        return None
    from crawler.dashboard.board import listening  # noqa: PLC0415 - only who serves pays for it

    return stack.enter_context(listening(serve))
