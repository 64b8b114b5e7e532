import gzip
import hashlib
import json
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from crawler.config import ExtractConfig, ScopeConfig
from crawler.extract.page import Extractor, LinkLine, PageRecord, Settings
from crawler.models import HostKey, Kind, Page, ParseFailure, Request, Response, Url
from crawler.url import canonicalize, fingerprint
from tests.support.corpora import corpus

ROOT = Path(__file__).parents[2]
URL = Url("https://example.org/dir/page.html?q=1")
REQUEST = Request(url=URL, host_key=HostKey("example.org"), scope_host="example.org", seed="example.org", depth=2)
HTML = ((b"Content-Type", b"text/html; charset=utf-8"),)


def page_of(body, *, headers=HTML, status=200, request=REQUEST, **settings):
    raw = body.encode() if isinstance(body, str) else body
    response = Response(url=request.url, status=status, headers=headers, body=raw, fetched_at=1.5, elapsed_s=0.25)
    return Extractor(Settings(**settings)).page(request, response)


def record_of(body, **arguments):
    ((sink, line),) = page_of(body, **arguments).records
    assert sink == "pages"
    return json.loads(line)


def targets_of(body, **arguments):
    return [link.url.removeprefix("https://example.org") for link in page_of(body, **arguments).links]


def test_a_record_holds_every_field_in_its_documented_order():
    body = (
        "<html lang=cs><title> A\n title </title><meta name=Description content='what  for'>"
        "<link rel='x Canonical' href=/c#d><base href=/b/><body><h1>One <b>h</b>eading</h1><h1> </h1>"
        "<p>Some <i>te</i>xt</p>tail<a href=x rel='nofollow ugc'>a <b>link</b></a><a href=x>again</a>"
    )
    zipped = gzip.compress(body.encode())
    record = record_of(zipped, headers=(*HTML, (b"Content-Encoding", b"gzip")))
    assert list(record.items()) == [
        ("url", URL),
        ("status", 200),
        ("depth", 2),
        ("via", None),
        ("seed", "example.org"),
        ("redirected_from", []),
        ("fetched_at", "1970-01-01T00:00:01.500Z"),
        ("elapsed_s", 0.25),
        ("content_type", "text/html; charset=utf-8"),
        ("charset", "utf-8"),
        ("charset_source", "header"),
        ("body_bytes", len(body)),
        ("content_digest", f"sha256:{hashlib.sha256(body.encode()).hexdigest()}"),
        ("title", "A title"),
        ("description", "what for"),
        ("lang", "cs"),
        ("lang_detected", None),
        ("canonical", "https://example.org/c"),
        ("site_name", None),
        ("author", None),
        ("published", None),
        ("modified", None),
        ("h1", ["One heading"]),
        ("headings", [{"level": 1, "text": "One heading"}]),
        ("text", "One heading\nSome text\ntaila linkagain"),
        ("word_count", 6),
        ("sentence_count", 3),
        ("reading_s", 2),
        ("text_ratio", round(37 / len(body), 4)),
        ("fingerprint", None),
        ("needs_js", False),
        ("n_links", 2),
        ("n_internal", 2),
        ("n_external", 0),
        ("n_nofollow", 1),
        ("links", [{"url": "https://example.org/b/x", "text": "a link", "rel": "nofollow ugc"}]),
        ("hreflang", []),
        ("feeds", []),
        ("images", None),
        ("tables", None),
        ("json_ld", []),
        ("opengraph", {}),
        ("twitter", {}),
        ("microdata", None),
        ("rdfa", None),
        ("headers", None),
        ("html", None),
        ("truncated", []),
    ]


def test_absent_values_are_null_and_never_missing():
    record = record_of("", headers=((b"Content-Type", b"text/html"),))
    assert list(record) == [field.name for field in msgspec.structs.fields(PageRecord)]
    absent = ("title", "description", "lang", "canonical", "via")
    assert [record[name] for name in absent] == [None] * len(absent)
    assert (record["text"], record["word_count"], record["links"], record["h1"]) == ("", 0, [], [])


