"""What Redis keeps of a crawl comes back as it was, or is refused."""

from __future__ import annotations

from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.errors import FrontierError
from crawler.fleet.codec import (
    VERSION,
    packed_host,
    packed_later,
    packed_robots,
    unpacked_host,
    unpacked_later,
    unpacked_robots,
)
from crawler.fleet.codec_ends import ended_numbers, packed_ends, packed_numbers, unpacked_ends, unpacked_numbers
from crawler.fleet.codec_urls import packed_urls, unpacked_urls
from crawler.fleet.models import FinishedAt
from crawler.known import Known
from crawler.models import Finished, HostState, Kind, Outcome, Request, Robots, RobotsFile, Snoozed
from crawler.url import fingerprint

pytestmark = pytest.mark.slow

KEY = "{crawler:x:3}:urls"

text = st.text(max_size=30)
words = st.none() | text
times = st.integers(0, 2**42).map(lambda ms: ms / 1000)
hosts = st.sampled_from(["a.test", "www.b.test:8080", "[::1]", "xn--d1acufc.test"])
urls = st.builds(
    "https://{}/{}".format, hosts, st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=40)
)
known = st.builds(Known, id=st.integers(1, 2**40), has_page=st.booleans(), etag=words, at=times, skip=words)


@st.composite
def requests(draw):
    url = draw(urls)
    return Request(
        url=url,
        host_key=url.split("/")[2],
        scope_host=draw(st.sampled_from(["a.test", "b.test"])),
        depth=draw(st.integers(0, 300)),
        via=draw(st.none() | urls),
        seed=draw(text),
        kind=draw(st.sampled_from([Kind.PAGE, Kind.PAGE, Kind.SITEMAP])),
        attempt=draw(st.integers(1, 3)),
        priority=draw(st.sampled_from([32, 32, 0, 63])),
        redirected_from=tuple(draw(st.lists(urls, max_size=2))),
        context=draw(st.binary(max_size=20)),
        inside=draw(st.booleans()),
        known=draw(st.none() | known),
    )


@st.composite
def ends(draw):
    request = Request(url="https://a.test/", host_key="a.test", scope_host="a.test", attempt=draw(st.integers(1, 5)))
    finished = Finished(
        request=request,
        outcome=draw(st.sampled_from(Outcome)),
        reason=draw(words),
        status=draw(st.none() | st.integers(100, 599)),
        target=draw(words),
        at=draw(times),
        has_page=draw(st.booleans()),
        etag=draw(words),
        last_modified=draw(words),
    )
    where = FinishedAt(worker=draw(st.integers(1, 2**31)), ordinal=draw(st.integers(0, 2**40)))
    return draw(st.integers(1, 2**32)), finished, where


@given(st.lists(requests(), max_size=30), st.integers(1, 2**40))
def test_urls_come_back_as_they_were_with_their_numbers(some, first):
    block = unpacked_urls(packed_urls(some), "4-7", first, KEY)
    expected = [msgspec.structs.replace(request, id=first + place) for place, request in enumerate(some)]
    assert block.requests() == expected
    assert block.host_keys() == [request.host_key for request in some]
    assert list(block.priorities()) == [request.priority for request in some]
    assert block.depths() == [request.depth for request in some]
    assert list(block.numbers) == [request.id for request in expected]
    assert block.fingerprints(5) == [fingerprint(request.url, 5) for request in some]


@given(st.lists(ends(), max_size=30))
def test_ends_come_back_as_they_were(some):
    data = packed_ends(some)
    read = unpacked_ends(data, KEY)
    assert [(end.number, end.finished(some[0][1].request), end.where) for end in read] == [
        (number, msgspec.structs.replace(finished, request=finished.request), where) for number, finished, where in some
    ]
    assert ended_numbers(data, KEY) == [number for number, _, _ in some]


@given(st.lists(st.integers(1, 2**40)))
def test_numbers_come_back_as_they_were(numbers):
    assert unpacked_numbers(packed_numbers(numbers), KEY) == numbers


