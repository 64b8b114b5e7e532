import pytest

from crawler.seeds import read_seeds
from crawler.spool import Spool


@pytest.fixture
def spool(tmp_path):
    spool = Spool(tmp_path / "seeds.spool")
    spool.open(0)
    for item in ("a.test", "b.test"):
        spool.add(item, None, read_seeds([item]), lambda length: None)
    return spool


def test_a_whole_spool_is_good_to_its_end_or_any_row_before(spool):
    whole = spool.path.read_bytes()
    assert spool.good() == len(whole)
    first = len(whole.splitlines(keepends=True)[0])
    assert spool.good(first) == first
    assert spool.good(first + 5) == first


@pytest.mark.parametrize(
    "bad", [b'{"type":"seed","given":"x"', b'{"type":"lead"}\n', b"\xff\n", b"\0\0\0\n", b"[" * 9 + b"\n"]
)
def test_it_is_good_up_to_the_first_row_that_is_none(spool, bad):
    lines = spool.path.read_bytes().splitlines(keepends=True)
    spool.path.write_bytes(b"".join(lines[:3]) + bad + b"".join(lines[3:]))
    assert spool.good() == sum(map(len, lines[:3]))


def test_a_spool_begins_with_an_item_or_nothing_of_it_is_good(spool):
    lines = spool.path.read_bytes().splitlines(keepends=True)
    spool.path.write_bytes(b"".join(lines[1:]))
    assert spool.good() == 0
    spool.path.unlink()
    assert spool.good() == 0