def test_every_field_of_the_record_is_described():
    schema = msgspec.json.schema(PageRecord)["$defs"]["PageRecord"]
    assert all("description" in field for field in schema["properties"].values())
    assert schema["required"] == [field.name for field in msgspec.structs.fields(PageRecord)]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("<p>one</p>two", "one\ntwo"),
        ("<div><div>one</div></div><span>two</span>", "one\ntwo"),
        ("<span><p>one</p></span><b>two</b>", "one\ntwo"),
        ("o<b>n</b>e<br>two", "one\ntwo"),
        ("<table><tr><td>a<td>b<tr><td>c</table>", "a b\nc"),
        ("<script>no</script>yes<style>no</style><script src=x></script> and<iframe>no</iframe>", "yes and"),
        ("<template>no</template><noscript>yes</noscript><!-- no -->", "yes"),
        ("a\u00a0 b\u2028c &#0;\0", "a b c \ufffd"),
    ],
)
def test_text_is_what_a_reader_sees_a_block_a_line(body, text):
    assert record_of(f"<title>no</title><body>{body}")["text"] == text


def test_the_title_of_a_drawing_is_not_the_pages():
    assert record_of("<body><svg><title>circle</title></svg><title>page</title>")["title"] == "page"


def test_links_to_follow_are_canonical_and_each_once():
    page = page_of(
        "<a href='a#x'>1</a><area href='./a'><a href='../dir/a '>3</a><a>no href</a><a href>self</a>"
        "<template><a href=t>4</a></template><a href='HTTPS://EXAMPLE.org:443/%7Ez'>5</a>",
        fingerprint_key=9,
    )
    urls = ["https://example.org/dir/a", URL, "https://example.org/dir/t", "https://example.org/~z"]
    assert [link.url for link in page.links] == urls
    assert [link.fingerprint for link in page.links] == [fingerprint(url, 9) for url in urls]
    assert {link.host_key for link in page.links} == {"example.org"}


def test_refused_links_are_counted_by_rule_with_three_examples():
    page = page_of(
        "<a href=mailto:a@b><a href='JavaScript:void(0)'><a href=zyx:1><a href=abc:1><a href='http://['>"
        "<a href=/no/1><a href=/no/2><a href=/no/3><a href=/no/4><a href=http://other.test/><a href=/yes>",
        scope=ScopeConfig(exclude=("*/no/*",)),
    )
    assert [link.url for link in page.links] == ["https://example.org/yes"]
    assert [(refusal.rule, refusal.count, len(refusal.examples)) for refusal in page.refusals] == [
        ("scheme: mailto", 1, 1),
        ("scheme: javascript", 1, 1),
        ("scheme: other", 2, 2),
        ("bad_url", 1, 1),
        ("scope.exclude: */no/*", 4, 3),
        ("scope.stay_on: host", 1, 1),
    ]


def test_links_are_judged_one_hop_deeper_than_their_page():
    assert targets_of("<a href=/x>", scope=ScopeConfig(max_depth=3)) == ["/x"]
    assert targets_of("<a href=/x>", scope=ScopeConfig(max_depth=2)) == []


@pytest.mark.parametrize("base", ["<base href='javascript:x'>", "<base href='http://['>", "<base>", ""])
def test_an_unusable_base_is_the_pages_own_url(base):
    assert targets_of(f"{base}<a href=x>") == ["/dir/x"]


def test_the_record_lists_links_out_of_scope_too():
    record = record_of("<a href=http://other.test/#f>o</a><a href=mailto:x>m</a>")
    assert record["links"] == [{"url": "http://other.test/", "text": "o", "rel": None}]
    assert record["n_links"] == 2


def test_what_is_not_asked_for_is_null_and_links_are_followed_all_the_same():
    body = "<p>words</p><a href=/x>"
    record = record_of(body, extract=ExtractConfig(text="none", links=False))
    assert (record["text"], record["word_count"], record["links"], record["n_links"]) == (None, None, None, 1)
    assert targets_of(body, extract=ExtractConfig(text="none", links=False)) == ["/x"]


def test_whatever_was_cut_is_named():
    links = "".join(f"<a href=/{n}>{n}</a>" for n in range(10_001))
    record = record_of(f"<title>{'t' * 5000}</title>{links}")
    assert record["truncated"] == ["title", "links"]
    assert (len(record["title"]), len(record["links"]), record["n_links"]) == (4000, 10_000, 10_001)


