import gzip
import json

import pytest

from crawler.config import ScopeConfig
from crawler.extract.html import Document
from crawler.extract.page import Extractor, Settings
from crawler.extract.robots_meta import Asked, asked, meta_names
from crawler.models import HostKey, Refusal, Request, Response, Url
from tests.support.corpora import corpus

URL = Url("https://example.org/dir/")
REQUEST = Request(url=URL, host_key=HostKey("example.org"), scope_host="example.org")
HTML = (b"Content-Type", b"text/html")
TAG = b"X-Robots-Tag"


def page_of(body, *headers, **settings):
    response = Response(url=URL, status=200, headers=(HTML, *headers), body=body.encode())
    return Extractor(Settings(agent="ExampleBot/1.0", **settings)).page(REQUEST, response)


def targets(page):
    return [link.url.removeprefix(URL) for link in page.links]


def rules(page):
    return {refusal.rule: refusal.count for refusal in page.refusals}


def test_every_shared_case_is_read_as_it_says():
    cases = json.loads(corpus("headers.json").read_text())["robots_meta"]
    wrong = []
    for case in cases:
        head = "".join(f'<meta name="{name}" content="{content}">' for name, content in case["meta"])
        metas = Document(head.encode(), want_text=False).head(meta_names(case["user_agent"])).robots
        headers = [(b"x-Robots-TAG", value.encode()) for value in case["x_robots_tag"]]
        if asked(headers, metas, case["user_agent"]) != Asked(case["noindex"], case["nofollow"]):
            wrong.append(case)
    assert len(cases) > 20
    assert wrong == []


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("unavailable_after: Friday, 25-Jun-10 15:00:00 PST, nofollow", Asked(noindex=False, nofollow=True)),
        ("otherbot: unavailable_after: 2010-06-25T15:00:00Z, noindex", Asked(noindex=False, nofollow=False)),
        ("ExampleBot : None", Asked(noindex=True, nofollow=True)),
        ("otherbot:, noindex, examplebot: nofollow", Asked(noindex=False, nofollow=True)),
        ("noindex nofollow", Asked(noindex=True, nofollow=True)),
        ("all, follow, index, noindex", Asked(noindex=True, nofollow=False)),
        ("noindexing, no index, nofollow=1", Asked(noindex=False, nofollow=False)),
        ("max-snippet: none, \xff", Asked(noindex=False, nofollow=False)),
    ],
)
def test_header_is_read_as_google_documents_it(header, expected):
    assert asked([(TAG, header.encode("latin-1"))], [], "examplebot") == expected


def test_headers_add_up_each_with_its_own_addressee():
    headers = [(TAG, b"otherbot: noindex"), (TAG, b"nofollow")]
    assert asked(headers, [], "examplebot") == Asked(noindex=False, nofollow=True)


@pytest.mark.parametrize("element", ["<meta name=robots content=noindex>", "<body><meta content=NONE name=EXAMPLEBOT>"])
def test_page_that_asks_not_to_be_indexed_leaves_no_record_and_is_followed_all_the_same(element):
    page = page_of(f"{element}<a href=a>", link_lines=True, nofollow=False)
    assert (page.records, page.reason, targets(page)) == ((), "noindex", ["a"])
    kept = page_of(f"{element}<a href=a>", link_lines=True, noindex=False, nofollow=False)
    assert ([sink for sink, _ in kept.records], kept.reason) == (["pages", "links"], None)


def test_noindex_of_what_is_no_page_changes_nothing():
    response = Response(url=URL, status=200, headers=((b"Content-Type", b"text/plain"), (TAG, b"none")), body=b"x")
    assert Extractor(Settings()).page(REQUEST, response).reason == "not_html"


def test_page_that_asks_not_to_be_followed_has_its_links_counted_and_recorded():
    body = "<a href=a><a href=b><a href=mailto:x><a href=//elsewhere.test/>"
    page = page_of(body, (TAG, b"nofollow"))
    assert page.links == ()
    assert page.refusals == (
        Refusal(rule="scheme: mailto", count=1, examples=("mailto:x",)),
        Refusal(rule="robots.nofollow", count=2, examples=(f"{URL}a", f"{URL}b")),
        Refusal(rule="scope.stay_on: host", count=1, examples=("https://elsewhere.test/",)),
    )
    assert len(json.loads(page.records[0][1])["links"]) == 3
    assert targets(page_of(body, (TAG, b"nofollow"), nofollow=False)) == ["a", "b"]


def test_links_marked_with_a_skipped_rel_are_not_followed():
    body = "<a href=a rel='noopener NoFollow'><a href=b rel=ugc><area href=c rel='sponsored nofollow'><a href=d rel>"
    page = page_of(body)
    assert (targets(page), rules(page)) == (["b", "d"], {"robots.skip_rel: nofollow": 2})
    every = page_of(body, skip_rel=("sponsored", "ugc"))
    assert targets(every) == ["a", "d"]
    assert rules(every) == {"robots.skip_rel: ugc": 1, "robots.skip_rel: sponsored": 1}
    assert targets(page_of(body, skip_rel=())) == ["a", "b", "c", "d"]


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 1, 0)])
def test_target_that_is_also_linked_plainly_is_followed_whatever_the_order(order):
    links = ("<a href=a rel=nofollow>", "<a href=./a#part>", "<a href=a rel='nofollow ugc'>")
    page = page_of("".join(links[number] for number in order))
    assert (targets(page), page.refusals) == (["a"], ())


def test_scope_refuses_before_the_page_does():
    scope = ScopeConfig(exclude=("*/a",))
    page = page_of("<a href=a rel=nofollow><a href=b rel=nofollow>", scope=scope)
    assert rules(page) == {"scope.exclude: */a": 1, "robots.skip_rel: nofollow": 1}
    assert rules(page_of("<a href=a><a href=b>", (TAG, b"none"), scope=scope)) == {
        "scope.exclude: */a": 1,
        "robots.nofollow": 1,
    }


def test_meta_elements_of_real_pages_are_those_that_two_other_parsers_agree_on():
    folder = corpus("pagefacts")
    wrong = []
    for row in map(json.loads, (folder / "truth.jsonl").read_text().splitlines()):
        body = gzip.decompress((folder / row["page"]).read_bytes())
        found = Document(body, want_text=False).head(meta_names("examplebot")).robots
        if found != row["meta_robots"]:
            wrong.append((row["id"], found, row["meta_robots"]))
    assert wrong == []
