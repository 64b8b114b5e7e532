"""How does the pool command and end its fork server?

The pool's end of `forkserver`, which `server` starts. Nothing here blocks but `aclose`, which does so in a thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import msgspec

from crawler.errors import ParseError
from crawler.parse import board as boards
from crawler.parse.framing import BEGIN, COMMAND, EXIT_NO_FORK, KILL, NOTICE, SPAWN, Charter
from crawler.parse.server import Server

if TYPE_CHECKING:
    from collections.abc import Callable

# Room for a whole batch of usual pages: the loop writes it in one go instead of waking for each body that the
# worker takes (10 us a page less), and a worker hands over its answer without waiting for the loop.
_SEND_BUFFER_BYTES = 1024 * 1024


class Exit(NamedTuple):
    """How a worker ended."""

    #: negative: the number of the signal that killed it
    code: int
    #: most physical memory it ever had
    peak_bytes: int

    @property
    def cause(self) -> str:
        """What ended it, for people: ``SIGSEGV``, ``exit status 1``."""
        if self.code == EXIT_NO_FORK:
            return "a failure to fork: no more processes (`ulimit -u`), or too little memory"
        if self.code >= 0:
            return f"exit status {self.code}"
        try:
            return signal.Signals(-self.code).name
        except ValueError:  # real-time signals have no name of their own
            return f"signal {-self.code}"


class Launcher:
    """A fork server and the board its workers write on."""

    def __init__(
        self,
        charter: Charter,
        *,
        on_exit: Callable[[int, Exit], None],
        on_lost: Callable[[str], None],
        server: Server | None = None,
    ) -> None:
        """Tell a server what it is for, without waiting for it to load.

        Args:
            charter: What the server is told.
            on_exit: Called with a worker's number once it is dead and gone.
            on_lost: Called once if the server itself ends, with how; no `on_exit` follows.
            server: Taken over; None to start one.

        Raises:
            ParseError: The server cannot be started.
        """
        self._on_exit = on_exit
        self._on_lost = on_lost
        self._notices = bytearray()
        #: whether the extractor has been loaded
        self.ready = False
        self._loop = asyncio.get_running_loop()
        server = server or Server()
        self._control, self._process = server.control, server.process
        #: of the server, whose children the workers are
        self.pid = self._process.pid
        self._control.settimeout(0)
        try:
            with boards.create(charter.workers) as file, _briefing(charter) as briefing:
                self.board = boards.Board(file.fileno(), charter.workers)
                self._send(COMMAND.pack(BEGIN, 0, 0), [briefing.fileno(), file.fileno()])
        except OSError as error:
            server.close()
            raise ParseError(f"cannot brief the parser pool: {error}") from error
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
    file = boards.nameless_file()
    file.write(msgspec.msgpack.encode(charter))
    file.seek(0)
    return file