def test_a_compressed_stream_cut_short_is_a_page_that_says_so():
    body = gzip.compress(b"<p>one two three</p>" * 100 + bytes(range(256)))[:-20]
    record = record_of(body, headers=(*HTML, (b"Content-Encoding", b"gzip")))
    assert record["truncated"] == ["body"]
    assert record["text"].startswith("one two three")


@pytest.mark.parametrize("encoding", [b"gzip", b"what"])
def test_a_body_that_cannot_be_decoded_fails_with_its_reason(encoding):
    failure = page_of("<p>\0", headers=(*HTML, (b"Content-Encoding", encoding)))
    assert isinstance(failure, ParseFailure)
    assert failure.reason == "bad_encoding"


def test_a_decoded_body_over_the_limit_is_too_large():
    failure = page_of(gzip.compress(bytes(1001)), headers=(*HTML, (b"Content-Encoding", b"gzip")), max_body_bytes=1000)
    assert isinstance(failure, ParseFailure)
    assert failure.reason == "too_large"


@pytest.mark.parametrize(
    ("content_type", "body", "is_html"),
    [
        (b"TEXT/HTML;x", "plain", True),
        (b"application/xhtml+xml", "<?xml?>", True),
        (b"text/plain", "<html>", False),
        (b"application/pdf", "<html>", False),
        (b"", "\n <!DOCTYPE html>", True),
        (b"nonsense", "<p >", True),
        (b"*/*", "\ufeff<html>", True),
        (None, "<!-- x", True),
        (b"text/", "<p>", True),
        (b"text/html charset=utf-8", "hello", True),
        (b"text/plain (html)", "<p>", False),
        (None, "<paragraph>", False),
        (None, "hello <html>", False),
        (None, "", False),
    ],
)
def test_html_is_known_by_its_label_and_unlabelled_by_its_first_tag(content_type, body, is_html):
    headers = () if content_type is None else ((b"content-type", content_type),)
    page = page_of(body, headers=headers)
    assert isinstance(page, Page)
    assert bool(page.records) is is_html
    assert page.reason == (None if is_html else "not_html")
    assert page.body_bytes == len(body.encode())


def test_what_an_unlabelled_body_is_may_not_be_looked_for_where_nosniff_forbids_it():
    assert page_of("<html>", headers=((b"X-Content-Type-Options", b"NoSniff"),)).reason == "not_html"


def test_of_two_labels_the_last_that_is_one_counts_and_of_two_codings_both():
    labels = ((b"Content-Type", b"text/plain"), (b"Content-Type", b"text/html"), (b"Content-Type", b"nonsense"))
    assert page_of("<p>", headers=labels).records
    codings = ((b"Content-Encoding", b"gzip"), (b"content-encoding", b"gzip"))
    assert record_of(gzip.compress(gzip.compress(b"<p>hello")), headers=(*HTML, *codings))["text"] == "hello"


def test_a_status_without_content_gives_no_record():
    assert page_of("", status=204) == Page(reason="empty")


def test_robots_are_parsed_for_our_agent():
    request = msgspec.structs.replace(REQUEST, kind=Kind.ROBOTS)
    page = page_of("User-agent: mybot\nDisallow: /a", request=request, headers=(), agent="mybot/1.0")
    assert page.robots.rules == ((False, "/a"),)
    assert (page.records, page.links) == ((), ())


def test_a_line_has_no_line_end_in_it_whatever_splits_it():
    body = '<html lang="a\u2028b"><a href=x rel="c\u0085d\u2029">\n<meta name=description content="e\u2028\x0b\nf">'
    ((_, line),) = page_of(body).records
    assert line.decode().splitlines() == [line.decode()]
    assert json.loads(line)["lang"] == "a\u2028b"


LINKED = (
    "<a href=/x rel='a\u2028b'>x\u0085 y</a><a href=/x>again</a><a href=http://other.test/#f></a><a href=mailto:x>m</a>"
)
LINK_ROWS = [
    {"source": URL, "target": "https://example.org/x", "text": "x y", "rel": "a\u2028b"},
    {"source": URL, "target": "http://other.test/", "text": "", "rel": None},
]


