"""What if the machine has no more to give: memory, threads, open files, room on the disk?

No URL is to blame then, and going on would fail them one by one: the crawl ends, what was committed stays. Here such
errors are told from mistakes of ours, and put into words that say what to do.
"""

from __future__ import annotations

import asyncio
import errno
import os
import resource
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from crawler.errors import CrawlerError

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

T = TypeVar("T")


class Shortage(CrawlerError):  # noqa: N818  (what it is called)
    """The machine has no more to give."""


FILE_THREADS = min(8, (os.cpu_count() or 1) + 4)
"""How many write and read files, at most; asyncio would have as many on a small machine."""

THREADS = 6 + FILE_THREADS
"""Those of a small crawl: libuv's pool (4), the store's, the seed list's, and those for files."""

_NO_THREAD = "can't start new thread"  # CPython's words (Modules/_threadmodule.c); the error has no class of its own

_MEMORY = (
    "out of memory: this process gets no more (`ulimit -v`, the limit of a container, or all that the machine has); "
    "limits.memory and limits.concurrency say how much a crawl may hold"
)
_THREADS = (
    "no more threads or processes can be started: raise `ulimit -u` or the container's limit of processes, or see what "
    "else takes them, or the memory, of this machine"
)
_MACHINES_FILES = "the machine has no more open files to give (fs.file-max on Linux): see what else holds so many"
_NO_FOLDER = "the current directory has been removed: change to another one"
_DISK = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO))


def shortage(error: BaseException) -> CrawlerError | None:
    """`error` in our words, if it says that the machine is at its end; None for anything else.

    Of a group it is the first such error in it, or the first of ours.
    """
    for leaf in _leaves(error):
        if isinstance(leaf, CrawlerError):
            return leaf
        if _lacks_thread(leaf) and (first := _before(leaf)) is not None:
            return first  # putting things in order takes threads, too
        if (text := _told(leaf)) is not None:
            return Shortage(text)
    return None


async def heeded(work: Coroutine[Any, Any, T]) -> T:
    """Await `work`, which ends as well where a callback of the loop meets a shortage: what that would have brought
    about is awaited for ever.

    Raises:
        Shortage: For one; anything else passes through.
    """
    loop = asyncio.get_running_loop()
    met: asyncio.Future[None] = loop.create_future()
    before = loop.get_exception_handler()

    def told(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        failure = shortage(error) if isinstance(error, BaseException) else None
        if failure is None:
            (before or type(loop).default_exception_handler)(loop, context)
        elif not met.done():
            met.set_exception(failure)

    loop.set_exception_handler(told)
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait((task, met), return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else met.result()  # type: ignore[return-value]  # the latter raises
    except CrawlerError:
        raise
    except Exception as error:
        if (failure := shortage(error)) is None:
            raise
        raise failure from error
    finally:
        loop.set_exception_handler(before)
        if met.done():
            met.exception()  # seen, whether it was the first to be told or not
        met.cancel()
        if not task.done():
            task.cancel()
            await asyncio.wait((task,))
            with suppress(asyncio.CancelledError):
                task.exception()


def require_threads(count: int = THREADS) -> None:
    """Make sure that so many threads can be beside each other, by starting them; they end at once.

    To be asked before there is a uvloop: libuv aborts the process where it cannot start its own.

    Raises:
        Shortage: They cannot.
    """
    over = threading.Event()
    threads = [threading.Thread(target=over.wait, daemon=True) for _ in range(count)]
    started = []
    try:
        for thread in threads:
            thread.start()
            started.append(thread)
    except RuntimeError as error:
        raise Shortage(_THREADS) from error
    finally:
        over.set()
        for thread in started:
            thread.join()


def file_threads(count: int = FILE_THREADS) -> ThreadPoolExecutor:
    """An executor for `asyncio.to_thread` all of whose threads have started, so that none has to once memory is short.

    One that gets none as it starts is waited for for ever (`Thread.start`, CPython), by the loop.

    Raises:
        Shortage: They cannot all be started.
    """
    executor, begun = ThreadPoolExecutor(count, thread_name_prefix="files"), threading.Event()
    try:
        for _ in range(count):
            executor.submit(begun.wait)  # none is idle, so each starts one
    except RuntimeError as error:
        raise Shortage(_THREADS) from error
    finally:
        begun.set()
    return executor


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for part in error.exceptions:
            yield from _leaves(part)
    else:
        yield error


def _before(error: BaseException) -> CrawlerError | None:
    """The shortage, if any, in whose wake an error came."""
    while error.__context__ is not None:
        error = error.__context__
        if (failure := shortage(error)) is not None:
            return failure
    return None


def _lacks_thread(error: BaseException) -> bool:
    return type(error) is RuntimeError and str(error).startswith(_NO_THREAD)


def _told(error: BaseException) -> str | None:
    if isinstance(error, MemoryError):
        return _MEMORY
    if _lacks_thread(error):
        return _THREADS
    return _of_system(error) if isinstance(error, OSError) else None


def _of_system(error: OSError) -> str | None:
    """Of an error number, if no more than the machine is to blame."""
    match error.errno:
        case errno.EMFILE:
            files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
            return (
                f"this process may have no more open files, {files} at once: raise `ulimit -n`, or ask for less at "
                "once (limits.concurrency)"
            )
        case errno.ENFILE:
            return _MACHINES_FILES
        case errno.ENOMEM:
            return _MEMORY
        case number if number in _DISK:
            return str(error)
        case errno.ENOENT if error.filename is None and not _has_folder():
            return _NO_FOLDER
    return None


def _has_folder() -> bool:
    """Whether there is a current directory."""
    try:
        Path.cwd()
    except FileNotFoundError:
        return False
    return True
