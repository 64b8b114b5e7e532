"""How does a worker come to life in a millisecond, and who sees it die?

The fork server: a fresh, single-threaded interpreter that loads the extractor once, then forks a worker
whenever the pool sends it a socket, kills one when told to, and reports how each ended. It may be started before
there is a pool to tell it what to load, and loads what is most likely meanwhile. It outlives no pool: when its
control socket ends it kills its workers, hanging or not, waits for them, and exits. If it is killed itself, Linux
kills the workers (PR_SET_PDEATHSIG); elsewhere they end with their page at the latest.

Why not `multiprocessing`'s own fork server: there is one for all users of the interpreter, starting a worker
blocks until it has loaded, it re-executes ``__main__`` (which breaks unguarded scripts and notebooks), and
it does not say what a worker died of.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import os
import select
import signal
import socket
import sys
from typing import NoReturn

import msgspec

from crawler.parse.board import Board
from crawler.parse.entry import EXTRACTOR, PageFunction, load
from crawler.parse.framing import COMMAND, EXIT_NO_FORK, EXIT_NO_MEMORY, KILL, NOTICE, READY, Charter, result_limit
from crawler.parse.heap import frugal
from crawler.parse.worker import forbid_core_dumps, limit_memory, serve

_PR_SET_PDEATHSIG = 1  # <sys/prctl.h>


def main(control_fd: int) -> NoReturn:
    """Run in the process that `server` started, to its end."""
    code = 1
    control = socket.socket(fileno=control_fd)  # which ends with the process and not before: the pool relies on that
    try:
        _serve(control)
        code = 0
    except BaseException:  # noqa: BLE001  # told here, as nothing of this process is taken down piece by piece
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(code)


def _serve(control: socket.socket) -> None:
    for number in (signal.SIGINT, signal.SIGHUP):  # the pool's owner decides when to stop
        signal.signal(number, signal.SIG_IGN)
    _null_stdin()
    told = select.poll()  # not select, for the reason given below
    told.register(control, select.POLLIN)
    if not told.poll(0):
        importlib.import_module(EXTRACTOR.partition(":")[0])
    if (briefing := _briefing(control)) is not None:
        charter, board = briefing
        page = load(charter.entry, charter.settings)
        gc.collect()
        gc.freeze()  # workers share these pages as long as no collection writes to them
        ForkServer(control, page, board, charter).run()


def _briefing(control: socket.socket) -> tuple[Charter, Board] | None:
    """What the pool's first command brings; None if there will be no pool."""
    _, fds, _, _ = socket.recv_fds(control, COMMAND.size, 2)
    if not fds:
        return None
    with os.fdopen(fds[0], "rb") as file:
        charter = msgspec.msgpack.decode(file.read(), type=Charter)
    board = Board(fds[1], charter.workers)
    os.close(fds[1])
    return charter, board


def _null_stdin() -> None:
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)


class ForkServer:
    """The children, by the number the pool knows them by."""

    def __init__(self, control: socket.socket, page: PageFunction, board: Board, charter: Charter) -> None:
        self._control = control
        self._page = page
        self._board = board
        self._memory_bytes = charter.memory_bytes
        self._result_bytes = result_limit(charter.settings.max_body_bytes)
        self._pids: dict[int, int] = {}
        self._workers: dict[int, int] = {}
        self._prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)

    def run(self) -> None:
        """Serve until the control socket ends; no child is left then."""
        signal.signal(signal.SIGCHLD, lambda *_: None)  # only so that it writes to the wake-up pipe
        signal.set_wakeup_fd(self._wake_write)
        poll = select.poll()  # unlike select, takes descriptors over 1023; unlike epoll, owns none
        poll.register(self._control, select.POLLIN)
        poll.register(self._wake_read, select.POLLIN)
        try:
            self._control.sendall(READY)
            while self._turn([fd for fd, _ in poll.poll()]):
                pass
        except ConnectionError:
            pass  # the pool has gone: the same as the end of its socket
        finally:
            self._end_all()

    def _turn(self, readable: list[int]) -> bool:
        if self._wake_read in readable:
            os.read(self._wake_read, 4096)
            self._report_dead()
        return self._control.fileno() not in readable or self._obey()

    def _obey(self) -> bool:
        """Do what the next command says; False if there will be none."""
        # a command is sent in one piece, and the kernel does not split so small a write
        message, fds, _, _ = socket.recv_fds(self._control, COMMAND.size, 1)
        if len(message) < COMMAND.size:
            return False
        verb, worker, slot = COMMAND.unpack(message)
        if verb == KILL:
            if worker in self._pids:
                os.kill(self._pids[worker], signal.SIGKILL)
        else:
            with socket.socket(fileno=fds[0]) as sock:  # closed here once forked: no sibling inherits it
                self._spawn(worker, slot, sock)
        return True

    def _spawn(self, worker: int, slot: int, sock: socket.socket) -> None:
        server_pid = os.getpid()
        try:
            pid = os.fork()
        except OSError:
            self._control.sendall(NOTICE.pack(worker, EXIT_NO_FORK, 0))
            return
        if pid == 0:
            self._be_worker(server_pid, slot, sock)
        self._pids[worker] = pid
        self._workers[pid] = worker

    def _be_worker(self, server_pid: int, slot: int, sock: socket.socket) -> NoReturn:
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for fd in (self._control.detach(), self._wake_read, self._wake_write):
                os.close(fd)
            if self._prctl is not None:
                self._prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() == server_pid:  # else the server died before the line above
                forbid_core_dumps()
                limit_memory(self._memory_bytes)
                serve(sock, frugal(self._page), self._board, slot, self._result_bytes)
            code = 0
        except (EOFError, ConnectionError):
            code = 0  # the pool went away in the middle of a batch
        except MemoryError:
            code = EXIT_NO_MEMORY  # between two pages
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else 1
        except BaseException:  # noqa: BLE001  # nothing may return into the server's own stack
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(code)

    def _report_dead(self) -> None:
        while self._workers:
            pid, status, usage = os.wait4(-1, os.WNOHANG)
            if pid == 0:
                return
            worker = self._workers.pop(pid, None)
            if worker is not None:  # else a child of the extractor's own making
                del self._pids[worker]
                peak_bytes = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
                self._control.sendall(NOTICE.pack(worker, os.waitstatus_to_exitcode(status), peak_bytes))

    def _end_all(self) -> None:
        for pid in self._workers:
            os.kill(pid, signal.SIGKILL)
        for pid in self._workers:
            os.waitpid(pid, 0)
