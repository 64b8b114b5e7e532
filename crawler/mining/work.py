"""What does a process of `workers` do? One task after another, until there are no more or its parent is gone."""

from __future__ import annotations

import os
import queue
import resource
import signal
import sys
import threading
import traceback
from typing import TYPE_CHECKING, NoReturn

import msgspec

from crawler.errors import CrawlerError
from crawler.mining.tasks import Answer, Task

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO


def main() -> NoReturn:
    """Run in the process that `workers.Workers` started, to its end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to stop
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what else is printed must not end up among the answers
    tasks: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(sys.stdin.buffer, tasks), daemon=True).start()
    while True:
        answer = _answered(msgspec.json.decode(tasks.get(), type=Task))
        out.write(msgspec.json.encode(answer) + b"\n")
        out.flush()


def peak_bytes() -> int:
    """The most memory that this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _listen(source: BinaryIO, tasks: queue.SimpleQueue[bytes]) -> None:
    """Hand on what comes; end the process with its parent, whatever it is at."""
    for line in source:
        tasks.put(line)
    os._exit(0)


def _answered(task: Task) -> Answer:
    try:
        answer = _function(task.what)(task)
    except CrawlerError as error:
        return Answer(part=task.part.number, error=str(error), is_ours=True)
    except OSError as error:
        told = f"{error.filename or task.folder}: {error.strerror or error}"
        return Answer(part=task.part.number, error=told, is_ours=True)
    except MemoryError:
        told = f"{task.part.path}: out of memory at part {task.part.number}; --jobs 1 needs less"
        return Answer(part=task.part.number, error=told, is_ours=True)
    except Exception:  # noqa: BLE001  # told by the parent, which ends all of it
        return Answer(part=task.part.number, error=traceback.format_exc())
    return msgspec.structs.replace(answer, peak_bytes=peak_bytes())


def _function(what: str) -> Callable[[Task], Answer]:
    """What does a task, by its name; each loads what it needs."""
    match what:
        case "pages":
            from crawler.mining.reading import read_pages  # noqa: PLC0415

            return read_pages
        case "links":
            from crawler.mining.reading_links import read_links  # noqa: PLC0415

            return read_links
        case "edges":
            from crawler.mining.edges import resolve_edges  # noqa: PLC0415

            return resolve_edges
        case "keywords":
            from crawler.mining.telling import write_keywords  # noqa: PLC0415

            return write_keywords
    raise CrawlerError(f"{what}: is no work of mining")
