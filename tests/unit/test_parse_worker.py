"""A worker's loop and what it notes on the board, run in a thread with the test as the pool."""

import socket
import threading
import time

import pytest

from crawler.models import Page
from crawler.parse import board as boards
from crawler.parse.framing import LENGTH, decode_results, encode_jobs
from crawler.parse.worker import serve
from tests.support.stunt_extractor import job


@pytest.fixture
def board():
    with boards.create(2) as file:
        board = boards.Board(file.fileno(), 2)
    board.reset(0)
    board.reset(1)
    yield board
    board.close()


def answer_of(sock):
    (size,) = LENGTH.unpack(sock.recv(LENGTH.size, socket.MSG_WAITALL))
    return decode_results(memoryview(sock.recv(size, socket.MSG_WAITALL)))


def test_the_board_names_the_page_in_work_and_none_between_pages(board):
    seen = []

    def page(_request, _response):
        seen.append(board.read(1))
        return Page()

    ours, theirs = socket.socketpair()
    worker = threading.Thread(target=serve, args=(theirs, page, board, 1, 1 << 20))
    assert board.read(1) == (-1, 0.0)
    before = time.monotonic()
    with theirs:
        with ours:
            worker.start()
            for batch in (2, 1):
                ours.sendall(b"".join(encode_jobs([job("echo")] * batch)))
                assert answer_of(ours) == [Page()] * batch
                assert board.read(1).since == 0.0
        worker.join()
    assert [progress.started for progress in seen] == [1, 2, 3]
    assert all(before <= progress.since <= time.monotonic() for progress in seen)
    assert board.read(0) == (-1, 0.0)  # a neighbour's note is its own


def test_a_board_is_shared_by_all_who_map_its_file():
    with boards.create(1) as file:
        ours, theirs = boards.Board(file.fileno(), 1), boards.Board(file.fileno(), 1)
    ours.reset(0)
    theirs.ready(0)
    theirs.page_starts(0)
    assert ours.read(0).started == 1
    ours.close()
    theirs.close()