@pytest.mark.parametrize("in_record", [True, False])
def test_link_lines_say_what_the_record_says_of_links_or_would(in_record):
    extract = ExtractConfig(links=in_record)
    (pages, record), (links, lines) = page_of(LINKED, extract=extract, link_lines=True).records
    assert (pages, links) == ("pages", "links")
    assert [json.loads(line) for line in lines.decode().splitlines()] == LINK_ROWS
    assert record == page_of(LINKED, extract=extract).records[0][1]
    assert (json.loads(record)["links"] is not None) is in_record


def test_a_page_without_links_has_no_link_lines():
    ((sink, _),) = page_of("<a href=mailto:x>m</a>", link_lines=True).records
    assert sink == "pages"


@pytest.mark.parametrize("in_record", [True, False])
def test_link_lines_that_were_cut_are_named_in_the_record(in_record):
    body = "".join(f"<a href=/{n}>" for n in range(10_001))
    (_, record), (_, lines) = page_of(body, extract=ExtractConfig(links=in_record), link_lines=True).records
    assert json.loads(record)["truncated"] == ["links"]
    assert len(lines.splitlines()) == 10_000


def test_every_field_of_a_link_line_is_documented_in_the_schema():
    schema = msgspec.json.schema(LinkLine)["$defs"]["LinkLine"]
    assert all(field.get("description") for field in schema["properties"].values())
    assert schema["required"] == ["source", "target", "text", "rel"]


@pytest.mark.slow
def test_facts_of_real_pages_are_those_that_two_other_parsers_agree_on():
    folder = corpus("pagefacts")
    wrong = []
    rows = [json.loads(line) for line in (folder / "truth.jsonl").read_text().splitlines()]
    for row in rows:
        url = canonicalize(row["url"])
        request = msgspec.structs.replace(REQUEST, url=url)
        body = gzip.decompress((folder / row["page"]).read_bytes())
        record = record_of(body, request=request, headers=((b"Content-Type", b"text/html"),))
        truth = {name: row[name] for name in ("title", "lang", "description") if row[name] or name == "lang"}
        truth["canonical"] = row["canonical"] and canonicalize(row["canonical"])
        truth["links"] = list(dict.fromkeys(canonicalize(link) for link in row["links"]))
        truth["hreflang"] = [{"lang": lang, "url": canonicalize(target)} for lang, target in row["hreflang"]]
        truth["feeds"] = [canonicalize(feed) for feed in row["feeds"]]
        truth["needs_js"] = False
        record["links"] = [link["url"] for link in record["links"]]
        record["feeds"] = [feed["url"] for feed in record["feeds"]]
        wrong += [(row["id"], name) for name, value in truth.items() if record[name] != value]
    assert len(rows) > 40
    assert wrong == []


@pytest.mark.slow
def test_parser_workers_load_neither_asyncio_nor_aiohttp():
    code = "import sys, crawler.extract.page; print({'asyncio', 'aiohttp'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.slow
def test_without_rules_a_parser_does_not_load_what_they_need():
    code = "import sys, crawler.extract.page; print({'jmespath', 'crawler.extract.scraping'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.slow
def test_the_main_process_of_a_crawl_does_not_load_what_parsers_need():
    code = "import sys, crawler.build, crawler.cli.running; print({'jmespath', 'selectolax'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_compressed_robots_that_ends_early_forbids_who_knows_what():
    robots = msgspec.structs.replace(REQUEST, kind=Kind.ROBOTS)
    packed = gzip.compress(b"User-agent: *\n" + b"# a remark\n" * 2000 + b"Disallow: /private\n")
    headers = ((b"Content-Encoding", b"gzip"),)
    assert page_of(packed, headers=headers, request=robots).robots.rules
    failure = page_of(packed[: len(packed) // 2], headers=headers, request=robots)
    assert failure.reason == "bad_encoding"


def test_large_robots_is_read_as_far_as_the_limit_whatever_max_body_says():
    robots = msgspec.structs.replace(REQUEST, kind=Kind.ROBOTS)
    lines = b"User-agent: *\nDisallow: /private\n" + b"Disallow: /x\n" * 60_000
    headers = ((b"Content-Encoding", b"gzip"),)
    rules = page_of(gzip.compress(lines), headers=headers, request=robots, max_body_bytes=1000).robots.rules
    assert rules[0] == (False, "/private")
