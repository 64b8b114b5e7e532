"""Any bytes at all may stand in a seed file: each seed in it is told of once, and nothing else comes of them."""

from __future__ import annotations

import asyncio
import gzip
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crawler.errors import ConfigError
from crawler.seedfile import MAX_LINE_BYTES
from crawler.seedlist import Item, SeedList
from crawler.seeds import read_seeds

PIECES = (
    *(b"\n", b"\r", b"\r\n", b"\x00", b'"', b",", b"#", b"url", b"URL", b"\xef\xbb\xbf", b"\xff", b"\xed\xa0\x80"),
    *(
        b"http://a.test/",
        b"a.test",
        b"sitemap:",
        b"https://u:p@a.test/",
        b"{",
        b"}",
        b"[",
        b"]",
        b":",
        b'{"url": "a.test"',
    ),
    *(
        b'"url"',
        b'"\\ud800"',
        b"1e999",
        b"9" * 50,
        b"\xc3\xa9",
        "例え.テスト".encode(),
        b"\\",
        b" ",
        b"\t",
        b"\x85",
        b"\xe2\x80\xa8",
    ),
    *(b"x" * (MAX_LINE_BYTES - 1), b"[" * 2000, b"\x1f\x8b", b"\xff\xfe"),
)
CONTENT = st.one_of(st.binary(max_size=300), st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join))
REFUSED = ("cannot be read", "has no column called url")


def lines_of(content):
    """How many lines there may be rows of: all that are not blank, by any count."""
    return len([line for line in content.removeprefix(b"\xef\xbb\xbf").splitlines() if line.strip()])


async def listed(path):
    """The seeds of a file, as a crawl has them: through the spool."""
    handed_out = []
    spool = path.with_name("spool")
    seeds = SeedList([Item(str(path), str(path), is_given=True)], lambda number, item: read_seeds([item]), spool)
    seeds.restore(b"")
    try:
        async for batch in seeds.requests():
            handed_out += batch
    finally:
        seeds.close()
    return handed_out


@pytest.mark.parametrize("name", ["s.txt", "s.csv", "s.jsonl", "s.txt.gz", "s.csv.gz"])
@given(content=CONTENT)
@example(content=b'url,x\na.test,"never\n' + b"b.test,1\n" * 3)
@example(content=b"\xef\xbb\xbf\r\xef\xbb\xbf\r\n")
@example(content=b"x" * MAX_LINE_BYTES + b"\r" + b"\na.test")
def test_any_bytes_are_seeds_good_or_bad_or_a_file_refused(content, name):
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        seeds, refused = [], ""
        try:
            seeds += read_seeds([str(path)])
        except ConfigError as error:
            refused = str(error)
        if refused:
            assert any(why in refused for why in REFUSED)
            return
        assert all((seed.url is None) == (seed.error is not None) for seed in seeds)
        assert all(seed.place.startswith(f"{path}:") for seed in seeds)
        assert len({seed.place for seed in seeds}) == len(seeds)
        if "csv" not in name:  # a row of which may have several lines
            assert len(seeds) <= lines_of(content)
        requests = asyncio.run(listed(path))
        assert [request.url for request in requests] == [seed.url for seed in seeds if seed.url is not None]


@given(lines=st.lists(st.sampled_from([b"a.test", b"b.test/x?y", b"two words", b"# no", b"", b"\xff", b"x" * 70_000])))
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_a_seed_a_line_whatever_ends_it(lines, end):
    with TemporaryDirectory() as folder:
        path = Path(folder) / "s.txt"
        path.write_bytes(end.join(lines))
        seeds = list(read_seeds([str(path)]))
    wanted = [number for number, line in enumerate(lines, 1) if line and not line.startswith(b"#")]
    assert [int(seed.place.rpartition(":")[2]) for seed in seeds] == wanted
