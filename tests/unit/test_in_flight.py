"""The file of what is in hand: what it outlives, and what is made of files that are none."""

from __future__ import annotations

import errno
import gc
import logging
import subprocess
import sys
import textwrap

import pytest

from crawler import in_flight
from crawler.errors import ExportError
from crawler.in_flight import MOST_DEATHS, InFlight, open_in_flight, read_left
from tests.support.small_crawl import request

REQUESTS = 4


@pytest.fixture
def path(tmp_path):
    return tmp_path / "in-flight"


def left(path):
    return read_left(path.read_bytes())


def die(path, *requests):
    """A run that takes these in hand and dies of it."""
    run = open_in_flight(path, REQUESTS)
    for one in requests:
        run.begin(one)
    run.__exit__(MemoryError, MemoryError(), None)


def suspects(path):
    with open_in_flight(path, REQUESTS) as run:
        return dict(run.suspects)


def told(caplog):
    return [getattr(record, "why", "") for record in caplog.records]


def test_what_is_in_hand_when_the_process_is_killed_is_suspected(path):
    code = """
        import os, signal, sys
        from pathlib import Path
        from crawler.in_flight import open_in_flight
        from tests.support.small_crawl import request

        run = open_in_flight(Path(sys.argv[1]), 4)
        done, deadly = request("done"), request("deadly")
        run.begin(done)
        run.begin(deadly)
        run.end(done)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    ran = subprocess.run([sys.executable, "-c", textwrap.dedent(code), str(path)], check=False)
    assert ran.returncode == -9
    with open_in_flight(path, REQUESTS) as run:
        assert run.deaths(request("deadly")) == 1
        assert run.deaths(request("done")) == run.deaths(request("another")) == 0


def test_clean_end_leaves_nothing_behind(path):
    with open_in_flight(path, REQUESTS) as run:
        one = request("one")
        run.begin(one)
        assert left(path).in_hand
        run.end(one)
        assert not left(path).in_hand
    assert not path.exists()


@pytest.mark.parametrize("error", [KeyboardInterrupt, ExportError("the disk is full"), None])
def test_end_by_way_of_clean_up_suspects_nobody(path, error):
    run = open_in_flight(path, REQUESTS)
    run.begin(request("one"))
    run.__exit__(type(error), error() if isinstance(error, type) else error, None)
    assert not path.exists()


def test_error_that_nobody_expected_is_a_death(path):
    die(path, request("one"))
    assert left(path).in_hand


def test_deaths_add_up_to_the_most_and_no_further(path):
    for deaths in (1, 2, 3, 3):
        die(path, request("deadly"))
        assert list(suspects(path).values()) == [deaths]
    assert deaths == MOST_DEATHS


def test_death_with_nothing_in_hand_raises_no_count(path):
    die(path, request("deadly"))
    die(path)
    assert list(suspects(path).values()) == [1]


def test_same_url_twice_in_hand_died_once(path):
    die(path, request("twin"), request("twin"))
    assert list(suspects(path).values()) == [1]


def test_suspects_outlive_a_clean_end_and_go_with_the_last_that_is_cleared(path):
    one, other = request("one"), request("other")
    die(path, one, other)
    with open_in_flight(path, REQUESTS) as run:
        run.clear(one)
        run.clear(request("no suspect"))
    with open_in_flight(path, REQUESTS) as run:
        assert (run.deaths(one), run.deaths(other)) == (0, 1)
        run.clear(other)
    assert not path.exists()


def test_all_are_cleared_at_once_when_nothing_is_left_to_fetch(path):
    die(path, request("one"), request("other"))
    with open_in_flight(path, REQUESTS) as run:
        run.clear_all()
        assert not left(path).suspects
    assert not path.exists()


def test_marks_are_given_anew_once_their_requests_have_ended(path):
    with open_in_flight(path, REQUESTS) as run:
        for number in range(3 * REQUESTS):
            one = request(f"{number}")
            run.begin(one)
            assert len(run) == 1
            run.end(one)
        assert not len(run)


def test_size_is_fixed_and_small(path):
    with open_in_flight(path, 456) as run:
        before = path.stat().st_size
        run.begin(request("one"))
        assert path.stat().st_size == before < 4_096
        assert path.stat().st_blocks, "no byte of it may be without a place on the disk"


def spoilt(content):
    flipped = bytearray(content)
    flipped[20] ^= 1
    return {
        "empty": b"",
        "short": content[:-1],
        "long": content + b"\0" * 8,
        "foreign": b"#!/bin/sh\n" * 20,
        "of another version": b"inhand99" + content[8:],
        "flipped": bytes(flipped),
        "of zeros": bytes(len(content)),
        "with an impossible count": content[:-8] + (MOST_DEATHS + 1).to_bytes(8, sys.byteorder),
    }


@pytest.mark.parametrize("how", spoilt(bytes(100)))
def test_file_that_cannot_be_used_is_ignored_and_told_of(path, caplog, how):
    caplog.set_level(logging.INFO)
    die(path, request("deadly"))
    suspects(path)
    path.write_bytes(spoilt(path.read_bytes())[how])
    assert suspects(path) == {}
    assert any(str(path) in why for why in told(caplog))


def test_file_of_another_boot_is_ignored(path, caplog, monkeypatch):
    caplog.set_level(logging.INFO)
    die(path, request("deadly"))
    monkeypatch.setattr(in_flight, "_boot", lambda: b"another boot id ")
    assert suspects(path) == {}
    assert "before the machine was started" in told(caplog)[-1]


def test_where_a_system_does_not_tell_its_boots_apart_its_files_are_used(path, monkeypatch, tmp_path):
    monkeypatch.setattr(in_flight, "_BOOT_ID", tmp_path / "none")
    die(path, request("deadly"))
    assert suspects(path)


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EROFS])
def test_where_no_file_can_be_made_the_crawl_goes_on_with_what_is_known(path, caplog, monkeypatch, error):
    die(path, request("deadly"))

    def fail(*_):
        raise OSError(error, "no")

    monkeypatch.setattr(InFlight, "_content", fail)
    run = open_in_flight(path, REQUESTS)
    one = request("one")
    run.begin(one)
    run.end(one)
    assert run.deaths(request("deadly")) == 1
    run.clear(request("deadly"))
    run.__exit__(None, None, None)
    assert any("not noted" in record.message for record in caplog.records)
    assert list(path.parent.iterdir()) == [], "or the same death would be counted once more"


def test_folder_in_its_place_is_let_be(path, caplog):
    path.mkdir()
    assert suspects(path) == {}
    assert path.is_dir()


def test_nothing_is_mapped_any_more_after_the_end(path):
    with open_in_flight(path, REQUESTS) as run:
        run.begin(request("one"))
    gc.collect()
    with open("/proc/self/maps") as maps:  # noqa: PTH123
        assert str(path) not in maps.read()