@given(
    st.builds(
        HostState,
        host_key=hosts,
        ready_at=st.floats(0, 2**40),
        delay_s=st.floats(0, 100),
        failures=st.integers(0, 99),
        retired=words,
        backoff_s=st.floats(0, 100),
        requests=st.integers(0, 2**40),
        waited_s=st.floats(0, 2**40),
    )
)
def test_a_host_comes_back_as_it_was(host):
    assert unpacked_host(host.host_key, packed_host(host), KEY) == host


def test_a_host_that_is_only_paced_fits_into_the_compact_form_of_a_hash():
    host = HostState(host_key="a.test", ready_at=1.7e9 + 0.123, latency_s=0.1234, requests=100, waited_s=12.3456)
    assert len(packed_host(host)) <= 64


def test_verdicts_and_snoozed_urls_come_back_as_they_were():
    robots = RobotsFile(
        origin="https://a.test", expires_at=12.5, robots=Robots(rules=((True, "/a"),) * 50), closed="robots_unreachable"
    )
    assert unpacked_robots(robots.origin, packed_robots(robots), KEY) == robots
    request = Request(url="https://a.test/", host_key="a.test", scope_host="a.test")
    again = Snoozed(request=msgspec.structs.replace(request, attempt=3), until=99.25, reason="timeout")
    assert unpacked_later(packed_later(again), KEY).snoozed(request) == again


URLS = packed_urls(
    [
        Request(url=f"https://a.test/{n}", host_key="a.test", scope_host="a.test", context=b"x" * (n % 3))
        for n in range(40)
    ]
)
ENDS = packed_ends(
    [
        (
            n,
            Finished(
                request=Request(url="https://a.test/", host_key="a.test", scope_host="a.test"),
                outcome=Outcome.FETCHED,
                etag=str(n),
            ),
            FinishedAt(worker=1, ordinal=n),
        )
        for n in range(1, 40)
    ]
)
READERS = {
    "urls": (URLS, lambda data: unpacked_urls(data, "1-1", 1, KEY).requests()),
    "ends": (ENDS, lambda data: unpacked_ends(data, KEY)),
    "a host": (
        packed_host(HostState(host_key="a.test", ready_at=2.5, retired="dns")),
        lambda data: unpacked_host("a.test", data, KEY),
    ),
}


@pytest.mark.parametrize(("data", "read"), READERS.values(), ids=READERS)
def test_what_was_cut_short_is_refused_by_the_name_of_its_key(data, read):
    read(data)
    for length in range(len(data)):
        with pytest.raises(FrontierError, match=r"crawler:x:3"):
            read(data[:length])


@pytest.mark.parametrize(("data", "read"), READERS.values(), ids=READERS)
def test_bytes_after_the_end_are_refused(data, read):
    with pytest.raises(FrontierError, match=r"crawler:x:3"):
        read(data + b"x")


def assert_read_or_refused(read, data):
    told = KEY
    with suppress(FrontierError):
        try:
            read(data)
        except FrontierError as error:
            told = str(error)
            raise
    assert KEY in told


@given(st.sampled_from(sorted(READERS)), st.binary(max_size=60), st.sampled_from([b"", b"\x01\x00", b"\x01\x01"]))
def test_any_bytes_are_read_or_refused(reader, data, begin):
    assert_read_or_refused(READERS[reader][1], begin + data)


@given(st.data())
def test_a_changed_byte_is_read_or_refused(data):
    whole, read = READERS[data.draw(st.sampled_from(sorted(READERS)))]
    place = data.draw(st.integers(0, len(whole) - 1))
    assert_read_or_refused(read, whole[:place] + data.draw(st.binary(min_size=1, max_size=1)) + whole[place + 1 :])


def test_what_a_later_version_wrote_is_called_that():
    with pytest.raises(FrontierError, match="later version"):
        unpacked_urls(bytes((VERSION + 1,)) + URLS[1:], "1-1", 1, KEY)


def test_the_text_of_what_is_stored_once_is_shared():
    """A block of a page's links costs little more than their URLs."""
    some = [
        Request(url=f"https://a.test/{n}", host_key="a.test", scope_host="a.test", via="https://a.test/" + "v" * 200)
        for n in range(20)
    ]
    assert len(packed_urls(some)) < 20 * 20
