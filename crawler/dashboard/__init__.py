"""A crawl that runs, on a page: what it does now, and what it may be told. Served by the process that crawls."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import ExitStack

    from crawler.dashboard.board import Board
    from crawler.running import Running


def open_board(serve: str | None, stack: ExitStack) -> Board | None:
    """A dashboard that listens where `serve` says until the stack is closed; None for none.

    Raises:
        ConfigError: It cannot be served there.
    """
    if serve is None:
        return None
    from crawler.dashboard.board import listening  # noqa: PLC0415 - only who serves pays for it

    return stack.enter_context(listening(serve))


@asynccontextmanager
async def shown(board: Board | None, running: Running) -> AsyncIterator[None]:
    """Show a crawl while it runs in the block, if there is a board to show it."""
    if board is None:
        yield
        return
    await board.begin(running)
    try:
        yield
    finally:
        await board.end()
