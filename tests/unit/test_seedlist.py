"""A seed list is read once, whatever happens meanwhile, and read on after a crash."""

from __future__ import annotations

import io
import os
from pathlib import Path

import msgspec
import pytest

from crawler.errors import ConfigError, CrawlerError
from crawler.seedlist import Item, Place, SeedList
from crawler.seeds import read_seeds


@pytest.fixture(autouse=True)
def inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def seed_list(*items, state=b"", stdin=None, given=True):
    def read(number, item):
        return read_seeds([item], stdin=stdin, first=number)

    listed = SeedList([Item(item, item, is_given=given) for item in items], read, Path("seeds.spool"))
    listed.restore(state)
    return listed


async def read_all(listed):
    return [request.url async for batch in listed.requests() for request in batch]


async def killed_after(listed, batches):
    """Read some batches; the state that a checkpoint then stores."""
    reading = listed.requests()
    for _ in range(batches):
        await anext(reading)
    while not listed._is_read:
        await listed._news.wait()
        listed._news.clear()
    state = listed.state()
    await reading.aclose()
    return state


def write(name, *lines):
    Path(name).write_text("".join(f"{line}\n" for line in lines))


def remove(name):
    Path(name).unlink()


def end_of_line_with(name, text):
    content = Path(name).read_bytes()
    return content.index(b"\n", content.index(text)) + 1


def length_of(name):
    return Path(name).stat().st_size


def append(name, data):
    with Path(name).open("ab") as file:
        file.write(data)


def urls(*numbers):
    return [f"https://a.test/{number}" for number in numbers]


async def test_list_that_was_read_to_its_end_is_never_opened_again(tmp_path):
    write("list.txt", *urls(1, 2))
    state = await killed_after(seed_list("list.txt"), 1)
    remove("list.txt")
    assert await read_all(seed_list("list.txt", state=state)) == urls(1, 2)  # none was known to be admitted


async def test_seeds_admitted_before_are_not_handed_out_again():
    write("list.txt", *urls(*range(2500)))
    listed = seed_list("list.txt")
    reading, admitted, last = listed.requests(), 0, []
    while admitted < 1200:
        admitted, last = admitted + len(last), await anext(reading)
    listed.close()  # as a crash does
    state = listed.state()
    await reading.aclose()
    assert await read_all(seed_list("list.txt", state=state)) == urls(*range(admitted, 2500))


async def test_lines_added_to_a_file_are_read_wherever_they_stand():
    write("list.txt", *urls(1, 2, 3))
    listed = seed_list("list.txt")
    assert await read_all(listed) == urls(1, 2, 3)
    write("list.txt", *urls(0, 1, 2, 9, 3, 4))
    again = seed_list("list.txt", state=listed.state())
    assert await read_all(again) == urls(0, 9, 4)
    once_more = seed_list("list.txt", state=again.state())
    assert await read_all(once_more) == []


async def test_edits_of_a_file_double_no_row_wherever_they_are():
    contents = [urls(1, 2, 3), urls(0, 1, 2, 3), urls(0, 1, 2, 3, 4), urls(1, 2, 3, 4), urls(4, 3, 3, 9)]
    state, given = b"", []
    for content in contents:
        write("list.txt", *content)
        listed = seed_list("list.txt", state=state)
        given.append(await read_all(listed))
        state = listed.state()
    assert given == [urls(1, 2, 3), urls(0), urls(4), [], urls(3, 9)]


async def test_pipe_of_an_earlier_run_is_never_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    listed = seed_list("pipe", *urls(1), given=False)
    assert await read_all(listed) == urls(1)
    assert listed._unread == ["pipe"]


async def test_items_can_be_added():
    listed = seed_list(*urls(1))
    assert await read_all(listed) == urls(1)
    assert await read_all(seed_list(*urls(1, 2), state=listed.state())) == urls(2)


async def test_pipe_is_spooled_and_not_needed_again():
    listed = seed_list("-", stdin=io.BytesIO(b"https://a.test/1\nhttps://a.test/2\n"))
    state = await killed_after(listed, 1)
    again = seed_list("-", state=state, given=False)
    assert await read_all(again) == urls(1, 2)
    assert again._unread == []


async def test_pipe_that_was_cut_is_told_of_and_its_whole_repetition_adds_the_rest():
    listed = seed_list("-", stdin=io.BytesIO(b"https://a.test/1\nhttps://a.test/2\n"))
    await killed_after(listed, 1)
    state = msgspec.json.encode(Place(end_of_line_with("seeds.spool", b"a.test/1"), 0))
    cut = seed_list("-", state=state, given=False)
    assert await read_all(cut) == urls(1)
    assert cut._unread == ["-"]
    whole = io.BytesIO(b"https://a.test/1\nhttps://a.test/2\nhttps://a.test/3\n")
    assert await read_all(seed_list("-", state=state, stdin=whole)) == urls(1, 2, 3)


async def test_pipe_that_is_given_again_is_read_again():
    listed = seed_list("-", stdin=io.BytesIO(b"https://a.test/1\n"))
    assert await read_all(listed) == urls(1)
    more = io.BytesIO(b"https://a.test/1\nhttps://a.test/2\n")
    assert await read_all(seed_list("-", state=listed.state(), stdin=more)) == urls(2)


async def test_seeds_come_as_soon_as_a_slow_pipe_yields_them():
    theirs, ours = os.pipe()
    with os.fdopen(theirs, "rb") as pipe, os.fdopen(ours, "wb", buffering=0) as writer:
        listed = seed_list("-", stdin=pipe)
        reading = listed.requests()
        for number in range(3):
            writer.write(f"https://a.test/{number}\n".encode())
            (request,) = await anext(reading)
            assert request.url == f"https://a.test/{number}"
        await reading.aclose()
        listed.close()
        writer.write(b"https://a.test/late\n")
        length = length_of("seeds.spool")
        while not listed._is_read:
            listed._news.clear()
            await listed._news.wait()
        assert length_of("seeds.spool") == length


async def test_what_an_earlier_run_could_not_read_does_not_keep_a_later_one_from_going_on():
    write("list.txt", *urls(1))
    write("bad.csv", "name,address")
    with pytest.raises(ConfigError, match="column"):
        await read_all(seed_list("list.txt", "bad.csv"))
    later = seed_list("list.txt", "bad.csv", given=False)
    assert await read_all(later) == urls(1)
    assert later._unread == ["bad.csv"]


async def test_file_that_is_gone_before_it_was_read_is_an_error():
    with pytest.raises(ConfigError, match="does not exist"):
        await read_all(seed_list("list.txt"))


@pytest.mark.parametrize("damage", [lambda: remove("seeds.spool"), lambda: os.truncate("seeds.spool", 3)])
async def test_spool_that_is_gone_or_short_is_refused(damage):
    listed = seed_list(*urls(1))
    await read_all(listed)
    damage()
    with pytest.raises(CrawlerError, match="--repair"):
        seed_list(*urls(1), state=listed.state())


async def test_what_no_checkpoint_knew_is_cut_off():
    listed = seed_list(*urls(1))
    await read_all(listed)
    append("seeds.spool", b'{"type":"se')
    assert await read_all(seed_list(*urls(1, 2), state=listed.state())) == urls(2)
