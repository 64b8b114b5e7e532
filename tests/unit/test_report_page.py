"""A report's page tells all that it is given, is of bounded size, and cannot be turned against its reader."""

from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser

import msgspec
import pytest
from selectolax.lexbor import LexborHTMLParser

from crawler.models import Outcome
from crawler.report import facts
from crawler.report.page import MAX_BYTES, html
from crawler.report.page_cut import BOUNDS, cut
from tests.support.reports import BEGAN, EMPTY, a_report, with_every_text

REPORT = a_report()
HOSTILE = "</td></table></style></script><script>alert(1)</script><img src=x onerror=alert(2)>'\"&amp;\u202e\x1b[2J"


def parsed(report):
    return LexborHTMLParser(html(report).decode())


def text_of(report):
    return parsed(report).body.text()


def strings(value):
    match value:
        case str():
            yield value
        case tuple() | list():
            for item in value:
                yield from strings(item)
        case dict():
            for key in value:
                yield from strings(key)
        case msgspec.Struct():
            for name in value.__struct_fields__:
                yield from strings(getattr(value, name))


class Balance(HTMLParser):
    """Finds ends without a beginning, and beginnings without an end."""

    VOID = ("br", "col", "hr", "link", "meta")

    def __init__(self):
        super().__init__()
        self.open, self.wrong = [], []

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append((tag, self.getpos()))


def test_every_text_of_a_report_is_on_its_page():
    report = a_report(items=8)
    shown = text_of(report)
    told = set(strings(msgspec.structs.replace(report, state="", config="")))
    assert {text for text in told if text not in shown} == set()
    assert all(line in shown for line in report.config.splitlines())


def test_counts_are_a_sum_that_can_be_checked():
    summed = parsed(REPORT).css_first(".sum").text()
    admitted, *terms = (int(word.replace(",", "")) for word in summed.split() if word[0].isdigit())
    assert admitted == REPORT.admitted == sum(terms)
    for end in (*Outcome, "pending"):
        assert end in summed


def test_counts_that_do_not_add_up_are_the_first_thing_told():
    wrong = msgspec.structs.replace(REPORT, admitted=REPORT.admitted + 1)
    assert "The counts do not add up" in parsed(wrong).css_first(".warnings li").text()
    assert "The counts do not add up" not in text_of(REPORT)


@pytest.mark.parametrize(
    ("changes", "badge"),
    [
        ({"state": "running", "stopped_by": None}, "running"),
        ({"complete": True, "stopped_by": None}, "complete"),
        ({"stopped_by": "budget.time"}, "stopped by budget.time"),
        ({"state": "unfinished", "stopped_by": "stop"}, "interrupted"),
        ({"state": "unfinished", "stopped_by": None}, "unfinished"),
    ],
)
def test_how_it_ended_stands_beside_the_name(changes, badge):
    assert parsed(msgspec.structs.replace(REPORT, **changes)).css_first("h1").text() == f"stationers {badge}"


@pytest.mark.parametrize(
    ("changes", "typed"),
    [
        ({}, "crawler crawl -d data/stationers --resume --set budget.pages=null"),
        ({"stopped_by": "stop", "directory": "my data"}, "crawler crawl -d 'my data' --resume"),
        ({"stopped_by": None, "state": "unfinished"}, "crawler crawl -d data/stationers --resume"),
        (
            {"pages_file": "/data/my pages.jsonl"},
            "crawler crawl -d data/stationers --resume -o '/data/my pages.jsonl' --set budget.pages=null",
        ),
    ],
)
def test_what_is_left_says_how_to_go_on(changes, typed):
    assert f"Go on with {typed}" in text_of(msgspec.structs.replace(REPORT, **changes))


@pytest.mark.parametrize("changes", [{"pending": 0}, {"state": "running"}, {"config": "a: 1\nfrontier: memory\n"}])
def test_what_cannot_be_gone_on_with_says_nothing_of_it(changes):
    assert "Go on with" not in text_of(msgspec.structs.replace(REPORT, **changes))


