"""How do a sink and a fetcher that a user has written fit in?

Each is wrapped in what holds it to its protocol (`export.base.Sink`, `fetch.base.Fetcher`): what it must not do becomes
an error that names it, instead of a crawl that goes wrong.
"""

from __future__ import annotations

import asyncio
import re
import threading
from typing import TYPE_CHECKING, cast

from msgspec.structs import replace

from crawler.errors import ConfigError, CrawlerError, ExportError, FetchError
from crawler.models import Kind, Response
from crawler.reasons import REASONS
from crawler.sinks import CHANGES, FOLDERS, line_sinks, own_sinks

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from typing import TypeVar

    from crawler.clock import Clock
    from crawler.config import CrawlConfig
    from crawler.export.base import Sink
    from crawler.fetch.base import Fetcher
    from crawler.models import HostKey, Request, Restored

    T = TypeVar("T")

PREFIX = "sink "
"""What the store calls a given sink, before its name: so it is never taken for a file of ours."""

ROBOTS_BYTES = 512 * 1024  # as of `fetch.base.Fetcher.fetch`
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_MOST_POSITION = 2**63 - 1
_LATEST = 253_402_300_799  # the last second that a record can name: of the year 9999
_KINDS = {"address": ("str", "None"), "status_line": ("bytes",), "request_head": ("bytes",), "is_cut": ("bool",)}
_SINK = ("open", "append", "sync", "aclose")
_FETCHER = ("fetch", "locate", "aclose")


class GivenSink:
    """A sink of the user's, which gets the lines of one of ours; see `export.base.Sink`.

    Args:
        name: What its user calls it.
        source: Whose lines it gets.
        sink: The user's.
    """

    def __init__(self, name: str, source: str, sink: Sink) -> None:
        self.key = PREFIX + name
        self.source = source
        self._what = f"sink {name!r}"
        self._sink = sink

    async def open(self, position: int | None) -> None:
        """See `Sink.open`."""
        await self._held("open", self._sink.open, position)

    async def append(self, lines: Sequence[bytes]) -> None:
        """See `Sink.append`; what comes joined is given line by line."""
        each = [line for several in lines for line in several.split(b"\n")]
        await self._held("append", self._sink.append, each)

    async def sync(self, *, fsync: bool) -> int:
        """See `Sink.sync`."""
        position = await self._held("sync", lambda: self._sink.sync(fsync=fsync))
        if not isinstance(position, int) or isinstance(position, bool) or not 0 <= position <= _MOST_POSITION:
            raise ExportError(
                f"{self._what}: sync() returned {position!r}: expected a whole number from 0 to 2**63 - 1"
            )
        return position

    async def aclose(self) -> None:
        """See `Sink.aclose`."""
        await self._held("aclose", self._sink.aclose)

    async def _held(self, doing: str, call: Callable[..., Awaitable[T]], *arguments: object) -> T:
        try:
            return await call(*arguments)
        except CrawlerError:
            raise
        except (Exception, asyncio.CancelledError) as error:
            if is_cancelled(error):
                raise
            raise ExportError(f"{self._what}: {doing}(): {told(error)}") from error


def given_sinks(sinks: Mapping[str, Sink | tuple[str, Sink]], config: CrawlConfig) -> tuple[GivenSink, ...]:
    """The sinks that a user gives, by the name of each: it gets the page lines, or as a pair with the name of another
    file of lines (``outcomes``, ``links``, a rule's) those.

    Raises:
        ConfigError: A name that is none or is taken, lines that this crawl does not have, or what is no sink.
    """
    lines = line_sinks(config)
    taken = {*lines, *own_sinks(config), *FOLDERS, CHANGES, "seeds"}
    found = []
    for name, given in sinks.items():
        source, sink = given if isinstance(given, tuple) else ("pages", given)
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise ConfigError(f"sinks: {name!r}: expected a name of letters, digits, and any of '_', '-' and '.'")
        if name in taken:
            raise ConfigError(f"sinks: {name!r}: is what this crawl calls a file of its own; give it another name")
        if source not in lines:
            raise ConfigError(f"sinks: {name!r}: lines of {source!r}: expected one of {', '.join(lines)}")
        _check(f"sinks: {name!r}", sink, _SINK, "crawler.Sink")
        found.append(GivenSink(name, source, sink))
    return tuple(found)


def missing_sinks(sinks: Sequence[GivenSink], restored: Restored) -> list[str]:
    """What to tell of sinks that an earlier run had and this one has not, in plain lines."""
    given = {sink.key for sink in sinks}
    return [
        f"The sink {name.removeprefix(PREFIX)!r} of an earlier run is not given: it gets nothing of this one"
        for name in restored.positions
        if name.startswith(PREFIX) and name not in given
    ]


