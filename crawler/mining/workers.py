"""How does work get onto all cores? Processes of our own, each with one task at a time, which leave results in files.

Plain interpreters (``python -c``), for the reasons of `crawler.parse.forkserver`: it makes no difference what
``__main__`` is here, and what a worker died of is known. Each is a session of its own, so Ctrl-C reaches this process
alone, which then ends them; they end by themselves when it dies, as their standard input does.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from crawler.errors import CrawlerError
from crawler.mining.tasks import Answer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import TracebackType
    from typing import IO, Self

    from crawler.mining.tasks import Task

# The path comes first, as nothing of ours can be imported without it.
_BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.stdin.buffer.readline());"
    "from crawler.mining.work import main; main()"
)
#: a worker is for one core: libraries must not start a thread for each of them
_ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}


class Workers:
    """A context manager; all processes have gone when it is left.

    Args:
        jobs: How many there are.

    Raises:
        CrawlerError: One cannot be started.
    """

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._all: list[_Worker] = []

    def __enter__(self) -> Self:
        try:
            for _ in range(self._jobs):
                self._all.append(_Worker())
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._end()

    @property
    def peak_bytes(self) -> int:
        """The most memory that each has held so far, added up."""
        return sum(worker.peak_bytes for worker in self._all)

    def run(self, tasks: Iterable[Task]) -> Iterator[Answer]:
        """Have tasks done, which are asked for as workers get free; answers come as they are ready.

        Raises:
            CrawlerError: A task failed, or a worker died; names it.
        """
        waiting = iter(tasks)
        idle, more = list(self._all), True
        with selectors.DefaultSelector() as busy:
            while True:
                while more and idle:
                    task = next(waiting, None)
                    if task is None:
                        more = False
                    else:
                        worker = idle.pop()
                        worker.begin(task)
                        busy.register(worker.answers, selectors.EVENT_READ, worker)
                if not busy.get_map():
                    return
                for key, _ in busy.select():
                    worker = key.data
                    busy.unregister(worker.answers)
                    answer = worker.answer()
                    idle.append(worker)
                    yield answer

    def _end(self) -> None:
        for worker in self._all:
            worker.process.kill()
        for worker in self._all:
            worker.close()
        self._all.clear()


class _Worker:
    """One process."""

    def __init__(self) -> None:
        try:
            self.process = subprocess.Popen(  # noqa: S603  # our own interpreter and code
                [sys.executable, "-P", "-c", _BOOT],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,
                env=os.environ | _ONE_THREAD,
            )
        except OSError as error:
            raise CrawlerError(f"cannot start {sys.executable!r} to mine with: {error}") from error
        self.peak_bytes = 0
        self._task: Task | None = None
        self._send(json.dumps([entry for entry in sys.path if isinstance(entry, str)]).encode())

    @property
    def answers(self) -> IO[bytes]:
        """Readable when there is one, or the process has ended."""
        assert self.process.stdout is not None  # noqa: S101  (for the type checker)
        return self.process.stdout

    def begin(self, task: Task) -> None:
        """Have it do a task."""
        self._task = task
        self._send(msgspec.json.encode(task))

    def answer(self) -> Answer:
        """How the task ended.

        Raises:
            CrawlerError: It failed, or the process has died.
        """
        line, task = self.answers.readline(), self._task
        self._task = None
        if not line.endswith(b"\n"):
            code = self.process.wait()
            ended = f"killed by signal {-code}" if code < 0 else f"ended with code {code}"
            hint = "; was memory short?" if code == -9 else ""
            at = f" at part {task.part.number} of {Path(task.part.path).name} ({task.what})" if task else ""
            raise CrawlerError(f"a process that mined was {ended}{at}: process {self.process.pid}{hint}")
        answer = msgspec.json.decode(line, type=Answer)
        if answer.error is not None:
            if answer.is_ours:
                raise CrawlerError(answer.error)
            raise RuntimeError(answer.error)  # a mistake of ours
        self.peak_bytes = max(self.peak_bytes, answer.peak_bytes)
        return answer

    def close(self) -> None:
        """Wait for its end."""
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()

    def _send(self, line: bytes) -> None:
        assert self.process.stdin is not None  # noqa: S101
        with contextlib.suppress(ConnectionError):  # if it is dead, its answers end
            self.process.stdin.write(line + b"\n")
            self.process.stdin.flush()
