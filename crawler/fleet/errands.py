"""How is a robots.txt asked for that redirects lead to at a host which is another worker's?

Only whose host it is keeps its pace, so that worker asks, and tells what came of it. An errand, and its answer, lie in
a list in Redis until the worker that they are for has read them; an event tells it to. Either may get lost with that
worker, or come to one that holds the host no longer: the errand is sent again, to whoever holds it then, until there is
an answer. Asked for twice at once, a robots.txt is asked for once.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

import msgspec

from crawler.fleet.cue import goes_on
from crawler.models import HostKey, Request, RobotsFile

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from crawler.fleet.keys import Keys
    from crawler.fleet.link import Link

    Tell = Callable[[str, int], Awaitable[None]]

EVENT = "errands"
AGAIN_S = 5.0
"""So long an answer is waited for, before the errand is sent again."""

_KEPT_S = 600  # for nobody: whoever they were for is gone by then
_MOST = 64  # read at once


class _Errand(msgspec.Struct, frozen=True, array_like=True):
    asker: int
    request: Request | None = None  #: or its answer:
    origin: str = ""
    file: RobotsFile | None = None


_ENCODE = msgspec.msgpack.Encoder().encode
_DECODE = msgspec.msgpack.Decoder(_Errand).decode


class Errands:
    """One worker's errands: those it has others run, and those it runs for others.

    Args:
        keys: Of the crawl.
        worker: This one's id.
        partition_of: The partition of a host.
        tell: Tells a worker of an event (`Control.tell`).
        ask: Has a robots.txt asked for here on behalf of an origin, unless its host is not ours; whether it does
            (`Steering.run_errand`).
        answered: Takes in what came of one that was sent (`Steering.answered`).
    """

    def __init__(
        self,
        link: Link,
        keys: Keys,
        worker: int,
        *,
        partition_of: Callable[[HostKey], int],
        tell: Tell,
        ask: Callable[[str, Request], bool],
        answered: Callable[[Request, RobotsFile], None],
    ) -> None:
        self._link = link
        self._keys = keys
        self._worker = worker
        self._partition_of = partition_of
        self._tell = tell
        self._ask = ask
        self._answered = answered
        self._sent: dict[str, Request] = {}  # without an answer
        self._askers: dict[str, int] = {}  # of those that are run here
        self._outgoing: list[_Errand] = []
        self._heard = False
        self._changed = asyncio.Event()

    def send(self, origin: str, request: Request) -> bool:
        """Have a robots.txt asked for on behalf of an origin (`Tenure.abroad`)."""
        asker = self._askers.pop(origin, self._worker)  # a redirect of one that is run here leads on
        if asker == self._worker:
            self._sent[origin] = request
        self._outgoing.append(_Errand(asker, request, origin))
        self._changed.set()
        return True

    def bring(self, file: RobotsFile) -> None:
        """An errand that was run here has this answer (`Tenure.brought`)."""
        if (asker := self._askers.pop(file.origin, None)) is not None:
            self._outgoing.append(_Errand(asker, None, file.origin, file))
            self._changed.set()

    def heard(self) -> None:
        """There may be something for this worker."""
        self._heard = True
        self._changed.set()

    async def run(self) -> None:
        """Send and read, until it is cancelled. Errors as of `Link.patiently`."""
        while goes_on():
            try:
                async with asyncio.timeout(AGAIN_S if self._sent else None):
                    await self._changed.wait()
            except TimeoutError:
                self._outgoing += [_Errand(self._worker, request, origin) for origin, request in self._sent.items()]
                self._heard = True
            self._changed.clear()
            outgoing, self._outgoing = self._outgoing, []
            for errand in outgoing:
                await self._post(errand)
            if self._heard:
                self._heard = False
                await self._read()

    async def _post(self, errand: _Errand) -> None:
        to = errand.asker if errand.request is None else await self._holder(errand.request.host_key)
        if to == self._worker:
            self._take(errand)
        elif to:
            key, client, told = self._list(to), self._link.client, _ENCODE(errand)
            await self._link.patiently(lambda: client.rpush(key, told))
            await self._link.patiently(lambda: client.expire(key, _KEPT_S))
            await self._tell(EVENT, to)

    async def _holder(self, host_key: HostKey) -> int:
        """Who holds a host; 0 for nobody."""
        key, client = self._keys.of(self._partition_of(host_key)).lease, self._link.client
        lease = await self._link.patiently(lambda: client.get(key))
        return int(lease.split()[0]) if lease else 0

    async def _read(self) -> None:
        key, client = self._list(self._worker), self._link.client
        while told := await self._link.patiently(lambda: client.lpop(key, _MOST)):
            for each in cast("list[bytes]", told):
                self._take(_DECODE(each))

    def _take(self, errand: _Errand) -> None:
        if errand.request is None:
            sent = self._sent.pop(errand.origin, None)
            if errand.file is not None and sent is not None:
                self._answered(sent, errand.file)
        elif errand.asker == self._worker:
            if errand.origin in self._sent and self._ask(errand.origin, errand.request):
                self._sent.pop(errand.origin, None)
        elif errand.origin not in self._askers:
            self._askers[errand.origin] = errand.asker
            if not self._ask(errand.origin, errand.request):
                self._askers.pop(errand.origin, None)  # it will be sent again

    def _list(self, worker: int) -> str:
        return self._keys.control(f"{EVENT}:{worker}")
