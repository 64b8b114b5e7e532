"""How are the page, its events, metrics and health served over HTTP?

By aiohttp's server, in the crawl's own loop: it reads requests of strangers, which is not for us to write anew, and is
in the process anyway, as fetching uses its client. The one module of the dashboard that knows it. Connections are
bounded, since the crawl needs the process's open files; a stalled one is closed.
"""

from __future__ import annotations

import asyncio
import logging
from http import HTTPStatus
from importlib.resources import files
from typing import TYPE_CHECKING, Final

import msgspec
from aiohttp import web
from aiohttp.http import HttpProcessingError

from crawler.dashboard.metrics import CONTENT_TYPE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from crawler.dashboard.access import Access, Refusal
    from crawler.dashboard.address import Bound
    from crawler.dashboard.health import Verdict
    from crawler.dashboard.hub import Hub, Message

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

log = logging.getLogger(__name__)
_http_log = logging.getLogger(f"{__name__}.http")  # aiohttp's
_http_log.addFilter(lambda record: not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError)))
"""What is no HTTP is its sender's mistake, and would fill the log."""

MAX_CONNECTIONS: Final = 40
"""More are closed as they come: `crawler.gate` leaves 64 open files for all that is not fetching."""

MAX_BODY: Final = 4096
STALLED_S: Final = 30.0
"""How long an event may take to be sent, and a request to come, before its connection is closed."""

