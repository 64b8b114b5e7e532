"""Which functions read what a server sends?"""

from __future__ import annotations

import asyncio
import json
from itertools import pairwise

import msgspec

from crawler.clock import SystemClock
from crawler.config import ExtractConfig, UrlsConfig
from crawler.config.extracting import FeaturesConfig
from crawler.errors import UrlError
from crawler.extract import charset, robots, robots_meta
from crawler.extract.content import ContentError, decode_content
from crawler.extract.encodings import encoding_name
from crawler.extract.page import Extractor, Settings
from crawler.extract.record import PageRecord
from crawler.extract.robots_match import Matcher, deciding_rule, normal_pattern
from crawler.fetch.answer import AnswerProtocol
from crawler.fetch.cookies import MAX_PER_DOMAIN, Jar
from crawler.fetch.errors import fetch_error
from crawler.fetch.message import status_line
from crawler.fetch.set_cookie import MAX_COOKIE_CHARS, Origin, cookie_of
from crawler.models import HostKey, Kind, Page, ParseFailure, Request, Response, Robots, Url
from crawler.parse.framing import decode_results, encode_result, result_frame
from crawler.politeness.retry import MAX_RETRY_AFTER_S, redirect_target, retry_after_s
from crawler.reasons import REASONS
from crawler.url import MAX_URL_CHARS, Base, canonicalize, fingerprint, host, host_key, registrable_domain
from tests.fuzz.target import Target
from tests.support.fetching import fed

URL = Url("https://www.example.org/a/b?c=d")
REQUEST = Request(url=URL, host_key=HostKey("www.example.org"), scope_host="www.example.org")
ASKING = UrlsConfig(sort_query=True, drop_params=("utm_*", "a"))
ALL_FEATURES = FeaturesConfig(**dict.fromkeys(FeaturesConfig.__struct_fields__, True))
SETTINGS = Settings(
    extract=ExtractConfig(headers=("*",), html=True, features=ALL_FEATURES),
    fingerprint_key=7,
    max_body_bytes=100_000,
    link_lines=True,
    sitemap_lines=True,
)
EXTRACTORS = [
    Extractor(SETTINGS),
    Extractor(msgspec.structs.replace(SETTINGS, extract=ExtractConfig(text="markdown", features=ALL_FEATURES))),
    Extractor(Settings(extract=ExtractConfig(text="all"), fingerprint_key=7, nofollow=False, noindex=False)),
]
_LOOP = asyncio.new_event_loop()  # never run: a protocol makes futures of it
_ANSWER_BYTES = 1000


def text_of(data: bytes) -> str:
    """Any text, lone surrogates included."""
    return data.decode("utf-8", "surrogateescape")