class GivenFetcher:
    """A fetcher of the user's; see `fetch.base.Fetcher`.

    Args:
        fetcher: The user's.
        clock: Tells when an answer was asked for, and how long it took, where the fetcher does not.
        max_body_bytes: ``fetch.max_body``, which holds here too.
    """

    def __init__(self, fetcher: Fetcher, clock: Clock, max_body_bytes: int) -> None:
        self._fetcher = fetcher
        self._clock = clock
        self._max_body_bytes = max_body_bytes

    async def fetch(self, request: Request, started: Callable[[], None]) -> Response:
        """See `Fetcher.fetch`."""
        clock, begun = self._clock, [(self._clock.wall(), self._clock.monotonic())]
        loop, thread = asyncio.get_running_loop(), threading.get_ident()

        def begin() -> None:
            if threading.get_ident() != thread:
                loop.call_soon_threadsafe(begin)
            elif len(begun) == 1:  # a second call, or one after the end, counts for nothing
                begun.append((clock.wall(), clock.monotonic()))
                started()

        try:
            response = await self._fetcher.fetch(request, begin)
        except FetchError as error:
            if error.reason not in REASONS:
                known = "one of crawler.reasons.REASONS, such as timeout or connect"
                raise CrawlerError(f"fetcher: {request.url}: FetchError({error.reason!r}): expected {known}") from error
            raise
        except CrawlerError:
            raise
        except (Exception, asyncio.CancelledError) as error:
            if is_cancelled(error):
                raise
            raise CrawlerError(f"fetcher: {request.url}: {told(error)}") from error
        finally:
            begun.append(begun[-1])
        if (wrong := _wrong(response, request)) is not None:
            raise CrawlerError(f"fetcher: {request.url}: returned {wrong}")
        wall, since = begun[-1]
        elapsed_s = response.elapsed_s or clock.monotonic() - since
        return self._cut(replace(response, fetched_at=response.fetched_at or wall, elapsed_s=elapsed_s), request)

    async def locate(self, host_key: HostKey) -> Sequence[str]:
        """See `Fetcher.locate`."""
        try:
            return tuple(await self._fetcher.locate(host_key))
        except CrawlerError:
            raise
        except (Exception, asyncio.CancelledError) as error:
            if is_cancelled(error):
                raise
            raise CrawlerError(f"fetcher: locate({host_key!r}): {told(error)}") from error

    def ask_before_sending(self, may_send: Callable[[Request], bool]) -> None:
        """When it sends a request, a user's fetcher alone knows: it is asked whether it may begin, and not again."""

    def widen(self, concurrency: int) -> None:
        """There are to be more fetches at once than ever before."""

    async def aclose(self) -> None:
        """See `Fetcher.aclose`."""
        try:
            await self._fetcher.aclose()
        except CrawlerError:
            raise
        except (Exception, asyncio.CancelledError) as error:
            if is_cancelled(error):
                raise
            raise CrawlerError(f"fetcher: aclose(): {told(error)}") from error

    def _cut(self, response: Response, request: Request) -> Response:
        """The answer as long as it may be."""
        if request.kind is Kind.ROBOTS:
            return replace(response, body=response.body[:ROBOTS_BYTES])
        if len(response.body) > self._max_body_bytes:
            raise FetchError("too_large", f"{len(response.body):,} bytes")
        return response


def given_fetcher(given: Fetcher | Callable[[], Fetcher]) -> Callable[[], Fetcher]:
    """What makes the fetcher that a user gives: an object, or what makes one when it is called in the crawl's loop.

    Raises:
        ConfigError: It is neither.
    """
    if isinstance(given, type) or not hasattr(given, "fetch"):
        if not callable(given):
            raise ConfigError(f"fetcher: {given!r}: expected a crawler.Fetcher, or a function that makes one")
        return lambda: _checked(given())
    fetcher = _checked(cast("Fetcher", given))
    return lambda: fetcher


def is_cancelled(error: BaseException) -> bool:
    """Whether an error is the crawl's own word to whoever awaits it that it is to end. Else, what a user's code awaited
    was cancelled: if that were passed on, a part of the crawl would end and nobody would hear of it."""
    task = asyncio.current_task()
    return isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling() > 0


def told(error: BaseException) -> str:
    """What a user's code has raised, in words."""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _checked(fetcher: Fetcher) -> Fetcher:
    _check("fetcher", fetcher, _FETCHER, "crawler.Fetcher")
    return fetcher


def _check(what: str, given: object, methods: Sequence[str], protocol: str) -> None:
    lacking = [method for method in methods if not callable(getattr(given, method, None))]
    if lacking or isinstance(given, type):
        missing = "is a class, not made yet" if not lacking else f"has no {', '.join(f'{name}()' for name in lacking)}"
        raise ConfigError(f"{what}: {given!r} {missing}: expected a {protocol}")


def _wrong(response: object, request: Request) -> str | None:
    """What an answer has that it must not, in words."""
    if not isinstance(response, Response):
        return f"{type(response).__name__}: expected a crawler.Response"
    if response.url != request.url:
        return f"an answer of {response.url}: expected one of the URL that was asked for"
    if not isinstance(response.status, int) or not 100 <= response.status <= 599:
        return f"status {response.status!r}: expected a number from 100 to 599"
    if not isinstance(response.body, bytes):
        return f"a body of type {type(response.body).__name__}: expected bytes"
    pairs = response.headers if isinstance(response.headers, tuple) else (None,)
    for pair in pairs:
        if not (isinstance(pair, tuple) and len(pair) == 2 and all(isinstance(part, bytes) for part in pair)):
            return f"headers {response.headers!r}: expected a tuple of pairs of bytes, name and value"
    return _wrong_beside(response)


def _wrong_beside(response: Response) -> str | None:
    """What it has besides that it must not."""
    for name in ("fetched_at", "elapsed_s"):
        if not (isinstance(number := getattr(response, name), int | float) and 0 <= number <= _LATEST):
            return f"{name} {number!r}: expected seconds"
    for name, kinds in _KINDS.items():
        value = getattr(response, name)
        if type(value).__name__.removesuffix("Type") not in kinds:
            return f"{name} {value!r}: expected {' or '.join(kinds)}"
    return None
