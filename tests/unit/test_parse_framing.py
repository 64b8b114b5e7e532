"""The wire between pool and workers, whatever way the bytes are cut."""

import socket
import threading

import pytest

from crawler.models import Page, ParseFailure
from crawler.parse.framing import (
    SMALL_BYTES,
    decode_results,
    encode_jobs,
    encode_result,
    read_batch,
    read_responses,
    result_frame,
)
from tests.support.stunt_extractor import job

PAGE = Page(records=(("pages", b"{}"),), body_bytes=3)
FAILURE = ParseFailure(reason="too_large", detail="11 MB")


def across(pieces, size):
    """What the other end reads, if the pieces arrive in chunks of `size` bytes."""
    ours, theirs = socket.socketpair()
    stream = b"".join(pieces)

    def send():
        with ours:
            for start in range(0, len(stream), size):
                ours.sendall(stream[start : start + size])

    sender = threading.Thread(target=send)
    sender.start()
    with theirs:
        batch = read_batch(theirs)
        jobs = None if batch is None else list(read_responses(theirs, batch.items))
    sender.join()
    return jobs


@pytest.mark.parametrize("size", [1, 3, 1000, 10**6])
def test_jobs_arrive_as_they_were_sent(size):
    least, most = SMALL_BYTES - len("echo"), SMALL_BYTES - len("echo") + 1
    jobs = [
        job("echo a"),
        job("echo", padding=least),
        job("echo b", padding=50_000),
        job("echo", padding=most),
        job(""),
    ]
    assert across(encode_jobs(jobs), size) == [(sent.request, sent.response) for sent in jobs]


def test_large_bodies_are_not_copied():
    sent = job("echo a", padding=SMALL_BYTES)
    assert encode_jobs([sent])[2] is sent.response.body


def test_end_between_batches_is_an_end():
    assert across([], 1) is None


def test_end_within_a_batch_is_an_error():
    pieces = encode_jobs([job("echo", padding=SMALL_BYTES)])
    ours, theirs = socket.socketpair()
    with theirs:
        with ours:
            ours.sendall(b"".join(pieces)[:-50])
        batch = read_batch(theirs)
        with pytest.raises(EOFError):
            list(read_responses(theirs, batch.items))


def test_end_before_a_body_is_an_error():
    length, header, _ = encode_jobs([job("echo", padding=SMALL_BYTES)])
    ours, theirs = socket.socketpair()
    with theirs:
        with ours:
            ours.sendall(length + header)
        with pytest.raises(EOFError):
            list(read_responses(theirs, read_batch(theirs).items))


def test_pages_and_failures_come_back_as_what_they_were():
    frame = result_frame([encode_result(PAGE), encode_result(FAILURE), encode_result(Page())])
    assert int.from_bytes(frame[:4], "big") == len(frame) - 4
    assert decode_results(memoryview(frame)[4:]) == [PAGE, FAILURE, Page()]


@pytest.mark.parametrize("cut", [1, 3, 4, 40])
def test_end_within_the_header_is_an_error(cut):
    ours, theirs = socket.socketpair()
    with theirs:
        with ours:
            ours.sendall(b"".join(encode_jobs([job("echo")]))[:cut])
        with pytest.raises(EOFError):
            read_batch(theirs)
