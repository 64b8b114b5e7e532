import random

from crawler.models import Outcome
from crawler.repair.ended import EndedTable


def test_the_first_line_that_says_what_the_store_says_is_found():
    table = EndedTable([(7, Outcome.FETCHED, True), (1 << 63, Outcome.FAILED, False), (8, Outcome.FETCHED, False)])
    assert table.lacking == 3
    assert not table.find(7, Outcome.FETCHED, page=False)
    assert not table.find(8, Outcome.FAILED, page=False)
    assert not table.find(9, Outcome.FETCHED, page=True)
    assert table.find(7, Outcome.FETCHED, page=True)
    assert not table.find(7, Outcome.FETCHED, page=True)
    assert table.find(1 << 63, Outcome.FAILED, page=False)
    assert table.lacking == 1
    assert [table.is_found(number) for number in (7, 1 << 63, 8, 9)] == [True, True, False, False]
    assert [table.has_page(number) for number in (7, 1 << 63, 8, 9)] == [True, False, False, False]


def test_it_agrees_with_a_dictionary():
    drawn = random.Random(3)
    ends = {drawn.getrandbits(64) or 1: (drawn.choice(list(Outcome)), drawn.random() < 0.5) for _ in range(20_000)}
    table = EndedTable((number, *end) for number, end in ends.items())
    asked = drawn.sample(list(ends), 5_000) + [drawn.getrandbits(64) for _ in range(1_000)]
    for number in asked:
        outcome, page = ends.get(number, (Outcome.FAILED, False))
        assert table.find(number, outcome, page=page) is (number in ends)
    assert table.lacking == 15_000


def test_a_url_takes_nine_bytes():
    drawn = random.Random(4)
    table = EndedTable((drawn.getrandbits(64), Outcome.FETCHED, True) for _ in range(100_000))
    held = sum(held.itemsize * len(held) for held in table._fingerprints) + sum(map(len, table._marks))
    assert held == 900_000
