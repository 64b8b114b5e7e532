"""How does a crawl take being killed? Starts the command, kills it at set moments, goes on with it until it is done.

A *life* is one process of the command, with all it starts. Its end is awaited for all of them: the standard error they
share is read until the last has closed it, so that a parser process that outlives its parent is found out.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "crawler")
COMPLETE = (0, 4)
"""Exit codes of a crawl that has ended: 4 if some URLs failed for reasons a retry may mend."""

_LIFE_S = 90.0
_DYING_S = 10.0
#: when a process is still about to begin or to resume
_EARLY_S = (0.05, 0.7)


class Victim(StrEnum):
    """Who is sent SIGKILL."""

    PROCESS = "process"  #: the command itself; its parser processes have to notice
    GROUP = "group"  #: all at once
    CHILD = "child"  #: one of the processes it started, drawn at random; the command lives on


@dataclass(frozen=True, kw_only=True)
class Kill:
    """A SIGKILL to come, or a signal to the command that it may heed."""

    after_s: float  #: since the process was started, or what `crawling` says
    crawling: bool = False  #: whether time counts from the first page that this life commits, however long it loads
    victim: Victim = Victim.PROCESS
    sign: signal.Signals = signal.SIGKILL  #: any other is for `Victim.PROCESS` alone


@dataclass(frozen=True, kw_only=True)
class Life:
    """One process, from its start to its death; times are `time.monotonic` seconds, which the server's log has too."""

    began: float
    ended: float
    code: int
    stderr: str
    killed_at: tuple[float, ...]  #: when each of its processes was killed; none if it had ended before

    @property
    def died(self) -> bool:
        """Whether the command itself was killed."""
        return self.code == -signal.SIGKILL


@dataclass
class Crawl:
    """A crawl that may be killed: what is typed to begin it, and what is added to that to go on.

    Args:
        directory: The crawl's.
        arguments: Seeds and options.
        program: What to run; of the same arguments as `COMMAND`.
        resume: What makes it go on; added to every life but the first.
        stdin: What every life is given on its standard input.
    """

    directory: Path
    arguments: Sequence[str]
    program: Sequence[str] = COMMAND
    resume: Sequence[str] = ("--resume",)
    stdin: Path | None = None
    lives: list[Life] = field(default_factory=list)

    def live(self, *kills: Kill, program: Sequence[str] = (), more: Sequence[str] = ()) -> Life:
        """Start it, or go on with it; kill as told, and wait for the end of all its processes.

        Args:
            kills: In the order of their times.
            program: What to run in this life, if not the same as in others.
            more: What is typed in this life only.
        """
        began = time.monotonic()
        process = self._start(program or self.program, more)
        try:
            pages = self._pages_bytes()
            struck = [
                _struck(process, kill)
                for kill in kills
                if _outlives(process, (self._crawling(process, pages) if kill.crawling else began) + kill.after_s)
            ]
            dead = process.returncode is not None
            _, stderr = process.communicate(timeout=_DYING_S if dead else _LIFE_S)
        except subprocess.TimeoutExpired as error:
            _end_all(process)
            raise AssertionError(f"still there after {error.timeout:g} s: the command or a child of it") from error
        except BaseException:
            _end_all(process)
            raise
        life = Life(
            began=began,
            ended=time.monotonic(),
            code=process.returncode,
            stderr=stderr.decode(),
            killed_at=tuple(at for at in struck if at is not None),
        )
        self.lives.append(life)
        return life

    def complete(self, kills: Iterable[Kill] = (), after_each: Callable[[Life], None] = lambda _: None) -> Life:
        """Live and die by `kills` in turn, then to the end; the last life. `after_each` is given every one.

        Raises:
            AssertionError: A life ended by itself, and not because all was done.
        """
        for kill in (*kills, None):
            life = self.live(kill) if kill else self.live()
            after_each(life)
            if not life.died:
                assert life.code in COMPLETE, f"life {len(self.lives)} ended with {life.code}:\n{life.stderr}"
                return life
        raise AssertionError("the last life was killed by somebody else")

    def _pages_bytes(self) -> int:
        pages = self.directory / "pages.jsonl"
        return pages.stat().st_size if pages.exists() else 0

    def _crawling(self, process: subprocess.Popen[bytes], pages_bytes: int) -> float:
        """Wait until more than so much stands in pages.jsonl, or the process has ended; the time then."""
        while process.poll() is None and self._pages_bytes() <= pages_bytes:
            time.sleep(0.01)
        return time.monotonic()

    def _start(self, program: Sequence[str], more: Sequence[str]) -> subprocess.Popen[bytes]:
        more = (*(self.resume if self.lives else ()), *more)
        with (self.stdin or Path(os.devnull)).open("rb") as stdin:
            return subprocess.Popen(
                [*program, "crawl", *self.arguments, "-q", "-d", str(self.directory), *more],
                cwd=self.directory.parent,
                env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"},
                stdin=stdin,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )


def spread(draw: random.Random, count: int, span_s: float) -> Iterator[Kill]:
    """`count` kills at random moments up to `span_s` after the start, some of them early and several in a row."""
    early = 0
    for _ in range(count):
        if not early and draw.random() < 0.15:
            early = draw.randint(1, 3)
        after_s = draw.uniform(*_EARLY_S) if early else draw.uniform(_EARLY_S[0], span_s)
        early = max(0, early - 1)
        yield Kill(after_s=after_s, victim=draw.choice((Victim.PROCESS, Victim.PROCESS, Victim.GROUP)))


def descendants(pid: int) -> list[int]:
    """All processes below one, as Linux's /proc has them."""
    members = [pid]
    for member in members:  # grows while it is walked
        try:
            for task in Path(f"/proc/{member}/task").iterdir():
                members += [int(child) for child in (task / "children").read_text().split()]
        except OSError:
            continue  # it ended meanwhile
    return members[1:]


def _outlives(process: subprocess.Popen[bytes], moment: float) -> bool:
    """Wait until a moment, on the monotonic clock, or for the process's end before it."""
    try:
        process.wait(max(0.0, moment - time.monotonic()))
    except subprocess.TimeoutExpired:
        return True
    return False


def _struck(process: subprocess.Popen[bytes], kill: Kill) -> float | None:
    """Kill; when that was, or None if there was nobody to kill. The command's own death is awaited."""
    at = time.monotonic()
    match kill.victim:
        case Victim.CHILD:
            try:
                os.kill(random.choice(descendants(process.pid)), signal.SIGKILL)
            except (IndexError, ProcessLookupError):
                return None
            return at
        case Victim.GROUP:
            os.killpg(process.pid, signal.SIGKILL)
        case Victim.PROCESS:
            process.send_signal(kill.sign)
    process.wait(_DYING_S)
    return at


def _end_all(process: subprocess.Popen[bytes]) -> None:
    """Leave nothing behind. The command's group has its number, and lives as long as one member does."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(_DYING_S)
    if process.stderr:
        process.stderr.close()
