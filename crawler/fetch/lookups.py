"""How are names looked up without waiting for each other? Each once at a time, in threads, so many at once.

A lookup blocks, cannot be interrupted, and may hang for half a minute where a name server is silent. So it is given
up after a while: whoever asked is told so, and its place goes to the next, while its thread waits on. The threads
are daemons, or the process could not end before the last of them. Not the event loop's own pool, which is for the
disk.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from itertools import zip_longest
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING

from crawler.fetch.dns_cache import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    #: name -> addresses as text; raises OSError. Runs in a thread.
    Lookup = Callable[[str], Sequence[str]]

AT_ONCE = 32
THREADS = 128
"""Those of lookups given up included: enough for all that a resolver with three silent servers keeps waiting."""
LIMIT_S = 10.0


class _Question:
    """A name that is being looked up or waits for it."""

    __slots__ = ("answer", "askers", "name", "timer")

    def __init__(self, name: str, loop: asyncio.AbstractEventLoop) -> None:
        self.name = name
        self.answer: asyncio.Future[Answer] = loop.create_future()
        #: how many wait for it
        self.askers = 0
        #: gives it up; None until a thread has been given it
        self.timer: asyncio.TimerHandle | None = None


class Lookups:
    """Answers questions in threads. To be used from one event loop.

    Args:
        lookup: Asked, in a thread.
        learnt: Told of every answer, on the loop, also of one that comes after the lookup was given up.
        limit_s: After which a lookup is given up; time spent waiting for a thread does not count.
        at_once: Lookups that are not given up, at most.
        threads: All threads, at most.
    """

    def __init__(
        self,
        lookup: Lookup,
        learnt: Callable[[str, Answer], None],
        *,
        limit_s: float = LIMIT_S,
        at_once: int = AT_ONCE,
        threads: int = THREADS,
    ) -> None:
        self._lookup = lookup
        self._learnt = learnt
        self._limit_s = limit_s
        self._at_once = at_once
        self._most_threads = threads
        self._threads = 0
        #: lookups that threads have, or will have, to come back from
        self._in_threads = 0
        #: those among them that are not given up
        self._awaited = 0
        self._asked: dict[str, _Question] = {}
        #: questions no thread has yet, in the order in which they will be given one
        self._waiting: dict[str, _Question] = {}
        self._jobs: SimpleQueue[_Question | None] = SimpleQueue()

    async def ask(self, name: str) -> Answer:
        """Look `name` up. A lookup nobody waits for any longer is not begun; one that has begun goes on."""
        question = self._asked.get(name)
        if question is None:
            question = _Question(name, asyncio.get_running_loop())
            self._asked[name] = self._waiting[name] = question
            self._begin()
        question.askers += 1
        try:
            return await asyncio.shield(question.answer)
        finally:
            question.askers -= 1
            if not question.askers and self._waiting.get(name) is question:
                del self._waiting[name], self._asked[name]

    def close(self) -> None:
        """Let the threads go, those that are busy when they come back. Who still waits is cancelled."""
        for question in self._asked.values():
            if question.timer is not None:
                question.timer.cancel()
            question.answer.cancel()
        for _ in range(self._threads):
            self._jobs.put(None)

    def _begin(self) -> None:
        """Give threads to those who wait, as far as there are any."""
        while self._waiting and self._awaited < self._at_once:
            question = self._waiting.pop(next(iter(self._waiting)))
            loop = question.answer.get_loop()
            question.timer = loop.call_later(self._limit_s, self._give_up, question)
            self._awaited += 1
            self._in_threads += 1
            if self._threads < min(self._in_threads, self._most_threads):
                self._one_more(loop)
            self._jobs.put(question)

    def _one_more(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start a thread; where there can be no more, those that there are have to do."""
        try:
            Thread(target=self._work, args=(loop,), name=f"lookup {self._threads + 1}", daemon=True).start()
        except RuntimeError:
            if not self._threads:
                raise
        else:
            self._threads += 1

    def _work(self, loop: asyncio.AbstractEventLoop) -> None:
        """What a thread does all its life."""
        while (question := self._jobs.get()) is not None:
            answer = answer_of(self._lookup, question.name)
            with suppress(RuntimeError):  # the loop is closed: nobody waits
                loop.call_soon_threadsafe(self._come_back, question, answer)

    def _come_back(self, question: _Question, answer: Answer) -> None:
        """A thread has done its work."""
        self._in_threads -= 1
        self._learnt(question.name, answer)
        self._settle(question, answer)

    def _give_up(self, question: _Question) -> None:
        answer = Answer((), socket.EAI_AGAIN, f"{question.name}: no answer within {self._limit_s:g} s")
        self._learnt(question.name, answer)
        self._settle(question, answer)

    def _settle(self, question: _Question, answer: Answer) -> None:
        """Tell those who wait, unless that has been done, and go on with the next."""
        if question.answer.done():
            return
        assert question.timer is not None  # noqa: S101 -- it has begun
        question.timer.cancel()
        self._awaited -= 1
        del self._asked[question.name]
        question.answer.set_result(answer)
        self._begin()


def answer_of(lookup: Lookup, name: str) -> Answer:
    """What `lookup` says of `name`, addresses in the order in which they are to be tried. Blocks."""
    try:
        found = lookup(name)
    except OSError as error:
        return Answer((), error.errno or socket.EAI_FAIL, f"{name}: {error.strerror or error}")
    if not found:
        return Answer((), socket.EAI_NONAME, f"{name}: no address")
    return Answer(interleaved(found))


def interleaved(addresses: Sequence[str]) -> tuple[str, ...]:
    """Each address once, IPv6 and IPv4 by turns, otherwise in order (RFC 8305 section 4): where all of one family lead
    nowhere, as they do where IPv6 is set up wrongly, the first of the other is not the last to be tried."""
    families: dict[bool, list[str]] = {}
    for address in dict.fromkeys(addresses):
        families.setdefault(":" in address, []).append(address)
    return tuple(address for turn in zip_longest(*families.values()) for address in turn if address is not None)
