"""Faults of heads, framing and pace end as the catalogue says at the first attempt, wherever their bytes are parted."""

from __future__ import annotations

import asyncio
import gzip
import re

import pytest

from crawler.errors import FetchError
from crawler.fetch.answer import AnswerProtocol
from crawler.fetch.errors import fetch_error
from crawler.models import HostKey, Request, Response, Url
from crawler.politeness.retry import Deliver, Snooze, after, failure
from tests.support.faults.bodies import BODIES
from tests.support.faults.chunking import CHUNKING
from tests.support.faults.fault import Drip, Reset, Silence
from tests.support.faults.headers import HEADERS
from tests.support.faults.heads import HEADS
from tests.support.faults.server import FaultServer
from tests.support.fetching import fed, fetcher_for, nothing

FAULTS = (*HEADS, *HEADERS, *BODIES, *CHUNKING)
STATIC = [fault for fault in FAULTS if not callable(fault.steps) and all(
    isinstance(step, bytes | Drip | Silence | Reset) for step in fault.steps)]  # fmt: skip
MAX_BODY_BYTES = 1024 * 1024
LONG_BYTES = 2000


def request(fault):
    return Request(url=Url(fault.url), host_key=HostKey(fault.host), scope_host=fault.host)


@pytest.fixture(scope="module")
def answers():
    """Name -> response or error of one attempt, all made at once."""

    async def ask(fetcher, fault):
        try:
            return await fetcher.fetch(request(fault), nothing)
        except FetchError as error:
            return error

    async def ask_all(server):
        untaken = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: untaken.append(context))
        fetcher = fetcher_for(window_s=10.0, resolve=server.resolve, timeout_s=3, max_body_bytes=MAX_BODY_BYTES)
        got = await asyncio.gather(*(ask(fetcher, fault) for fault in FAULTS))
        await fetcher.aclose()
        assert untaken == [], "errors that reached the loop"
        return dict(zip([fault.name for fault in FAULTS], got, strict=True))

    with FaultServer(FAULTS) as server:
        return asyncio.run(ask_all(server))


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_fault_ends_as_in_a_browser(answers, fault):
    answer = answers[fault.name]
    then = after(request(fault), answer, now=0.0, wall=0.0)
    if fault.ends == "fetched":
        assert isinstance(then, Deliver), answer
        assert fault.text is None or fault.text in text_of(answer)
        assert "stray" not in text_of(answer)
    else:
        assert (then.reason if not isinstance(then, Snooze) else failure(answer)) == fault.reason, answer
    assert isinstance(then, Snooze) == (fault.attempts > 1)


def text_of(response: Response) -> str:
    charset = re.search(r"charset=([-\w]+)", response.header(b"content-type") or "")
    body = gzip.decompress(response.body) if response.header(b"content-encoding") == "gzip" else response.body
    return body.decode(charset[1] if charset else "utf-8")


def sent_by(fault):
    return b"".join(
        step.data if isinstance(step, Drip) else step for step in fault.steps if isinstance(step, bytes | Drip)
    )


def end_of(fault, pieces):
    """Status and body, or the reason of the failure, or that nothing has come of it."""
    protocol = AnswerProtocol(asyncio.get_running_loop())
    answer = fed(protocol, MAX_BODY_BYTES, pieces)
    if not any(isinstance(step, Silence) for step in fault.steps):
        is_reset = any(isinstance(step, Reset) for step in fault.steps)
        protocol.connection_lost(ConnectionResetError(104, "reset") if is_reset else None)
    if not answer.done():
        return "waits"
    if (error := answer.exception()) is not None:
        return fetch_error(error).reason
    message, body, _ = answer.result()
    return message.code, message.raw_headers, body


def partings(sent):
    """In two, at every place, and byte by byte; of what is long, at some places, and in many parts."""
    is_long = len(sent) > LONG_BYTES
    yield from ([sent[:at], sent[at:]] for at in range(1, len(sent), len(sent) // 4 if is_long else 1))
    size = len(sent) // 100 if is_long else 1
    yield [sent[at : at + size] for at in range(0, len(sent), size)]


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(fault, id=fault.name, marks=[pytest.mark.slow] if len(sent_by(fault)) > LONG_BYTES else [])
        for fault in STATIC
    ],
)
async def test_fault_ends_the_same_wherever_its_bytes_are_parted(fault):
    sent = sent_by(fault)
    whole = end_of(fault, [sent] if sent else [])
    for pieces in partings(sent):
        assert end_of(fault, pieces) == whole