@pytest.mark.parametrize(
    ("filled", "rejects", "told"),
    [(9, 0, ["9", "90.0 %"]), (9, 8, ["9", "50.0 %"]), (18, 8, ["18", "100.0 %"]), (None, 8, ["\N{EN DASH}"] * 2)],
)
def test_fields_are_told_as_shares_of_all_that_was_counted(filled, rejects, told):
    field = facts.Field(name="price", filled=filled)
    rule = facts.Rule(name="shop", records=10, rejects=rejects, items=10 + rejects, pages=18, fields=(field,))
    page = parsed(msgspec.structs.replace(REPORT, rules=(rule,)))
    table = next(table for table in page.css("#rules table") if "price" in table.text())
    of = "records and rejects" if rejects else "records"
    assert table.css_first("caption").text() == f"Fields of shop: in how many {of} each is filled"
    assert [cell.text() for cell in table.css("tbody td, tbody th")][1:3] == told


def test_an_empty_report_says_what_there_was_none_of():
    page = parsed(EMPTY)
    assert [heading.text() for heading in page.css("h2")] == ["Counts", "What was asked"]
    assert "Nothing to tell of: needs a look, timeline, reasons," in page.css_first("footer").text()


def test_contents_lead_to_every_section():
    page = parsed(REPORT)
    assert [entry.attributes["href"] for entry in page.css("nav a")] == [
        "#report", *(f"#{section.id}" for section in page.css("main > section"))
    ]  # fmt: skip
    for entry in page.css("a[href^='#']"):
        assert page.css_first(entry.attributes["href"]), entry.html


def test_tables_have_captions_and_heads_and_are_sorted_as_they_say():
    for table in parsed(a_report(hosts=30, items=30, seed=5)).css("table"):
        assert table.css_first("caption").text()
        heads = table.css("thead th")
        assert all(head.attributes["scope"] == "col" for head in heads)
        assert all(row.css_first("th[scope=row]") for row in table.css("tbody tr"))
        for place, head in enumerate(heads):
            if order := head.attributes.get("aria-sort"):
                rows = [row.css("th, td")[place] for row in table.css("tbody tr")]
                values = [float(cell.attributes["data-value"]) for cell in rows]
                assert values == sorted(values, reverse=order == "descending"), table.css_first("caption").text()


def test_charts_are_named_and_described():
    charts = parsed(REPORT).css("svg.chart")
    assert [chart.css_first("title").text() for chart in charts] == [
        "Throughput", "Failures", "Bodies after decoding", "Answers by how long they took",
    ]  # fmt: skip
    assert all(chart.css_first("desc").text() in chart.attributes["aria-label"] for chart in charts)


@pytest.mark.parametrize("report", [EMPTY, REPORT, with_every_text(REPORT, HOSTILE)], ids=["empty", "full", "hostile"])
def test_elements_are_closed_in_the_order_they_were_opened(report):
    balance = Balance()
    balance.feed(html(report).decode())
    assert (balance.wrong, balance.open) == ([], [])


def test_nothing_of_a_site_becomes_markup():
    page = parsed(with_every_text(REPORT, HOSTILE))
    assert [len(page.css(name)) for name in ("script", "style", "link", "meta", "img", "iframe", "form")] == [
        *(1, 1, 1, 6), *(0, 0, 0),
    ]  # fmt: skip
    for node in page.css("*"):
        names = set(node.attributes)
        assert not any(name.startswith("on") for name in names)
        assert not names & {"src", "style", "srcset", "action", "formaction", "xlink:href"}
    links = {node.attributes["href"] for node in page.css("a")}
    assert all(link.startswith("#") for link in links), "what is no whole URL is no link"
    assert "\u202e" not in page.html
    assert "\x1b" not in page.html
    assert "\\u202e" in page.body.text()


def test_browsers_are_told_to_run_what_is_ours_and_to_load_nothing():
    page = parsed(REPORT)
    policy = page.css_first("meta[http-equiv=Content-Security-Policy]").attributes["content"]
    digests = [
        f"'sha256-{b64encode(sha256(page.css_first(name).text().encode()).digest()).decode()}'"
        for name in ("style", "script")
    ]
    assert policy == (
        f"default-src 'none'; style-src {digests[0]}; script-src {digests[1]}; img-src data:; base-uri 'none'; "
        "form-action 'none'"
    )


