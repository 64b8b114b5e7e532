"""What does a worker process do?

It reads a batch, works it off page by page, answers, and starts anew, until its socket ends. It knows
nothing of the event loop (importing neither asyncio nor aiohttp), of other workers or of deadlines: the
pool kills it when it must. What ends it early is left to `forkserver`, which reports it, and to the pool,
which blames the page noted on the board.
"""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from crawler.models import Page, ParseFailure
from crawler.parse.entry import attempt, failure_of
from crawler.parse.framing import (
    EXIT_NO_MEMORY,
    FULL_BYTES,
    encode_result,
    read_batch,
    read_responses,
    result_frame,
)
from crawler.parse.known import Known

if TYPE_CHECKING:
    import socket

    from crawler.parse.board import Board
    from crawler.parse.entry import PageFunction


def serve(sock: socket.socket, page: PageFunction, board: Board, slot: int, most_bytes: int) -> None:
    """Answer batches until the other end of `sock` is closed. A page that runs out of memory ends the process.

    Args:
        sock: Blocking.
        page: The work.
        board: Where each page is noted that is begun.
        slot: Which note on it is ours.
        most_bytes: Of one page's result, encoded; one that is larger fails.
    """
    known = Known()
    board.ready(slot)
    while (batch := read_batch(sock)) is not None:
        known.learn(batch.told)
        results: list[bytes] = []
        size = 0
        for request, response in read_responses(sock, batch.items):
            if size >= FULL_BYTES:
                sock.sendall(result_frame(results))
                results, size = [], 0
            board.page_starts(slot)
            results.append(_encoded(attempt(page, request, response), known, most_bytes))
            board.page_ends(slot)
            size += len(results[-1])
        sock.sendall(result_frame(results))


def _encoded(result: Page | ParseFailure, known: Known, most_bytes: int) -> bytes:
    """`result` without known links, for the wire; or why it cannot be encoded (a lone surrogate in a text, say)."""
    try:
        if result.reason == "parse_memory":
            os._exit(EXIT_NO_MEMORY)  # what is left of the heap would fail the next page, too
        encoded = encode_result(known.left(result) if isinstance(result, Page) else result)
        if len(encoded) > most_bytes:
            why = f"its records and links take {len(encoded)} bytes, at most {most_bytes} are taken"
            return encode_result(ParseFailure(reason="parse_memory", detail=why))
        return encoded  # noqa: TRY300  (there is nothing else to do)
    except Exception as error:  # noqa: BLE001  # a result of the wrong kind is this page's error
        return encode_result(failure_of(error))


def limit_memory(growth_bytes: int) -> None:
    """Let this process grow by `growth_bytes` and no more: allocations beyond that fail (MemoryError).

    Linux counts private writable memory (RLIMIT_DATA, since 4.7), whether touched or not. Other systems have no
    working limit of the kind; there ``parse.memory`` only names what a page had died of.
    """
    if sys.platform != "linux":
        return
    data_pages = int(Path("/proc/self/statm").read_text().split()[5])
    limit = data_pages * resource.getpagesize() + growth_bytes
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    resource.setrlimit(resource.RLIMIT_DATA, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


def forbid_core_dumps() -> None:
    """A page that crashes its worker must not fill the disk as well."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
