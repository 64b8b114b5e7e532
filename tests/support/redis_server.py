"""Real redis-servers on loopback, each in a folder of its own, that can be killed, stopped, filled and made slow."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any, Self

import pytest

CERTIFICATES = Path(__file__).parents[1] / "data" / "certificates"

_UP = (b"+PONG", b"-NOAUTH", b"-MASTERDOWN")
"""What one says that answers: it may want a password first."""

MISSING = "neither redis-server nor valkey-server is installed"


def server_binary() -> str | None:
    """The server to run."""
    return shutil.which("redis-server") or shutil.which("valkey-server")


def require_redis() -> None:
    """Skip where there is no server; where CI installs one, fail."""
    if server_binary() is None:
        if os.environ.get("CI"):
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    pytest.importorskip("redis")


class RedisServer:
    """``with RedisServer(folder) as server: server.url``; starts on entry, ends on exit.

    Args:
        folder: For its files; `start` after a `kill` finds the data of before, with `appendonly`.
        appendonly: Whether each write is kept on disk, flushed once a second.
        options: Further lines of its configuration, as ``maxmemory 10mb``.
    """

    def __init__(self, folder: Path, *options: str, appendonly: bool = False) -> None:
        self.folder = folder
        self._options = options
        self._appendonly = appendonly
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        return self._process.pid

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Start it, and return once it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        binary = server_binary()
        assert binary is not None
        lines = [
            *("bind 127.0.0.1", f"port {self.port}", f"dir {self.folder}", "daemonize no", 'save ""'),
            *(
                f"appendonly {'yes' if self._appendonly else 'no'}",
                "appendfsync everysec",
                "maxmemory-policy noeviction",
            ),
            *self._options,
        ]
        (self.folder / "redis.conf").write_text("\n".join(lines) + "\n")
        with (self.folder / "redis.log").open("ab") as log:
            self._process = subprocess.Popen([binary, str(self.folder / "redis.conf")], stdout=log, stderr=log)
        deadline = time.monotonic() + 10
        while not self._ask(b"PING").startswith(_UP):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise AssertionError((self.folder / "redis.log").read_text()[-2000:])
            time.sleep(0.01)

    def kill(self, sign: signal.Signals = signal.SIGKILL) -> None:
        """End it, at once unless told otherwise."""
        if self._process is not None:
            self._process.send_signal(sign)
            self._process.wait(10)
            self._process = None

    def pause(self) -> None:
        """Freeze it."""
        os.kill(self.pid, signal.SIGSTOP)

    def unpause(self) -> None:
        """Let it go on."""
        os.kill(self.pid, signal.SIGCONT)

    def set(self, name: str, value: str) -> None:
        """Change its configuration while it runs, as ``maxmemory`` to ``4mb``."""
        self.client().config_set(name, value)

    def fill(self, *, room_bytes: int = 0) -> None:
        """Let it have far less memory than it uses, and so much more than that, until `make_room`."""
        self.set("maxmemory", str(self.client().info("memory")["used_memory"] * 3 // 4 + room_bytes))

    def make_room(self) -> None:
        """Let it have as much memory as it wants."""
        self.set("maxmemory", "0")

    def client(self, **more: Any):
        """A plain client that waits, and tries once."""
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        return redis.Redis(port=self.port, socket_timeout=10, retry=Retry(NoBackoff(), 0), **more)

    def _ask(self, command: bytes) -> bytes:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(command + b"\r\n")
                return connection.recv(1024).strip()
        except OSError:
            return b""


def tls_options(port: int) -> tuple[str, ...]:
    """Lines for a server that is also reached by TLS at `port`, as ``fault.test``, certified by `CERTIFICATES`'
    ``authority.pem``."""
    files = {"tls-cert-file": "good.pem", "tls-key-file": "good.pem", "tls-ca-cert-file": "authority.pem"}
    return (f"tls-port {port}", "tls-auth-clients no", *(f"{key} {CERTIFICATES / name}" for key, name in files.items()))


def acl_options(user: str, password: str) -> tuple[str, ...]:
    """Lines for a server that only this user may use."""
    return ("user default off", f"user {user} on >{password} ~* &* +@all")


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