def test_links_of_a_site_tell_it_nothing():
    links = [node for node in parsed(REPORT).css("a") if not node.attributes["href"].startswith("#")]
    assert links
    assert {node.attributes["rel"] for node in links} == {"noopener noreferrer nofollow"}


@pytest.mark.slow
def test_a_page_of_many_hosts_and_full_lists_is_small():
    assert len(html(a_report(hosts=250, items=200, steps=3_000))) < MAX_BYTES / 2


@pytest.mark.slow
def test_a_site_of_endless_urls_makes_no_endless_page():
    page = html(with_every_text(a_report(hosts=250, items=200), "a" * 1_900))
    assert len(page) <= MAX_BYTES
    assert b"Lists and texts are cut on this page" in page
    huge = msgspec.structs.replace(a_report(hosts=300, items=1_500), config="a: 1\n" * 10**6)
    assert len(html(huge)) <= MAX_BYTES


def test_what_is_cut_says_so_and_counts_stay():
    long = msgspec.structs.replace(REPORT, name="a" * 300, config="key: 1\n" * 20_000)
    kept = cut(long, BOUNDS[-1])
    assert kept.name == "a" * 99 + "…"
    assert kept.config.endswith("\n…")
    assert len(kept.config) == BOUNDS[-1].configuration + 2
    assert (kept.admitted, kept.n_hosts, kept.timeline) == (long.admitted, long.n_hosts, long.timeline)
    assert cut(REPORT, BOUNDS[0]) is REPORT


@pytest.mark.parametrize(
    "timeline",
    [
        facts.Timeline(),
        facts.Timeline(pages=(0, 0), failed=(0, 0), others=(0, 0), body_bytes=(0, 0)),
        facts.Timeline(began_at=BEGAN, step_s=1, pages=(3,), failed=(0,), others=(0,), body_bytes=(900,)),
        facts.Timeline(began_at=BEGAN, step_s=0, pages=(3,), failed=(1,), others=(0,), body_bytes=(0,)),
        facts.Timeline(began_at=1e300, step_s=1e300, pages=(3, 1), failed=(1,), others=(), body_bytes=(10**30,)),
        facts.Timeline(began_at=BEGAN, step_s=86_400, pages=(1,) * 9_999, failed=(), others=(), body_bytes=()),
    ],
    ids=["none", "nothing", "one step", "no time", "beyond all calendars", "of many years"],
)
def test_any_timeline_can_be_drawn(timeline):
    page = parsed(msgspec.structs.replace(REPORT, timeline=timeline))
    assert bool(page.css_first("#timeline")) == bool(sum(timeline.pages))


@pytest.mark.parametrize(
    "latency",
    [
        facts.Latency(count=3, bounds_s=(), buckets=()),
        facts.Latency(count=1, p50_s=0.2, p90_s=0.2, p99_s=0.2, max_s=0.2, bounds_s=(0.1, 1), buckets=(0, 1, 0)),
        facts.Latency(count=1, p50_s=9, p90_s=9, p99_s=9, max_s=9, bounds_s=(0.1, 1), buckets=(0, 0, 1)),
        facts.Latency(count=1, bounds_s=(0.0,), buckets=(1, 0)),
    ],
)  # fmt: skip
def test_any_latency_can_be_drawn(latency):
    host = msgspec.structs.replace(REPORT.hosts[0], latency=latency)
    assert parsed(msgspec.structs.replace(REPORT, latency=latency, hosts=(host,))).css_first("#latency")


def test_hosts_without_a_row_are_added_up_below_the_others():
    for section, of_all in (("#hosts", "120"), ("#latency", "120")):
        foot = parsed(REPORT).css_first(f"{section} tfoot tr")
        assert [cell.text() for cell in foot.css("th, td")][:2] == ["all other hosts", of_all]


def test_what_was_not_stored_is_not_shown_as_nothing():
    host = facts.Host(host="a.test", pages=1, requests=None, waited_s=None)
    page = parsed(msgspec.structs.replace(EMPTY, hosts=(host,), n_hosts=1))
    cells = {cell.attributes.get("data-label"): cell.text() for cell in page.css("#hosts tbody td")}
    assert cells["Requests"] == cells["Waited"] == "\N{EN DASH}"
    assert cells["Failed"] == "0"
