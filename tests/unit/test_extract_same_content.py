"""When is a body left alone that was read in an earlier generation?"""

import gzip
from hashlib import sha256

import pytest
from msgspec.structs import replace

from crawler.extract import describe, page
from crawler.known import Known
from crawler.models import Kind
from tests.unit.test_extract_page import HTML, REQUEST, page_of

BODY = b"<title>A</title><p>Some text<a href=/x>x</a>"
SEEN = replace(REQUEST, known=Known(id=7, has_page=True, digest=f"sha256:{sha256(BODY).hexdigest()}"))


@pytest.mark.parametrize("zipped", [False, True])
def test_body_that_is_what_it_was_is_not_read_again(zipped):
    body, headers = (gzip.compress(BODY), (*HTML, (b"Content-Encoding", b"gzip"))) if zipped else (BODY, HTML)
    result = page_of(body, headers=headers, request=SEEN)
    assert (result.reason, result.records, result.links, result.body_bytes) == ("same_content", (), (), len(BODY))


@pytest.mark.parametrize(
    ("request_", "body", "headers"),
    [
        (SEEN, BODY + b"!", HTML),
        (REQUEST, BODY, HTML),
        (replace(SEEN, known=Known(id=7, has_page=True)), BODY, HTML),
        (replace(SEEN, watched=True), BODY, HTML),
        (SEEN, BODY, (*HTML, (b"X-Robots-Tag", b"nofollow"))),
    ],
    ids=["another", "a first visit", "all is read anew", "marks are wanted", "robots are told something"],
)
def test_any_other_page_is_read_as_ever(request_, body, headers):
    result = page_of(body, headers=headers, request=request_)
    assert result.reason is None
    assert result == page_of(body, headers=headers, request=replace(request_, known=None))


def test_headers_that_keep_a_page_out_do_so_whatever_its_body():
    assert page_of(BODY, headers=(*HTML, (b"X-Robots-Tag", b"noindex")), request=SEEN).reason == "noindex"


def test_body_that_is_no_page_any_more_is_not_taken_for_one():
    assert page_of(BODY, headers=((b"Content-Type", b"text/plain"),), request=SEEN).reason == "not_html"


def test_sitemap_is_read_whatever_its_body():
    assert getattr(page_of(BODY, request=replace(SEEN, kind=Kind.SITEMAP)), "reason", "") != "same_content"


@pytest.mark.parametrize("body", [BODY, BODY + b"!"])
def test_digest_of_a_body_is_worked_out_once(body, monkeypatch):
    asked = []

    def counted(decoded):
        asked.append(decoded)
        return f"sha256:{sha256(decoded.data).hexdigest()}"

    monkeypatch.setattr(page, "digest", counted)
    monkeypatch.setattr(describe, "digest", counted)
    page_of(body, request=SEEN)
    assert len(asked) == 1
