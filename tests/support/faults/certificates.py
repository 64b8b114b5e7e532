"""Which certificates do faults show? Those of tests/data/certificates, by name."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "data" / "certificates"
AUTHORITY = FOLDER / "authority.pem"
"""PEM of who signed `good`, `expired`, `not_yet` and `wrong_host`, but not `stranger` and `self_signed`."""

_RECORD_HEADER = 5


@cache
def context(name: str) -> ssl.SSLContext:
    """For a server that shows the certificate of that name."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(FOLDER / f"{name}.pem")
    return made


def name_asked_for(sock: socket.socket) -> str:
    """The host name (SNI) of the TLS handshake that waits to be read, which stays unread; empty if there is none."""
    flags = socket.MSG_PEEK | socket.MSG_WAITALL
    (size,) = struct.unpack(">xxxH", sock.recv(_RECORD_HEADER, flags))
    found: list[str] = []
    listener = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    listener.sni_callback = lambda _, name, __: found.append(name or "")
    incoming = ssl.MemoryBIO()
    incoming.write(sock.recv(_RECORD_HEADER + size, flags))
    with contextlib.suppress(ssl.SSLError):
        listener.wrap_bio(incoming, ssl.MemoryBIO(), server_side=True).do_handshake()
    return found[0] if found else ""
