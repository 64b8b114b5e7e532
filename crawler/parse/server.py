"""How is a fork server started, before anyone knows what it is for?

A plain interpreter (``python -c``), so that it makes no difference what ``__main__`` is here, with exactly one
descriptor: the control socket. It is a session of its own: Ctrl-C and hang-ups of a terminal reach the crawler, not its
workers. It loads at once and then waits to be told more, so a command that will crawl starts it first of all: both load
at the same time. For that reason this module imports next to nothing.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
import subprocess
import sys

from crawler.errors import ParseError

# The path comes first, as nothing of ours can be imported without it.
_BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.stdin.buffer.readline());"
    "from crawler.parse.forkserver import main; main(int(sys.argv[1]))"
)

# A worker fills and frees its heap with every page. By default glibc returns it to the kernel and faults it in
# again each time: a quarter of the CPU of a page (3.2 instead of 2.3 ms for 89 KB). Other libcs ignore this.
KEEP_HEAP = {"MALLOC_TRIM_THRESHOLD_": str(256 * 1024**2), "MALLOC_MMAP_THRESHOLD_": str(32 * 1024**2)}


class Server:
    """A process that loads the extractor, for a `launcher.Launcher` to take over. To be closed.

    Raises:
        ParseError: It cannot be started.
    """

    def __init__(self) -> None:
        try:
            self.control, theirs = map(_apart, socket.socketpair())
        except OSError as error:
            raise ParseError(f"cannot open a socket for the parser pool: {error}") from error
        try:
            with theirs:
                self.process = subprocess.Popen(  # noqa: S603  # our own interpreter and code
                    [sys.executable, "-P", "-c", _BOOT, str(theirs.fileno())],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,  # what user code prints must not end up in `-o -`
                    pass_fds=(theirs.fileno(),),
                    start_new_session=True,
                    env=KEEP_HEAP | os.environ,
                )
        except OSError as error:
            self.control.close()
            raise ParseError(f"cannot start {sys.executable!r} for the parser pool: {error}") from error
        path = json.dumps([entry for entry in sys.path if isinstance(entry, str)])
        if self.process.stdin is not None:
            with contextlib.suppress(ConnectionError), self.process.stdin as pipe:  # if dead, its control socket ends
                pipe.write(path.encode() + b"\n")

    def close(self) -> None:
        """End it, unless it has been waited for already. Idempotent."""
        self.control.close()
        self.process.kill()
        self.process.wait()


def _apart(end: socket.socket) -> socket.socket:
    """The same end under a number that belongs to no standard stream: where one was closed, its number is free."""
    with end:
        return socket.socket(fileno=fcntl.fcntl(end.fileno(), fcntl.F_DUPFD_CLOEXEC, 3))