def url(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    for make in (canonicalize, lambda given: canonicalize(given, ASKING), Base(URL).join, Base(URL, ASKING).join):
        try:
            made = make(text)
        except UrlError as error:
            assert str(error).isprintable()
            assert len(str(error)) < 2000
            continue
        assert made.isascii()
        assert made.isprintable()
        assert " " not in made
        assert len(made) <= MAX_URL_CHARS
        assert make(made) == made == canonicalize(made)
        assert made.startswith(("http://", "https://"))
        assert host(made)
        assert host_key(made).startswith(host(made))
        assert host(made).endswith(registrable_domain(host(made)))
        assert 0 < fingerprint(made, 7) < 1 << 64
        assert "@" not in host_key(made)


def robots_txt(data: bytes) -> None:
    said = robots.parse(data, "bot")
    assert robots.parse(data, "bot") == said
    assert msgspec.json.decode(msgspec.json.encode(said), type=Robots) == said
    assert said.crawl_delay_s is None or 0 <= said.crawl_delay_s <= 86_400
    matcher = Matcher(said)
    assert matcher.allows("/robots.txt")
    assert all(normal_pattern(pattern) == pattern for _, pattern in said.rules)
    lines = [f"{'Allow' if allow else 'Disallow'}: {pattern}" for allow, pattern in said.rules]
    again = Matcher(robots.parse("\n".join(["User-agent: *", *lines]).encode("latin-1"), "bot"))
    for path in ("/", "/a/b.html", "/%E2%82%AC?x=1", *(pattern.replace("*", "x") for _, pattern in said.rules[:8])):
        if len(path) > MAX_URL_CHARS or path[:1] != "/":
            continue
        allowed = matcher.allows(path)
        assert len(path) > 8000 or again.allows(path) is allowed
        decided = deciding_rule(said, path)
        assert decided is None or decided[0] is allowed
        assert decided is not None or allowed


def encoding(data: bytes) -> None:
    label, _, body = data.partition(b"\n")
    for content_type in (None, label.decode("latin-1")):
        text = charset.decode(body, content_type)
        assert text.utf8.decode() == text.text
        assert len(text.text) == text.n_chars
        assert encoding_name(text.charset) == text.charset
        assert charset.decode(body, content_type) == text
    named = encoding_name(label.decode("latin-1"))
    assert named is None or encoding_name(named) == named


def page(data: bytes) -> None:
    content_type, _, body = data.partition(b"\n")
    headers = ((b"content-type", content_type), (b"x-robots-tag", content_type[5:]), (b"link", body[:60]))
    response = Response(url=URL, status=200, headers=headers, body=body, fetched_at=1.7e9)
    for extractor in EXTRACTORS:
        result = extracted(extractor, REQUEST, response)
        for sink, lines in result.records:
            assert b"\r" not in lines
            if sink == "pages":
                assert b"\n" not in lines
                record = msgspec.json.decode(lines, type=PageRecord)
                assert msgspec.json.decode(msgspec.json.encode(record), type=PageRecord) == record
                assert json.loads(lines)["url"] == URL


def extracted(extractor: Extractor, request: Request, response: Response) -> Page:
    """What a page amounts to, the same every time; as of an empty one where its coding is broken."""
    result = extractor.page(request, response)
    assert extractor.page(request, response) == result
    assert decode_results(memoryview(result_frame([encode_result(result)]))[4:]) == [result]
    if isinstance(result, ParseFailure):
        assert result.reason in {"bad_encoding", "bad_sitemap", "too_large"}, result
        return Page()
    assert len({link.url for link in result.links}) == len(result.links)
    for link in result.links:
        assert canonicalize(link.url) == link.url
        assert link.host_key == host_key(link.url)
        assert link.fingerprint == fingerprint(link.url, 7)
        assert 0 <= link.priority <= 63
    return result


def sitemap(data: bytes) -> None:
    content_type, _, body = data.partition(b"\n")
    request = msgspec.structs.replace(REQUEST, kind=Kind.SITEMAP)
    response = Response(url=URL, status=200, headers=((b"content-type", content_type),), body=body)
    result = extracted(EXTRACTORS[0], request, response)
    listed = {json.loads(line)["url"] for _, lines in result.records for line in lines.split(b"\n")}
    assert listed >= {link.url for link in result.links}


def retry_after(data: bytes) -> None:
    response = Response(url=URL, status=503, headers=((b"Retry-After", data),))
    for wall in (0.0, 1_700_000_000.0):
        wait_s = retry_after_s(response, wall)
        assert wait_s is None or 0 <= wait_s <= MAX_RETRY_AFTER_S


def redirect(data: bytes) -> None:
    response = Response(url=URL, status=302, headers=((b"Location", data),))
    for rules in (UrlsConfig(), ASKING):
        target = redirect_target(REQUEST, response, rules)
        assert target is None or canonicalize(target, rules) == target


def set_cookie(data: bytes) -> None:
    lines = data.decode("latin-1").split("\n")
    jar = Jar(SystemClock(), max_bytes=2000)
    for name, secure in (("www.example.co.uk", True), ("example.org", False), ("127.0.0.1", False)):
        origin = Origin(name, "/a/b", secure)
        for line in lines:
            cookie = cookie_of(line, origin, 1.7e9)
            if cookie is not None:
                assert len(cookie.name) + len(cookie.value) <= MAX_COOKIE_CHARS
                assert not set(cookie.name + cookie.value + cookie.path) & set("\r\n\0;")
                assert name == cookie.domain or name.endswith(f".{cookie.domain}")
                assert cookie.domain not in {"co.uk", "uk", "org", "0.0.1"}
                assert msgspec.json.decode(msgspec.json.encode(cookie), type=type(cookie)) == cookie
        jar.hear(lines, origin)
        assert len(jar.pairs(origin)) <= MAX_PER_DOMAIN * 3
        assert set(jar.pairs(Origin("example.com", "/", secure=True))) == set()


def content(data: bytes) -> None:
    coding, _, body = data.partition(b"\n")
    for cut in (False, True):
        try:
            decoded = decode_content(body, coding.decode("latin-1"), 5000, cut=cut)
        except ContentError as error:
            assert error.reason in {"too_large", "bad_encoding"}
            assert not (cut and error.reason == "too_large")
            continue
        assert len(decoded.data) <= 5000


def answer(data: bytes) -> None:
    """The first line says where to part what follows: a piece's length is a character's code."""
    cuts, _, sent = data.partition(b"\n")
    places = [0]
    for cut in cuts[:20]:
        places.append(min(places[-1] + cut, len(sent)))
    places.append(len(sent))
    assert end_of([sent[a:b] for a, b in pairwise(places) if a < b]) == end_of([sent] if sent else [])


def end_of(pieces: list[bytes]) -> object:
    """How a connection ends that brings these."""
    protocol = AnswerProtocol(_LOOP)
    awaited = fed(protocol, _ANSWER_BYTES, pieces)
    protocol.connection_lost(None)
    if (error := awaited.exception()) is not None:
        reason = fetch_error(error).reason
        assert reason in REASONS
        return reason
    message, body, _ = awaited.result()
    assert len(body) <= _ANSWER_BYTES
    assert 200 <= message.code <= 999
    assert not any(set(b"\r\n\0") & {*name, *value} for name, value in message.raw_headers), message.raw_headers
    return status_line(message.version, message.code, message.reason), message.raw_headers, bytes(body)


def robots_tag(data: bytes) -> None:
    headers = [(b"X-Robots-Tag", line) for line in data.split(b"\n")]
    asked = robots_meta.asked(headers, [text_of(line) for _, line in headers], "bot")
    assert asked == robots_meta.asked(headers, [text_of(line) for _, line in headers], "bot")


SERVED = (
    Target("url", url),
    Target("robots", robots_txt),
    Target("charset", encoding),
    Target("page", page),
    Target("sitemap", sitemap),
    Target("retry_after", retry_after),
    Target("redirect", redirect),
    Target("set_cookie", set_cookie),
    Target("content", content),
    Target("answer", answer),
    Target("robots_tag", robots_tag),
)
"""Which functions they are, and what else must hold."""