_CLOSE_S: Final = 1.0
_FILES: Final = {
    "/": ("page.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    "/page.js": ("page.js", "text/javascript"),
    "/chart.js": ("chart.js", "text/javascript"),
    "/rows.js": ("rows.js", "text/javascript"),
    "/words.js": ("words.js", "text/javascript"),
    "/workers.js": ("workers.js", "text/javascript"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
    "/favicon.ico": ("icon.svg", "image/svg+xml"),  # which browsers ask for beside plain text
}
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_ENTERED: Final = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="0; url=/">'
    '<title>crawler</title><p><a href="/">To the dashboard</a></p></html>'
)


class Wish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What ``POST /control`` says."""

    #: pause, resume, stop or concurrency; of a crawl that workers share: pause_all, resume_all, stop_all
    action: str
    #: for concurrency
    value: int | None = None


class Server:
    """Serves one dashboard.

    Args:
        bound: The socket that listens; closed with this.
        access: Who may ask.
        hub: What the event streams hand out.
        metrics: The text of ``/metrics``.
        health: What ``/healthz`` says.
        heed: Does what a `Wish` says; a ValueError for one that makes no sense.
    """

    def __init__(
        self,
        bound: Bound,
        access: Access,
        hub: Hub,
        *,
        metrics: Callable[[], str],
        health: Callable[[], Verdict],
        heed: Callable[[Wish], dict[str, object]],
    ) -> None:
        self._bound = bound
        self._access = access
        self._hub = hub
        self._metrics = metrics
        self._health = health
        self._heed = heed
        self._listening: asyncio.Server | None = None
        self._known: set[object] = set()  # connections over which somebody has asked who may

        @web.middleware
        async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._guarded(request, handler)

        app = web.Application(middlewares=[guarded], client_max_size=MAX_BODY)
        app.on_response_prepare.append(_with_headers)
        folder = files(__package__).joinpath("static")
        for path, (name, kind) in _FILES.items():
            app.router.add_get(path, _file(folder.joinpath(name).read_bytes(), kind))
        app.router.add_get("/events", self._events, allow_head=False)  # whose answer has no end
        app.router.add_get("/state", self._state)
        app.router.add_get("/metrics", self._told_metrics)
        app.router.add_get("/healthz", self._told_health)
        app.router.add_post("/control", self._control)
        self._runner = web.AppRunner(
            app,
            access_log=None,
            logger=_http_log,
            handle_signals=False,
            handler_cancellation=True,
            keepalive_timeout=STALLED_S,
            lingering_time=1.0,
            shutdown_timeout=_CLOSE_S,
        )

    async def start(self) -> None:
        """Serve from now on."""
        await self._runner.setup()
        loop = asyncio.get_running_loop()
        self._listening = await loop.create_server(self._protocol, sock=self._bound.listener)

    async def aclose(self) -> None:
        """Let streams end that have been handed the last message, and cut off what takes longer."""
        if self._listening is not None:
            self._listening.close()
        await self._runner.cleanup()

    def _protocol(self) -> asyncio.Protocol:
        server = self._runner.server
        if server is None or len(server.connections) >= MAX_CONNECTIONS:
            return _Closed()
        protocol = server()
        asyncio.get_running_loop().call_later(STALLED_S, self._close_unless_asked, protocol)
        return protocol

    def _close_unless_asked(self, protocol: web.RequestHandler) -> None:
        """Nobody holds a connection by saying nothing, or nothing that is to be answered."""
        open_ones = set(self._runner.server.connections) if self._runner.server else set()
        self._known &= open_ones
        if protocol in open_ones and protocol not in self._known:
            protocol.force_close()

    async def _guarded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            if request.path == "/" and "token" in request.query:
                return self._enter(request)
            if refusal := self._access.refusal(request.method, request.headers, request.cookies):
                return _refused(refusal)
            self._known.add(request.protocol)
            return await handler(request)
        except web.HTTPException as error:
            return web.Response(status=error.status, text=f"{error.reason}\n", headers=_kept(error))
        except (ConnectionError, TimeoutError):
            return web.Response(status=408)  # whoever asked has gone, or does not get on
        except Exception:  # whoever looks on does not end a crawl
            log.exception("the dashboard cannot answer", extra={"why": request.path})
            return web.Response(status=500, text="this could not be answered: crawl.log says why\n")

    def _enter(self, request: web.Request) -> web.StreamResponse:
        """Give the browser of somebody who knows the token a cookie. A page leads on, not a redirect: of that, after a
        link on another site, a browser would keep the cookie back (RFC 6265bis, SameSite)."""
        if self._access.is_misled(request.method, request.headers) or not self._access.knows(request.query["token"]):
            return web.Response(status=401, text="this is not the token that crawler printed\n")
        response = web.Response(text=_ENTERED, content_type="text/html")
        response.set_cookie(self._access.cookie, self._access.session, httponly=True, samesite="Strict", path="/")
        return response

    async def _events(self, request: web.Request) -> web.StreamResponse:
        if self._hub.is_full:
            return web.Response(status=503, headers={"Retry-After": "10"}, text="too many pages look at this crawl\n")
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
        await response.prepare(request)
        with self._hub.reading() as seen:
            message = await self._hub.next(seen)
            while await _sent(request, response, message) and not message.is_last:
                message = await self._hub.next(message.number)
        return response

    async def _state(self, _: web.Request) -> web.StreamResponse:
        with self._hub.reading() as seen:
            async with asyncio.timeout(STALLED_S):
                message = await self._hub.next(seen)
        return web.Response(body=message.data, content_type="application/json")

    async def _told_metrics(self, _: web.Request) -> web.StreamResponse:
        return web.Response(body=self._metrics().encode(), headers={"Content-Type": CONTENT_TYPE})

    async def _told_health(self, _: web.Request) -> web.StreamResponse:
        verdict = self._health()
        status = HTTPStatus.OK if verdict.ok else HTTPStatus.SERVICE_UNAVAILABLE
        return _json({"ok": verdict.ok, **verdict._asdict()}, status)

    async def _control(self, request: web.Request) -> web.StreamResponse:
        try:
            async with asyncio.timeout(STALLED_S):
                wish = msgspec.json.decode(await request.read(), type=Wish)
            return _json(self._heed(wish))
        except (msgspec.DecodeError, ValueError, web.RequestPayloadError) as error:
            return _json({"error": str(error)}, HTTPStatus.BAD_REQUEST)


async def _sent(request: web.Request, response: web.StreamResponse, message: Message) -> bool:
    """Send a message to a reader; False for one that is cut off, as it does not take it."""
    kind = b"end" if message.is_last else b"state"
    try:
        async with asyncio.timeout(STALLED_S):
            await response.write(b"event: %b\ndata: %b\n\n" % (kind, message.data))
    except (ConnectionError, TimeoutError):
        if request.transport is not None:
            request.transport.abort()
        return False
    return True


class _Closed(asyncio.Protocol):
    """A connection that is one too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()


def _file(content: bytes, kind: str) -> Handler:
    async def handler(_: web.Request) -> web.StreamResponse:
        return web.Response(body=content, content_type=kind, charset="utf-8")

    return handler


def _json(value: object, status: HTTPStatus = HTTPStatus.OK) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), status=status, content_type="application/json")


def _refused(refusal: Refusal) -> web.Response:
    headers = {"WWW-Authenticate": "Bearer"} if refusal.status is HTTPStatus.UNAUTHORIZED else {}
    return web.Response(status=refusal.status, text=f"{refusal.why}\n", headers=headers)


def _kept(error: web.HTTPException) -> dict[str, str]:
    """Of an answer of aiohttp's own: which methods there are."""
    return {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}


async def _with_headers(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_HEADERS)
    response.headers["Server"] = "crawler"
