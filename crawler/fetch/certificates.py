"""How is aiohttp imported without reading all certificates of the machine, and without writing its keys to a file?

It makes two TLS contexts while it is imported, and each reads the certificate authorities that the machine trusts: a
tenth of a start, for nothing where no URL is https. So they are read when a context is used for the first time.

``SSLKEYLOGFILE`` would have Python write the keys of every connection to a file: with them, whoever recorded the
traffic can read passwords and cookies in it. A variable that is set for something else must not do that unasked.
"""

from __future__ import annotations

import os
import ssl
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_KEY_LOG = "SSLKEYLOGFILE"
_USES = ("wrap_bio", "wrap_socket")
"""What is called with each connection: the first by event loops, the second by everybody else."""


@contextmanager
def certificates_later() -> Iterator[None]:
    """Let TLS contexts that are made meanwhile log no keys, and read the machine's certificates only once used."""
    key_log = os.environ.pop(_KEY_LOG, None)
    ssl.SSLContext.set_default_verify_paths = _put_off  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        del ssl.SSLContext.set_default_verify_paths  # what it inherits is in force again
        if key_log is not None:
            os.environ[_KEY_LOG] = key_log


def _put_off(context: ssl.SSLContext) -> None:
    def catch_up(name: str) -> Any:  # noqa: ANN401  (as the method of that name)
        def wrap(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401  (handed on as they are)
            for use in _USES:
                context.__dict__.pop(use, None)  # the class's own from here on
            context.set_default_verify_paths()
            return getattr(context, name)(*arguments, **named)

        return wrap

    for use in _USES:
        setattr(context, use, catch_up(use))
