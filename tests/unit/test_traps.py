"""Traps are stopped by themselves, and sites that only look like it are fetched whole. Walked without sockets."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from itertools import count

import pytest

from crawler.config import TrapsConfig
from crawler.marks import Marks
from crawler.models import HostKey, Page, Request, Url
from crawler.traps import detector, ids
from crawler.traps.detector import Traps
from crawler.traps.shapes import Kind
from crawler.traps.stored import verdicts_on
from tests.support import endless
from tests.support.clock import FakeClock
from tests.support.debian import site_root
from tests.support.endless import LEGITIMATE, REAL, TRAPS, Endless
from tests.support.wandering import walk

WEB = Endless()
KINDS = {
    "calendar": Kind.CALENDAR,
    "calendar_query": Kind.CALENDAR,
    "session_query": Kind.SESSION,
    "session_path": Kind.SESSION,
    "repeating": Kind.DEEP,
    "deeper": Kind.DEEP,
    "facets": Kind.FACETS,
    "soft_404": Kind.SAME_PAGE,
    "pagination": Kind.PAGINATION,
    "pagination_path": Kind.PAGINATION,
    "mirrors": Kind.MIRRORS,
}
MOST = 800
"""Pages that a trap costs at most, at the default thresholds, the real ones included."""


def answer(host, path):
    reply = WEB.respond(host, path)
    return tuple((name.encode(), value.encode()) for name, value in reply.headers), reply.body


def seed(name):
    return f"http://{'m0.' if name == 'mirrors' else ''}{name.replace('_', '-')}.test/"


@pytest.mark.parametrize("name", TRAPS)
def test_a_trap_is_stopped_and_the_real_pages_beside_it_are_fetched(name):
    walked = walk(answer, seed(name), most=MOST)
    assert not walked.left, "it goes on"
    numbers = {url.partition("?")[0].rpartition("/real/")[2] for url in walked.fetched if "/real/" in url}
    assert numbers >= {str(n) for n in range(1, 10 if name == "mirrors" else REAL)}
    told = walked.traps.account()
    assert KINDS[name] in {verdict.kind for verdict in told}
    assert sum(verdict.excluded for verdict in told) == len(walked.refused)
    for verdict in told:
        assert verdict.evidence[0].isdigit()
        assert verdict.examples


def test_items_that_facets_and_pages_lead_to_are_all_fetched():
    walked = walk(answer, seed("pagination"), most=MOST)
    assert len([url for url in walked.fetched if "/item/" in url]) == 100
    walked = walk(answer, seed("facets"), most=MOST)
    assert len([url for url in walked.fetched if "/item/" in url]) >= 25


@pytest.mark.slow
@pytest.mark.parametrize("name", LEGITIMATE)
def test_a_site_that_comes_to_an_end_is_never_stopped(name, monkeypatch):
    monkeypatch.setattr(endless, "CATALOGUE", 1_000)
    monkeypatch.setattr(endless, "PER_LIST", 4)  # so that products are known before their lists
    walked = walk(answer, seed(name), most=20_000)
    assert not walked.left
    assert not walked.refused
    assert not walked.traps.account()


def test_fifty_thousand_products_with_numeric_ids_are_not_a_trap():
    """What is learnt of each, without the parsing: every product and every list by itself, and watched besides."""
    traps = Traps(TrapsConfig(), FakeClock())
    for n in range(50_000):
        via = f"http://shop.test/list?page={n // 50}" if n % 3 else f"http://shop.test/product/{n - 1}"
        product = Url(f"http://shop.test/product/{n}")
        request = Request(url=product, host_key=HostKey("shop.test"), scope_host="shop.test", via=via)
        told = traps.before(request)
        assert told is None or isinstance(told, Request)
        # nothing but numbers is different
        traps.learn(request, Page(marks=Marks(words=n, others=n, loose_words=1, loose_others=1)))
    assert not traps.account()
    assert traps._remembered <= 150_000


@pytest.mark.parametrize("variants", [1, 5, 10])
def test_products_with_two_parameters_and_nothing_but_numbers_to_tell_them_apart_are_not_choices(variants):
    traps = Traps(TrapsConfig(), FakeClock())
    for n in range(6_000):
        of, before = (Url(f"http://shop.test/product?of={m % 10}&id={m // variants}") for m in (n, n - 1))
        request = Request(url=of, host_key=HostKey("shop.test"), scope_host="shop.test", via=before)
        told = traps.before(request)
        assert told is None or isinstance(told, Request), n
        traps.learn(request, Page(marks=Marks(words=n, others=n, loose_words=1, loose_others=1)))
    assert not traps.account()


def test_a_part_that_pages_do_not_hand_on_is_neither_stopped_nor_slowed_for_ever():
    traps = Traps(TrapsConfig(), FakeClock())
    for n in range(3_000):
        product, found_on = (
            Url(f"http://shop.test/product/{n % 300}?from=list{n // 7}"),
            f"http://shop.test/list/{n // 7}",
        )
        request = Request(url=product, host_key=HostKey("shop.test"), scope_host="shop.test", via=found_on)
        told = traps.before(request)
        assert told is None or isinstance(told, Request), n
        of = n % 300
        traps.learn(request, Page(marks=Marks(words=of, others=of, loose_words=of, loose_others=of)))
    assert not traps.account()


@pytest.mark.parametrize(("remembered", "fetched"), [(3_000, 1_500), (1_000, 1_000)])
def test_all_of_a_large_catalogue_is_fetched_under_one_session_id_each(remembered, fetched, monkeypatch):
    monkeypatch.setattr(ids, "MAX_PAGES", 400)
    monkeypatch.setattr(ids, "MAX_PAGES_STOPPED", remembered)
    clock = FakeClock()
    traps = Traps(TrapsConfig(), clock)
    found, of = deque([(Url("http://shop.test/product/0?sid=0"), None)]), Counter()
    for sid in count(1):
        if not found:
            break
        url, via = found.popleft()
        n = int(url.partition("?")[0].rpartition("/")[2])
        request = Request(url=url, host_key=HostKey("shop.test"), scope_host="shop.test", via=via)
        told = traps.before(request)
        if isinstance(told, float):
            clock.advance(0.05)
            found.append((url, via))
        elif told != "trap":
            clock.advance(0.001)
            of[n] += 1
            traps.learn(request, Page(marks=Marks(words=n, others=n, loose_words=n, loose_others=n)))
            found += [
                (Url(f"http://shop.test/product/{m}?sid={sid}.{m}"), url)
                for m in {2 * n + 1, 2 * n + 2, n // 2}
                if m < 1_500
            ]
    assert abs(len(of) - fetched) < 10, "what is fetched no more is told in docs/traps.md"
    assert of.total() < len(of) + 200


@pytest.mark.slow
@pytest.mark.parametrize("package", ["python3.11-doc", "sqlite3-doc", "postgresql-doc-15"])
def test_real_documentation_is_not_a_trap(package):
    root = site_root(package)
    files = 0

    def of_file(host, path):
        nonlocal files
        file = root / path.partition("?")[0].strip("/")
        file = file / "index.html" if file.is_dir() else file
        if file.suffix != ".html" or not file.is_file() or file.stat().st_size > 300_000:
            return None
        files += 1
        return ((b"content-type", b"text/html"),), file.read_bytes()

    walked = walk(of_file, "http://docs.test/", most=200)
    assert files > 50
    assert not walked.refused
    assert not walked.traps.account()


def test_a_verdict_outlives_a_crash_and_what_was_found_before_stays_excluded():
    config = TrapsConfig(copies=10, pages=20)
    walked = walk(answer, seed("soft_404"), config=config)
    again = Traps(config, FakeClock())
    again.restore(walked.traps.state())
    assert again.state() == walked.traps.state()
    assert [verdict.kind for verdict in again.account()] == [Kind.SAME_PAGE]
    found_on = walked.fetched[-1]
    request = Request(
        url=Url("http://soft-404.test/quite/new"), host_key=HostKey("soft-404.test"), scope_host="x", via=found_on
    )
    assert again.before(request) == "trap"
    on = verdicts_on(walked.traps.state(), request.url, config)
    assert [verdict.pattern for verdict in on] == ["soft-404.test/*"]


def test_state_is_the_same_object_while_nothing_changes():
    traps = walk(answer, seed("pagination"), config=TrapsConfig(copies=10, pages=20)).traps
    assert traps.state() is traps.state()
    assert len(traps.state()) < 100_000


@pytest.mark.parametrize("state", [b"", b"\xc1", b"\x80", b"\x81\xa7version\x63"])
def test_a_state_that_is_empty_broken_or_of_another_version_is_forgotten(state):
    traps = Traps(TrapsConfig(), FakeClock())
    traps.restore(state)
    assert traps.account() == []
    asyncio.run(traps.sync(fsync=True))


def test_what_is_allowed_is_never_stopped():
    from crawler.config.patterns import pattern_set

    traps = Traps(TrapsConfig(copies=5, pages=10), FakeClock(), pattern_set(["*/gone/*", "*.test/*"]))
    walked = walk(answer, seed("soft_404"), traps=traps, most=300)
    assert walked.left
    assert not walked.refused


def test_a_suspect_is_put_off_so_that_others_come_first_and_not_for_long():
    config = TrapsConfig()
    walked = walk(answer, seed("calendar"), config=config, most=MOST)
    assert walked.put_off > 50
    swift = walk(answer, seed("calendar"), config=TrapsConfig(slow_s=type(config.slow_s)(0)), most=MOST)
    assert swift.put_off == 0
    assert not swift.left


def test_memory_is_bounded_however_many_sites_there_are():
    traps = Traps(TrapsConfig(), FakeClock())
    for n in range(60_000):
        name = f"h{n // 5}.test"
        request = Request(url=Url(f"http://{name}/{n}"), host_key=HostKey(name), scope_host=name, via=f"http://{name}/")
        traps.learn(request, Page(marks=Marks(words=n // 2, others=n, loose_words=n, loose_others=n)))
    assert traps._remembered <= 150_000
    assert traps._remembered == sum(map(len, traps._sites.values()))
    assert len(traps._sites) <= 10_000
    assert traps._watched <= traps._sites.keys()


def test_values_of_parameters_are_part_of_the_memory_that_is_bounded(monkeypatch):
    monkeypatch.setattr(detector, "MAX_REMEMBERED", 5_000)
    traps = Traps(TrapsConfig(), FakeClock())
    for n in range(1_200):
        query = "&".join(f"k{k}={n}" for k in range(8))
        url = Url(f"http://shop.test/{'abc'[n % 3]}?{query}")
        request = Request(url=url, host_key=HostKey("shop.test"), scope_host="shop.test", via="http://shop.test/")
        traps.learn(request, Page(marks=Marks(words=n, others=n, loose_words=n, loose_others=n)))
        values = [
            values for site in traps._sites.values() for g in site.groups.values() for values in g.values.values()
        ]
        assert sum(map(len, values)) <= 5_000
    assert traps._remembered == sum(map(len, traps._sites.values()))


def test_a_trap_beyond_those_that_are_kept_for_the_report_is_told_in_the_log(monkeypatch, caplog):
    monkeypatch.setattr(detector, "MAX_VERDICTS", 0)
    walked = walk(answer, seed("soft_404"), config=TrapsConfig(copies=10, pages=20), most=MOST)
    assert walked.refused
    assert not walked.traps.account()
    assert "a trap is stopped" in caplog.messages
