"""An extractor that does what the body tells it to: crash, hang, eat memory, or say where it is running."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from crawler.config import ParseConfig
from crawler.models import HostKey, Link, Page, ParseFailure, Request, Response, Url
from crawler.parse import worker
from crawler.parse.base import Job
from crawler.url import fingerprint

if TYPE_CHECKING:
    from crawler.extract.page import Settings

ENTRY = "tests.support.stunt_extractor:StuntExtractor"


def job(order: str, *, padding: int = 0) -> Job:
    """A job whose body is `order`: a method of `StuntExtractor`, perhaps with an argument."""
    url = Url(f"http://example.org/{order.replace(' ', '/')}")
    body = order.encode() + b" " * padding
    headers = ((b"Content-Type", b"text/html"), (b"X-Raw", b"\xff\x00"))
    return Job(
        request=Request(url=url, host_key=HostKey("example.org"), scope_host="example.org", seed="example.org"),
        response=Response(url=url, status=200, headers=headers, body=body, fetched_at=1.5, elapsed_s=0.25),
    )


def parse_config(**changes) -> ParseConfig:
    """A small pool."""
    return msgspec.structs.replace(ParseConfig(workers=2), **changes)


def said(page: Page | ParseFailure):
    """What an order answered."""
    assert isinstance(page, Page), page
    return json.loads(page.records[0][1])


class StuntExtractor:
    """Has the face of `crawler.extract.page.Extractor`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._hoard = []

    def page(self, request: Request, response: Response) -> Page | ParseFailure:
        order, *arguments = response.body.decode().split()
        answer = getattr(self, order)(*arguments)
        if isinstance(answer, Page | ParseFailure):
            return answer
        key = self._settings.fingerprint_key
        link = Link(url=request.url, host_key=request.host_key, fingerprint=fingerprint(request.url, key))
        return Page(links=(link,), records=(("pages", json.dumps(answer).encode()),), body_bytes=len(response.body))

    def echo(self, *words):
        return words

    def fail(self, reason):
        return ParseFailure(reason=reason, detail="as told")

    def wrong(self):
        return Page(links=(3,))

    def surrogate(self):
        return Page(reason="\ud800")

    def error(self):
        raise ValueError("as told")

    def leave(self, code):
        sys.exit(int(code))

    def kill(self, name):
        signal.raise_signal(signal.Signals[name])
        return name

    def die_afterwards(self):
        """Between this batch's last page and its answer, as for want of memory."""
        worker.result_frame = lambda _: signal.raise_signal(signal.SIGKILL)
        return "done"

    def hang(self):
        threading.Event().wait()

    def spin(self):
        while True:
            pass

    def eat(self, mebibytes):
        self._hoard.append(bytearray(int(mebibytes) * 1024**2))
        return mebibytes

    def die_large(self, mebibytes):
        self._hoard.append(b"\1" * (int(mebibytes) * 1024**2))
        signal.raise_signal(signal.SIGKILL)

    def tell(self, mebibytes):
        return Page(records=(("pages", bytes(int(mebibytes) * 1024**2)),))

    def tell_after_using(self, mebibytes):
        bytearray(int(mebibytes) * 1024**2)
        return "told"

    def announce(self, size):
        """Speaks to the pool past the worker's own words, as a page may that has taken it over."""
        for number in range(3, 64):
            with contextlib.suppress(OSError), socket.socket(fileno=os.dup(number)) as pool:
                pool.sendall(int(size).to_bytes(4, "big"))
        threading.Event().wait()

    def forge(self):
        """Would hide another URL."""
        return Page(links=(Link(url=Url("http://a.test/"), host_key=HostKey("a.test"), fingerprint=7),))

    def mute(self):
        os.closerange(3, 256)

    def pid(self):
        return os.getpid()

    def parent(self):
        return os.getppid()

    def modules(self):
        return sorted(sys.modules)

    def sockets(self):
        links = [_link(fd.name) for fd in Path("/proc/self/fd").iterdir()]
        return [link for link in links if link.startswith("socket:")]

    def standard(self):
        print("this must not reach the crawler's own output", flush=True)
        return [_link("0"), _link("1")]

    def agent(self):
        return self._settings.agent


def _link(fd):
    try:
        return str(Path(f"/proc/self/fd/{fd}").readlink())
    except FileNotFoundError:  # the listing's own descriptor
        return ""
