"""An answer is what its bytes are, however they are parted; and these are read, or fail with a reason."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.fetch.answer import AnswerProtocol
from crawler.fetch.errors import fetch_error
from crawler.fetch.message import status_line
from tests.support.faults.bodies import BODIES
from tests.support.faults.chunking import CHUNKING
from tests.support.faults.headers import HEADERS
from tests.support.faults.heads import HEADS
from tests.support.fetching import fed

MAX_BYTES = 1000
SENT = [
    sent
    for fault in (*HEADS, *HEADERS, *BODIES, *CHUNKING)
    if not callable(fault.steps)
    and len(sent := b"".join(step for step in fault.steps if isinstance(step, bytes))) <= MAX_BYTES
]
ODD = [
    b"\r",
    b"\n",
    b"\r\n\r\n",
    b" ",
    b"\t",
    b":",
    b";",
    b"\0",
    b"HTTP/1.1 200 OK\r\n",
    b"5\r\nhello\r\n",
    b"0\r\n\r\n",
]


@st.composite
def broken_answers(draw):
    """The beginning of a fault, something else, and the end of another fault."""
    first, last = draw(st.sampled_from(SENT)), draw(st.sampled_from(SENT))
    middle = draw(st.one_of(st.sampled_from(ODD), st.binary(max_size=9)))
    return first[: draw(st.integers(0, len(first)))] + middle + last[draw(st.integers(0, len(last))) :]


def end_of(pieces, loop):
    protocol = AnswerProtocol(loop)
    answer = fed(protocol, MAX_BYTES, pieces)
    protocol.connection_lost(None)
    if (error := answer.exception()) is not None:
        return fetch_error(error).reason
    message, body, _ = answer.result()
    return status_line(message.version, message.code, message.reason), message.raw_headers, body


@pytest.mark.slow
@settings(deadline=None, max_examples=300)
@given(broken_answers(), st.lists(st.integers(1, MAX_BYTES), max_size=9))
def test_broken_answer_is_the_same_wherever_its_bytes_are_parted(sent, cuts):
    async def ends():
        loop = asyncio.get_running_loop()
        places = [0, *sorted({cut % len(sent) for cut in cuts} - {0}), len(sent)] if sent else [0, 0]
        parts = [sent[a:b] for a, b in pairwise(places) if a < b]
        return end_of([sent] if sent else [], loop), end_of(parts, loop)

    whole, parted = asyncio.run(ends())
    assert parted == whole
