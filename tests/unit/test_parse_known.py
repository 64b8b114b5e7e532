"""What workers are told of known links, and what they leave out."""

import asyncio
import os
import signal

from crawler.extract.page import Settings
from crawler.models import HostKey, Link, Page, ParseFailure, Url
from crawler.parse.known import MAX_TOLD, Confirmed, Known, Told
from crawler.parse.process import ProcessParser
from tests.support.stunt_extractor import ENTRY, job, parse_config, said


def links(*fingerprints):
    return tuple(
        Link(url=Url(f"http://a.test/{number}"), host_key=HostKey("a.test"), fingerprint=number)
        for number in fingerprints
    )


def left(known, *fingerprints):
    return [link.fingerprint for link in known.left(Page(links=links(*fingerprints))).links]


def told_all(confirmed, known, place=(0, 0)):
    """Tell until there is nothing more to tell; the place reached."""
    while True:
        told, place = confirmed.next(place)
        known.learn(told)
        if not told.fingerprints:
            return place


def test_what_is_confirmed_is_left_out_in_order_and_nothing_else():
    confirmed, known = Confirmed(), Known()
    confirmed.add(links(3, 2**64 - 1))
    told_all(confirmed, known)
    assert left(known, 1, 3, 2, 2**64 - 1, 4) == [1, 2, 4]


def test_a_page_keeps_all_but_its_known_links():
    confirmed, known = Confirmed(), Known()
    confirmed.add(links(1))
    told_all(confirmed, known)
    page = Page(links=links(1, 2), records=(("pages", b"{}"),), reason="noindex", body_bytes=5, needs_js=True)
    assert known.left(page) == Page(
        links=links(2), records=(("pages", b"{}"),), reason="noindex", body_bytes=5, needs_js=True
    )


def test_each_is_told_once_to_each_and_only_so_many_at_a_time():
    confirmed = Confirmed()
    confirmed.add(links(*range(1, MAX_TOLD + 3)))
    confirmed.add(links(1, 2))
    told, place = confirmed.next((0, 0))
    assert len(told.fingerprints) == 8 * MAX_TOLD
    told, place = confirmed.next(place)
    assert len(told.fingerprints) == 8 * 2
    assert confirmed.next(place) == (Told(), place)


def test_too_many_are_forgotten_on_both_sides_and_told_anew():
    confirmed, known, late = Confirmed(most=3), Known(), Known()
    confirmed.add(links(1, 2, 3))
    place = told_all(confirmed, known)
    confirmed.add(links(4, 2))
    assert left(known, 1, 2, 3, 4) == [4]
    told_all(confirmed, known, place)
    told_all(confirmed, late)
    assert left(known, 1, 2, 3, 4) == left(late, 1, 2, 3, 4) == [1, 3]


async def test_workers_leave_out_what_was_confirmed_and_never_what_was_only_reported():
    async with asyncio.timeout(15):
        parser = ProcessParser(Settings(), parse_config(workers=1), entry=ENTRY)
        await parser.start()
        try:
            (first,) = await parser.parse([job("echo a")])
            (again,) = await parser.parse([job("echo a")])
            assert len(first.links) == len(again.links) == 1
            parser.confirm(again)
            parser.confirm(ParseFailure(reason="parse_error"))
            (page,) = await parser.parse([job("echo a")])
            assert (page.links, said(page)) == ((), ["a"])
        finally:
            await parser.aclose()


async def test_a_new_worker_is_told_what_the_dead_one_knew():
    async with asyncio.timeout(15):
        parser = ProcessParser(Settings(), parse_config(workers=1), entry=ENTRY)
        await parser.start()
        try:
            (page,) = await parser.parse([job("pid")])
            parser.confirm(page)
            await parser.parse([job("pid")])
            os.kill(said(page), signal.SIGKILL)
            pages = [page]
            while said(pages[0]) == said(page):
                pages = await parser.parse([job("pid")])
            assert pages[0].links == ()
        finally:
            await parser.aclose()
