"""How does a crawl look from a real web server? Runs Debian's nginx on loopback, unprivileged, with a log to read."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Self

UNPACKED = Path(__file__).resolve().parents[2] / ".cache" / "debian" / "nginx" / "usr" / "sbin"
CONFIGURATION = """
{user}daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
    types {{ text/html html htm; text/css css; text/javascript js; text/plain txt; image/png png; image/svg+xml svg;
             application/pdf pdf; application/json json; application/xml xml; }}
    default_type application/octet-stream;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000;
    log_format hit '$msec $request_time $status $connection $request_uri';
    access_log {folder}/access.log hit;
    server {{ listen 127.0.0.1:{port}; root {root}; }}
}}
"""


@dataclass(frozen=True, slots=True)
class Hit:
    """One request as nginx logged it."""

    started_at: float  #: wall seconds, to the millisecond
    ended_at: float
    status: int
    connection: int  #: a number per TCP connection
    path: str  #: with its query, as sent


def nginx_binary() -> str | None:
    """The nginx to run: the machine's, or the one that .ci/run unpacked."""
    return shutil.which("nginx", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", str(UNPACKED)]))


class Nginx:
    """nginx serving one folder: ``with Nginx(root, tmp_path) as server: server.base, server.hits()``.

    The listening socket is made here and handed over by the way nginx inherits sockets when its binary is replaced
    (the environment variable NGINX), so a client may connect at once and no port is guessed.
    """

    def __init__(self, root: Path, folder: Path) -> None:
        self.base = ""
        self._root = root
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        binary = nginx_binary()
        if binary is None:
            raise FileNotFoundError("nginx is not installed: run .ci/run once")
        self._folder.mkdir(parents=True, exist_ok=True)
        with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
            port = listener.getsockname()[1]
            self.base = f"http://127.0.0.1:{port}"
            settings = self._folder / "nginx.conf"
            user = "user root;\n" if os.geteuid() == 0 else ""  # or the worker, as nobody, could not read our folders
            text = CONFIGURATION.format(user=user, folder=self._folder, root=self._root, port=port)
            settings.write_text(text)
            self._process = subprocess.Popen(
                [binary, "-e", str(self._folder / "error.log"), "-p", str(self._folder), "-c", str(settings)],
                env={**os.environ, "NGINX": f"{listener.fileno()};"},
                pass_fds=[listener.fileno()],
            )
        return self

    def __exit__(self, *exc: object) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)

    def hits(self) -> list[Hit]:
        """Every request answered so far, in the order of their answers."""
        rows = (line.split(" ", 4) for line in (self._folder / "access.log").read_text().splitlines())
        return [
            Hit(float(ended) - float(took), float(ended), int(status), int(connection), path)
            for ended, took, status, connection, path in rows
        ]
