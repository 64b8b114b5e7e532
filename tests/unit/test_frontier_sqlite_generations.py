"""A store that is made from an earlier one: what that one has comes with what is known of it, or not at all."""

from __future__ import annotations

import sqlite3

import pytest

from crawler.errors import DamagedStoreError, FrontierError
from crawler.frontier.sqlite import SqliteFrontier
from crawler.known import Known
from crawler.models import Checkpoint
from tests.support.clock import FakeClock
from tests.support.frontiers import link, opened, seed, stored, take_all, urls

OLD = [f"https://a.test/{number}" for number in range(3)]
NEW = "https://a.test/new"


@pytest.fixture
async def base(tmp_path):
    path = tmp_path / "base.db"
    await stored(path, FakeClock())
    return path


async def begun(tmp_path, base):
    return await opened(tmp_path / "crawl.db", FakeClock(), base=base)


def known(url):
    return seed(url, known=Known(id=OLD.index(url) + 1, has_page=True))


async def test_link_to_what_will_come_anyway_is_left_to_it(tmp_path, base):
    frontier = await begun(tmp_path, base)
    frontier.add([known(OLD[0])])
    (page,) = await take_all(frontier)
    assert frontier.discover(page, [link(frontier, OLD[1]), link(frontier, OLD[0])]) == []
    assert frontier.discover(page, [link(frontier, url) for url in (OLD[1], NEW)]) == ["a.test"]
    assert frontier.add([seed(OLD[2])]) == [False], "a redirect, or a sitemap of robots.txt"
    assert frontier.add([known(OLD[1])]) == [True]
    assert [request.url for request in frontier.add_taken([known(OLD[2])])] == [OLD[2]]
    assert [(request.url, request.known is None) for request in await take_all(frontier)] == [
        (OLD[1], False),
        (NEW, True),
    ]
    assert frontier.counts().admitted == 4
    await frontier.aclose()


async def test_after_a_crash_what_has_not_come_yet_is_still_expected(tmp_path, base):
    frontier = await begun(tmp_path, base)
    frontier.add([known(OLD[0])])
    await frontier.commit(Checkpoint())
    await frontier.aclose()
    frontier = await begun(tmp_path, base)
    assert frontier.add([known(OLD[0]), seed(OLD[1]), known(OLD[1])]) == [False, False, True]
    await frontier.aclose()


async def test_once_all_has_come_anything_may(tmp_path, base):
    frontier = await begun(tmp_path, base)
    frontier.expect_nothing()
    assert frontier.add([seed(OLD[1])]) == [True]
    assert urls(await take_all(frontier)) == [OLD[1]]
    await frontier.aclose()


async def test_store_of_another_crawl_is_not_gone_on_with(tmp_path, base):
    (tmp_path / "other").mkdir()
    await stored(tmp_path / "other" / "crawl.db", FakeClock())
    frontier = SqliteFrontier(tmp_path / "other" / "crawl.db", FakeClock(), base=base)
    with pytest.raises(FrontierError, match="was not made from the generation that lies there now"):
        await frontier.open()


async def test_earlier_store_is_read_as_it_lies_there_and_its_damage_is_told(tmp_path, base):
    before = base.read_bytes()
    await (await begun(tmp_path, base)).aclose()
    assert base.read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {"base.db", "crawl.db"}
    with sqlite3.connect(base) as connection:
        connection.execute("UPDATE meta SET value = 'x' WHERE name = 'indexed'")
    connection.close()
    with pytest.raises(DamagedStoreError, match=r"base\.db"):
        await begun(tmp_path, base)
