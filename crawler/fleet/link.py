"""How is Redis reached, and what happens while it is away?

A `Link` is what all of a worker says to Redis through. What cannot be done now is done later: as long as the server
does not answer, loads its data, is out of memory, or is not the one that writes (after a failover), a call is repeated,
and the caller is told once what the trouble is, and once when it is over. A server that is frozen, or whose network is
cut without a word, is noticed by its silence. All that is sent may be sent twice, so it is made to be (`scripts`).
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.cluster import RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import BusyLoadingError, NoScriptError, ReadOnlyError

from crawler.errors import FrontierError
from crawler.fleet.connections import PlainConnection, SafeConnection, have_cancellable
from crawler.fleet.cue import goes_on
from crawler.fleet.scripts import Script
from crawler.fleet.server import check_authorities, check_server, check_strangers, is_cluster
from crawler.fleet.trouble import ERRORS, explained, why

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from crawler.fleet.target import Target

    Trouble = Callable[[str | None], None]
    Part = str | bytes | int | float

T = TypeVar("T")

SILENCE_S: Final = 5.0
"""A server that says nothing for so long is taken to be away."""

_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.02, 1.0
_CONNECTIONS: Final = 16
_SLICE_BYTES: Final = 1 << 20
_SLICE_CALLS: Final = 256


class Call(NamedTuple):
    """A script or command, its keys, all of one hash tag, and what else it is told."""

    what: Script | str
    keys: tuple[str, ...]
    args: tuple[Part, ...] = ()


class Link:
    """The connection to one Redis, Valkey or cluster of them. Made by `open`; `aclose` it."""

    def __init__(self, target: Target, trouble: Trouble, silence_s: float = SILENCE_S) -> None:
        self.target = target
        #: what may be warned of at the start: that the server keeps nothing on disk
        self.warnings: list[str] = []
        self.client: Redis | RedisCluster
        self._trouble = trouble
        self._silence_s = silence_s
        self._troubled: dict[object, str] = {}
        self._told: str | None = None
        self._stopped = asyncio.Event()

    @classmethod
    async def open(cls, target: Target, trouble: Trouble = lambda _: None, *, silence_s: float = SILENCE_S) -> Link:
        """Connect and see whether the server is one a crawl may be trusted to.

        Args:
            target: Where it is.
            trouble: Called with why Redis cannot be used, and with None once it can again.
            silence_s: `SILENCE_S`, or less in tests.

        Raises:
            ConfigError: It refuses the login, asks for none and may not, evicts keys, or is too old.
            FrontierError: It cannot be reached.
        """
        check_authorities(target)
        link = cls(target, trouble, silence_s)
        if not target.allow_unauthenticated:
            await check_strangers(target, silence_s)
        link.client = single = link._single()
        try:
            with explained(target.address):
                await link._loaded(single)
                if target.cluster or (target.cluster is None and await is_cluster(single)):
                    await single.aclose()
                    link.client = link._many()
                link.warnings = await check_server(link.client, target)
        except BaseException:
            await link.client.aclose()
            raise
        return link

    @property
    def is_clustered(self) -> bool:
        """Whether keys are spread over several servers."""
        return isinstance(self.client, RedisCluster)

    async def patiently(self, call: Callable[[], Awaitable[T]]) -> T:
        """What `call` returns, once it does: it is repeated while Redis is away.

        Raises:
            FrontierError: `stop` was called, or Redis refused it for good.
        """
        mark = object()
        wait_s = _FIRST_WAIT_S
        try:
            while True:
                try:
                    return await call()
                except ERRORS as error:
                    self._suffer(mark, why(error, self.target.address))
                    if not goes_on():
                        raise asyncio.CancelledError from error
                    if isinstance(error, ReadOnlyError) and isinstance(self.client, Redis):
                        # it was the one that writes; its name may lead to another by now
                        await self.client.connection_pool.disconnect(inuse_connections=False)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopped.wait(), wait_s)
                    raise FrontierError(f"{self._troubled[mark]}: given up")
                wait_s = min(wait_s * 2, _LONGEST_WAIT_S)
        finally:
            self._recover(mark)

    async def call(self, call: Call) -> Any:  # noqa: ANN401 - whatever the script or command answers
        """The answer to one call, patiently."""
        return (await self.calls([call]))[0]

    async def calls(self, calls: Sequence[Call]) -> list[Any]:
        """The answers to many calls, patiently, sent together in slices. Each is done by itself, in any order.

        Raises:
            FrontierError: As `patiently`.
        """
        answers: list[Any] = []
        for part in _sliced(calls):
            answers += await self._slice(part)
        return answers

    async def _slice(self, calls: Sequence[Call]) -> list[Any]:
        answers: list[Any] = [None] * len(calls)
        left = list(range(len(calls)))
        whole = False  # whether scripts are sent themselves, as a server did not know them

        async def attempt() -> None:
            nonlocal left, whole
            while left:
                failed, first = [], None
                for place, answer in zip(left, await self._send([calls[at] for at in left], whole), strict=True):
                    if isinstance(answer, Exception):
                        failed.append(place)
                        if first is None or isinstance(first, NoScriptError):
                            first = answer
                    else:
                        answers[place] = answer
                left = failed
                whole = isinstance(first, NoScriptError)
                if first is not None and not whole:
                    raise first

        await self.patiently(attempt)
        return answers

    async def _send(self, calls: Sequence[Call], whole: bool) -> list[Any]:  # noqa: FBT001
        pipeline = self.client.pipeline(transaction=False)
        for what, keys, args in calls:
            if isinstance(what, Script):
                name, body = ("EVAL", what.source) if whole else ("EVALSHA", what.sha)
                pipeline.execute_command(name, body, len(keys), *keys, *args)
            else:
                pipeline.execute_command(what, *keys, *args)
        answers: list[Any] = await pipeline.execute(raise_on_error=False)
        return answers

    async def server_time(self) -> float:
        """The server's wall clock, seconds since 1970 UTC; in a cluster that of the crawl's control keys."""
        node = {}
        if isinstance(self.client, RedisCluster):
            tag = f"{{{self.target.prefix}}}"
            node = {"target_nodes": self.client.get_node_from_key(tag)}
        seconds, micros = await self.patiently(lambda: self.client.execute_command("TIME", **node))
        return float(seconds) + float(micros) / 1e6

    def stop(self) -> None:
        """Wait no longer: what Redis does not take now fails with `FrontierError`."""
        self._stopped.set()

    async def aclose(self) -> None:
        """Close the connections."""
        self.stop()
        await self.client.aclose()

    def _suffer(self, mark: object, why: str) -> None:
        self._troubled[mark] = why
        if self._told is None:
            self._told = why
            self._trouble(why)

    def _recover(self, mark: object) -> None:
        if self._troubled.pop(mark, None) is None:
            return
        told = next(iter(self._troubled.values()), None)
        if told != self._told and not self._stopped.is_set():  # who has given up does not know of an end
            self._told = told
            self._trouble(told)

    async def _loaded(self, single: Redis) -> None:
        """Wait until the server has read its data."""
        while True:
            try:
                await single.ping()
            except BusyLoadingError as error:
                self._suffer(self, why(error, self.target.address))
                await asyncio.sleep(_LONGEST_WAIT_S / 4)
            else:
                self._recover(self)
                return

    def _options(self) -> dict[str, Any]:
        target = self.target
        options: dict[str, Any] = {
            "username": target.username,
            "password": target.password,
            "socket_timeout": self._silence_s,
            "socket_connect_timeout": self._silence_s,
            "socket_keepalive": True,
        }
        if target.tls:
            options |= {"ssl_cert_reqs": "required", "ssl_check_hostname": True, "ssl_ca_certs": target.ca}
        return options

    def _single(self) -> Redis:
        target = self.target
        pool = BlockingConnectionPool(
            **self._options(),
            connection_class=SafeConnection if target.tls else PlainConnection,
            host=target.host,
            port=target.port,
            db=target.database,
            max_connections=_CONNECTIONS,
            timeout=None,
            retry=Retry(NoBackoff(), 0),
        )
        return Redis.from_pool(pool)

    def _many(self) -> RedisCluster:
        target = self.target
        cluster = RedisCluster(
            **self._options(), host=target.host, port=target.port, ssl=target.tls, retry=Retry(NoBackoff(), 1)
        )
        have_cancellable(cluster)
        return cluster


def _sliced(calls: Sequence[Call]) -> Iterator[Sequence[Call]]:
    start = size = 0
    for place, call in enumerate(calls):
        bytes_ = sum(len(part) for part in call.args if isinstance(part, bytes | str))
        if place > start and (place - start >= _SLICE_CALLS or size + bytes_ > _SLICE_BYTES):
            yield calls[start:place]
            start, size = place, 0
        size += bytes_
    if start < len(calls):
        yield calls[start:]
