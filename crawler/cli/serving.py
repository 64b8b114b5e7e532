"""Where can the crawl be looked at? What ``--serve`` brings about, and what is told of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.cli.out import remark

if TYPE_CHECKING:
    from crawler.dashboard.board import Board
    from crawler.plan import Plan


def seen_by(board: Board | None, plan: Plan, *, quiet: bool) -> Plan:
    """The plan with its commits told to the dashboard, if there is one; a person is told where that is, unless nothing
    is to be said and it is known, and what is unsafe of it."""
    if board is None:
        return plan
    if board.is_hidden or not quiet:
        remark(f"Dashboard: {' or '.join(board.urls)}")
    if board.is_exposed:
        remark(_EXPOSED)
    return board.seeing(plan)


_EXPOSED = (
    "warning: --serve: other machines reach this address over plain HTTP, so whoever is on the way can read the token "
    "and what the page shows; --serve 8600 with `ssh -L 8600:127.0.0.1:8600 HOST` shows it to you alone"
)
