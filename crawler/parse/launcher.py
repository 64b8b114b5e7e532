"""How does the pool start, command and end its fork server?

The pool's end of `forkserver`. Starts a plain interpreter (``python -c``), so that it makes no difference what
``__main__`` is here, with exactly two descriptors: the control socket and the board. It is a session of its
own: Ctrl-C and hang-ups of a terminal reach the crawler, not its workers. Nothing here blocks but `aclose`,
which does so in a thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import msgspec

from crawler.errors import ParseError
from crawler.parse import board as boards
from crawler.parse.framing import COMMAND, KILL, NOTICE, SPAWN, Charter

if TYPE_CHECKING:
    from collections.abc import Callable

# The path comes first, as nothing of ours can be imported without it.
_BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.stdin.buffer.readline());"
    "from crawler.parse.forkserver import main; main(*map(int, sys.argv[1:]))"
)

# Room for a whole batch of usual pages: the loop writes it in one go instead of waking for each body that the
# worker takes (10 us a page less), and a worker hands over its answer without waiting for the loop.
_SEND_BUFFER_BYTES = 1024 * 1024


# A worker fills and frees its heap with every page. By default glibc returns it to the kernel and faults it in
# again each time: a quarter of the CPU of a page (3.2 instead of 2.3 ms for 89 KB). Other libcs ignore this.
_KEEP_HEAP = {"MALLOC_TRIM_THRESHOLD_": str(256 * 1024**2), "MALLOC_MMAP_THRESHOLD_": str(32 * 1024**2)}


class Exit(NamedTuple):
    """How a worker ended."""

    #: negative: the number of the signal that killed it
    code: int
    #: most physical memory it ever had
    peak_bytes: int


class Launcher:
    """A fork server and the board its workers write on."""

    def __init__(
        self, charter: Charter, *, on_exit: Callable[[int, Exit], None], on_lost: Callable[[str], None]
    ) -> None:
        """Start the server, without waiting for it to load.

        Args:
            charter: What the server is told.
            on_exit: Called with a worker's number once it is dead and gone.
            on_lost: Called once if the server itself ends, with how; no `on_exit` follows.

        Raises:
            ParseError: The server cannot be started.
        """
        self._on_exit = on_exit
        self._on_lost = on_lost
        self._notices = bytearray()
        #: whether the extractor has been loaded
        self.ready = False
        self._loop = asyncio.get_running_loop()
        try:
            self._control, theirs = socket.socketpair()
        except OSError as error:
            raise ParseError(f"cannot open a socket for the parser pool: {error}") from error
        self._control.settimeout(0)
        try:
            with theirs, boards.create(charter.workers) as file, _briefing(charter) as stdin:
                self.board = boards.Board(file.fileno(), charter.workers)
                fds = (theirs.fileno(), file.fileno())
                self._process = subprocess.Popen(  # noqa: S603  # our own interpreter and code
                    [sys.executable, "-P", "-c", _BOOT, *map(str, fds)],
                    stdin=stdin,
                    stdout=subprocess.DEVNULL,  # what user code prints must not end up in `-o -`
                    pass_fds=fds,
                    start_new_session=True,
                    env=_KEEP_HEAP | os.environ,
                )
        except OSError as error:
            self._control.close()
            raise ParseError(f"cannot start {sys.executable!r} for the parser pool: {error}") from error
        self._loop.add_reader(self._control.fileno(), self._read_notices)

    def spawn(self, worker: int, slot: int) -> socket.socket:
        """Have a worker forked, as soon as the server has loaded; the caller owns the end returned.

        Raises:
            ParseError: This process may not open another socket.
        """
        self.board.reset(slot)
        try:
            ours, theirs = socket.socketpair()
        except OSError as error:
            raise ParseError(f"cannot open a socket for a parser worker: {error}") from error
        for end in (ours, theirs):
            with contextlib.suppress(OSError):  # larger than this system allows: slower, that is all
                end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
        ours.settimeout(0)
        with theirs:
            self._send(COMMAND.pack(SPAWN, worker, slot), [theirs.fileno()])
        return ours

    def kill(self, worker: int) -> None:
        """SIGKILL a worker, if it still lives; its `on_exit` follows."""
        self._send(COMMAND.pack(KILL, worker, 0), [])

    def _send(self, command: bytes, fds: list[int]) -> None:
        # a server that has just died is noticed by the reader, which puts everything in order
        with contextlib.suppress(ConnectionError):
            socket.send_fds(self._control, [command], fds)

    def _read_notices(self) -> None:
        try:
            data = self._control.recv(4096)
        except (BlockingIOError, InterruptedError):
            return
        except ConnectionError:
            data = b""
        if not data:
            self._lost()
            return
        self._notices += data
        while len(self._notices) >= NOTICE.size:
            worker, code, peak_bytes = NOTICE.unpack_from(self._notices)
            del self._notices[: NOTICE.size]
            if worker == 0:
                self.ready = True
            else:
                self._on_exit(worker, Exit(code, peak_bytes))

    def _lost(self) -> None:
        self._release()
        self._process.kill()
        code = self._process.wait()  # it is dead, or about to be: no wait worth a thread
        self._on_lost(f"signal {-code}" if code < 0 else f"exit status {code}")

    def _release(self) -> None:
        if self._control.fileno() >= 0:
            self._loop.remove_reader(self._control.fileno())
            self._control.close()  # the server's signal to end its workers and itself
            self.board.close()

    async def aclose(self) -> None:
        """End the server and its workers, hanging or not. Idempotent."""
        self._release()
        if not self.ready:
            self._process.kill()  # it has no workers yet, and would load to the end first
        await asyncio.to_thread(self._process.wait)


def _briefing(charter: Charter) -> BinaryIO:
    """A file with what the server is to read: of any size, without anyone waiting for the other."""
    file = tempfile.TemporaryFile()  # noqa: SIM115  # the caller closes it
    file.write(json.dumps([entry for entry in sys.path if isinstance(entry, str)]).encode() + b"\n")
    file.write(msgspec.msgpack.encode(charter))
    file.seek(0)
    return file
