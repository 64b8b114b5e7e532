"""What a sitemap means by a lastmod, at the latest."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.extract.lastmod import LASTMODS, Said, moment
from crawler.extract.page import Extractor, Settings
from crawler.models import Kind, Request, Response
from crawler.url import fingerprint


@pytest.mark.parametrize(
    ("lastmod", "latest"),
    [
        ("2026-02-03T04:05:06.25Z", "2026-02-03T04:05:06.250000"),
        ("2026-02-03T04:05:06.25+02:00", "2026-02-03T02:05:06.250000"),
        ("2026-02-03T04:05:06Z", "2026-02-03T04:05:07"),
        ("20260203T040506Z", "2026-02-03T04:05:07"),
        ("2026-02-03T04:05Z", "2026-02-03T04:06:00"),
        (" 2026-02-03 04:05:06\n", "2026-02-03T16:05:07"),
        ("2026-02-03", "2026-02-04T12:00:00"),
        ("2026-2-3", "2026-02-04T12:00:00"),
        ("2024-02", "2024-03-01T12:00:00"),
        ("2026-12", "2027-01-01T12:00:00"),
        ("2026", "2027-01-01T12:00:00"),
        ("Tue, 03 Feb 2026 04:05:06 GMT", "2026-02-03T04:05:07"),
        ("03 Feb 26 04:05 EST", "2026-02-03T09:06:00"),
    ],
)
def test_a_lastmod_is_taken_for_the_latest_it_can_mean(lastmod, latest):
    assert moment(lastmod) == datetime.fromisoformat(latest).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    "lastmod", ["", "today", "2026-13", "2026-02-30", "9999-12-31", "2026-W05", "1" * 5_000, "२०२६"]
)
def test_what_is_no_date_says_nothing(lastmod):
    assert moment(lastmod) is None


@given(st.text(max_size=70) | st.from_regex(r"[0-9TZ:+. -]{1,30}", fullmatch=True))
def test_any_text_is_a_moment_or_none(lastmod):
    assert moment(lastmod) is None or isinstance(moment(lastmod), float)


def sitemap(settings, *entries):
    body = "<urlset>" + "".join(f"<url><loc>{url}</loc>{more}</url>" for url, more in entries) + "</urlset>"
    url = "http://a.test/sitemap.xml"
    request = Request(
        url=url, host_key="a.test", scope_host="a.test", seed="a.test", kind=Kind.SITEMAP, via="http://a.test/"
    )
    response = Response(
        url=url,
        status=200,
        headers=((b"content-type", b"text/xml"),),
        body=body.encode(),
        fetched_at=0.0,
        elapsed_s=0.0,
    )
    return Extractor(settings).page(request, response)


def test_a_sitemap_tells_the_lastmods_of_pages_it_may_speak_for_where_somebody_listens():
    entries = [
        ("http://a.test/one", "<lastmod>2026-02-03</lastmod>"),
        ("http://a.test/two", ""),
        ("http://a.test/three", "<lastmod>soon</lastmod>"),
        ("http://b.test/four", "<lastmod>2026-02-03</lastmod>"),
    ]
    ((name, line),) = sitemap(Settings(lastmods=True, fingerprint_key=7), *entries).records
    assert name == LASTMODS
    said = msgspec.json.decode(line, type=list[Said])
    assert said == [Said(fingerprint("http://a.test/one", 7), moment("2026-02-03"), "2026-02-03")]
    assert sitemap(Settings(), *entries).records == ()
    assert sitemap(Settings(lastmods=True), *entries[1:]).records == ()
