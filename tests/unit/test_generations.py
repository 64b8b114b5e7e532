"""Generations by name, put in force and taken away, with a death at any moment of it."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import msgspec
import pytest

from crawler.claims import claim
from crawler.directory import CrawlDirectory
from crawler.errors import ConfigError, CrawlerError
from crawler.frontier.sqlite_schema import open_store
from crawler.generations import (
    GENERATION,
    GOING,
    MARK,
    Family,
    Told,
    is_free,
    number_of,
    refuse_numbered,
)
from crawler.refresh.claimed import refuse_resume
from crawler.resume import CONFIG
from tests.support.dying import Died, Steps


def generation(path, number=1, *, begun=True):
    """A directory with the store of a crawl that says which generation it is."""
    path.mkdir(parents=True)
    with closing(open_store(path / "crawl.db", fsync=False)) as store:
        blobs = {CONFIG: b"name: shop"} if begun else {}
        if number > 1:
            blobs[GENERATION] = msgspec.json.encode(Told(number=number))
        store.executemany("INSERT INTO blob VALUES (?, ?)", blobs.items())
    (path / "summary.json").write_text("{}")
    (path / "told").write_text(str(number))
    return path


def told(path):
    return (path / "told").read_text()


@pytest.fixture
def family(tmp_path):
    generation(tmp_path / "shop", 3)
    generation(tmp_path / "shop@4", 4)
    generation(tmp_path / "shop@1", 1)
    generation(tmp_path / "shop@2", 2)
    return Family(tmp_path / "shop")


def test_a_generation_is_put_in_force_and_the_one_before_keeps_its_number(family, tmp_path):
    assert family.number() == 3
    assert family.being_made() == tmp_path / "shop@4"
    assert family.publish(4) == tmp_path / "shop@3"
    assert {path.name: told(path) for path in tmp_path.iterdir()} == {
        "shop": "4",
        "shop@3": "3",
        "shop@2": "2",
        "shop@1": "1",
    }
    assert not (tmp_path / "shop" / MARK).exists()
    assert family.number() == 4
    assert family.being_made() is None


@pytest.mark.parametrize("step", range(1, 9))
def test_whatever_moment_it_dies_at_it_is_one_or_the_other_and_can_be_finished(family, tmp_path, step, monkeypatch):
    with monkeypatch.context() as patched:
        Steps(step).wrap_files(patched)
        with pytest.raises(Died):
            family.publish(4)
    in_force = tmp_path / "shop"
    assert not in_force.exists() or told(in_force) in {"3", "4"}
    if in_force.exists():
        assert family.half_published() is None
        assert family.mend() is False
        if told(in_force) == "3":
            family.publish(4)
    else:
        assert family.half_published() == tmp_path / "shop@4"
        with pytest.raises(ConfigError, match="was being put in force: --refresh"):
            refuse_resume(in_force)
        assert family.mend() is True
    assert told(in_force) == "4"
    assert told(tmp_path / "shop@3") == "3"
    assert not (in_force / MARK).exists()


def test_only_as_many_older_ones_stay_as_are_kept_the_newest(family, tmp_path):
    family.publish(4)
    assert family.prune(None) == []
    assert [path.name for path in family.prune(2)] == ["shop@1"]
    assert [path.name for path in family.prune(0)] == ["shop@2", "shop@3"]
    assert [path.name for path in tmp_path.iterdir()] == ["shop"]


def test_nothing_is_taken_away_that_is_no_generation_of_this_crawl(family, tmp_path):
    family.publish(4)
    (tmp_path / "shop@2" / "crawl.db").unlink()
    (tmp_path / "shop@1" / "crawl.db").write_bytes(b"no store at all")
    generation(tmp_path / "shop@7", 5)
    (tmp_path / "shop@03").mkdir()
    (tmp_path / "shop@x").mkdir()
    generation(tmp_path / "other@1")
    assert [path.name for path in family.prune(0)] == ["shop@3"]
    assert {path.name for path in tmp_path.iterdir()} == {
        "shop", "shop@1", "shop@2", "shop@7", "shop@03", "shop@x", "other@1"
    }  # fmt: skip


def test_what_was_half_taken_away_goes_the_next_time_and_is_no_crawl_meanwhile(family, tmp_path, monkeypatch):
    family.publish(4)
    with monkeypatch.context() as patched:
        patched.setattr("shutil.rmtree", lambda path: (path / "crawl.db").unlink() or (_ for _ in ()).throw(Died))
        with pytest.raises(Died):
            family.prune(2)
    going = tmp_path / f"shop@1{GOING}"
    assert going.is_dir()
    assert 1 not in family.others()
    family.mend()
    assert not going.exists()


def test_what_is_moved_aside_takes_all_its_generations_along(family, tmp_path):
    generation(tmp_path / "shop@9", 2)  # another's
    with claim(CrawlDirectory(tmp_path / "shop"), fresh=True, aside=lambda path: Family(path).move_aside()) as aside:
        names = {path.name for path in tmp_path.iterdir()}
    assert names == {aside.name, *(f"{aside.name}@{number}" for number in (1, 2, 4)), "shop", "shop@9"}
    assert told(aside) == "3"
    assert Family(aside).being_made() == tmp_path / f"{aside.name}@4"


def test_a_directory_in_the_way_of_the_older_one_is_left_alone(family, tmp_path):
    (tmp_path / "shop@3").mkdir()
    with pytest.raises(CrawlerError, match="shop@3: is in the way of generation 3"):
        family.publish(4)
    assert told(tmp_path / "shop") == "3"


@pytest.mark.parametrize("spelled", ["link", ".", "shop/../shop"])
def test_a_link_or_a_dot_stand_for_the_directory_they_lead_to(family, tmp_path, spelled, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "link").symlink_to(tmp_path / "shop")
    monkeypatch.chdir(tmp_path / {"link": "elsewhere", ".": "shop"}.get(spelled, "."))
    other = Family(CrawlDirectory(type(tmp_path)(spelled)).path)
    assert other.path == tmp_path / "shop"
    other.publish(4)
    assert told(tmp_path / "shop") == "4"
    assert told(tmp_path / "elsewhere" / "link") == "4"


def test_a_name_of_a_generation_is_not_the_name_of_a_crawl_to_refresh(tmp_path):
    with pytest.raises(ConfigError, match=r"shop@2: is generation 2 of shop, .* -d .*shop$"):
        refuse_numbered(tmp_path / "shop@2")
    refuse_numbered(tmp_path / "me@example")
    refuse_numbered(tmp_path / "shop@0")


def test_nobody_goes_on_with_a_generation_by_itself(family, tmp_path):
    with pytest.raises(ConfigError, match=r"shop@4: is generation 4 of shop.*--refresh -d .*shop goes on"):
        refuse_resume(tmp_path / "shop@4")
    with pytest.raises(ConfigError, match=r"shop: its next generation is being made in .*shop@4: --refresh goes on"):
        refuse_resume(tmp_path / "shop")
    family.publish(4)
    refuse_resume(tmp_path / "shop")
    refuse_resume(tmp_path / "nothing")


def test_a_generation_can_be_begun_where_nothing_else_lies(tmp_path):
    assert is_free(tmp_path / "none", 2)
    assert is_free(generation(tmp_path / "own", 2), 2)
    assert not is_free(tmp_path / "own", 3)
    assert not is_free(generation(tmp_path / "another"), 2)
    assert is_free(generation(tmp_path / "killed at once", begun=False), 2)
    (tmp_path / "file").write_text("")
    assert not is_free(tmp_path / "file", 2)
    lost = generation(tmp_path / "lost", 2)
    (lost / "pages.jsonl").write_text("")
    (lost / "outcomes.jsonl").write_text("")
    CrawlDirectory(lost).store.unlink()
    assert is_free(lost, 2), "--repair makes its store anew"


def test_a_store_that_cannot_be_read_is_no_first_generation(tmp_path):
    path = generation(tmp_path / "shop")
    assert number_of(path) == 1
    with closing(sqlite3.connect(path / "crawl.db")) as store:
        store.execute("UPDATE meta SET value = 99 WHERE name = 'format'")
        store.commit()
    with pytest.raises(CrawlerError, match="format 99"):
        number_of(path)


def test_a_damaged_crawl_can_be_gone_on_with_unless_its_next_generation_is_being_made(family, tmp_path):
    for path in (tmp_path / "shop", generation(tmp_path / "alone"), generation(tmp_path / "shop@5", 5)):
        store = CrawlDirectory(path).store
        store.write_bytes(store.read_bytes()[: store.stat().st_size // 2])
        with pytest.raises(CrawlerError, match="damaged"):
            number_of(path)
        refuse_resume(path)
    (tmp_path / "shop@5").rename(tmp_path / "elsewhere")
    (tmp_path / "shop@4" / "summary.json").unlink()
    with pytest.raises(ConfigError, match="its next generation is being made in"):
        refuse_resume(tmp_path / "shop")
