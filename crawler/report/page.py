"""How does a report look? One HTML file that needs nothing else: no network, no script to be read, no font.

Its policy for browsers (CSP) lets its own style and script run, by their digests, and nothing be loaded. Everything
that comes from elsewhere is text. Without script, tables are sorted as their captions say; on paper all is unfolded.
"""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from crawler.report import (
    page_answers,
    page_attention,
    page_changes,
    page_content,
    page_hosts,
    page_mined,
    page_overview,
    page_timeline,
)
from crawler.report.markup import Html, joined, shown, tag, trusted
from crawler.report.page_cut import BOUNDS, cut
from crawler.report.page_tables import moment
from crawler.wording import printable, size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crawler.report.facts import Report
    from crawler.report.page_tables import Section

MAX_BYTES: Final = 3_000_000
_PARTS: Final = (
    *(page_attention.attention, page_overview.counts, page_changes.changes, page_overview.asked),
    *(page_timeline.timeline, page_answers.reasons, page_answers.answers, page_answers.depth),
    *(page_hosts.latency, page_hosts.hosts, page_hosts.robots, page_hosts.refusals),
    *(page_content.rules, page_content.standing_out, page_content.dead_links, page_content.duplicates),
    *(page_mined.near_duplicates, page_mined.importance, page_mined.keywords),
    *(page_answers.languages, page_mined.languages, page_content.truncated, page_content.traps),
    *(page_overview.runs, page_overview.configuration),
)


def html(report: Report) -> bytes:
    """`report` as a page, UTF-8, at most `MAX_BYTES`: else lists and texts are cut, which it says."""
    page = b""
    for place, bounds in enumerate(BOUNDS):
        kept = cut(report, bounds)
        if place:
            told = f"Lists and texts are cut on this page, which would be larger than {size(MAX_BYTES)}."
            kept = msgspec.structs.replace(kept, remarks=(*kept.remarks, told))
        page = _document(kept).encode("utf-8", "backslashreplace")
        if len(page) <= MAX_BYTES:
            break
    return page


def _document(report: Report) -> str:
    sections = [part(report) for part in _PARTS]
    title = f"{printable(report.name, 100)}: crawl report"
    return document(title, page_overview.head(report), sections, _foot(report, sections))


def document(title: str, head: Html, sections: Sequence[Section], foot: Html) -> str:
    """A whole page of these sections; those without a body are left out."""
    told = [section for section in sections if section.body]
    style, script = _asset("style.css"), _asset("script.js")
    policy = (
        f"default-src 'none'; style-src {_digest(style)}; script-src {_digest(script)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    page = tag(
        "html",
        tag(
            "head",
            tag("meta", charset="utf-8"),
            tag("meta", http_equiv="Content-Security-Policy", content=policy),
            tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
            tag("meta", name="referrer", content="no-referrer"),
            tag("meta", name="color-scheme", content="light dark"),
            tag("meta", name="robots", content="noindex"),
            tag("title", title),
            tag("link", rel="icon", href="data:,"),
            tag("style", trusted(style)),
        ),
        tag(
            "body",
            tag("a", "Skip to the report", class_="skip", href="#report"),
            _contents(told),
            tag("main", head, *map(_section, told), foot, id="report"),
            tag("div", role="status", class_="unseen"),
            tag("script", trusted(script)),
        ),
        lang="en",
    )
    return f"<!doctype html>\n{page}\n"


def _contents(sections: list[Section]) -> Html:
    entries = [tag("li", tag("a", section.title, _count(section), href=f"#{section.key}")) for section in sections]
    return tag("nav", tag("ul", tag("li", tag("a", "Top", href="#report")), *entries), aria_label="Contents")


def _count(section: Section) -> Html | None:
    return None if section.amount is None else joined((" ", tag("small", f"{section.amount:,}")))


def _section(section: Section) -> Html:
    title = tag("h2", section.title, id=f"{section.key}-title")
    return tag("section", title, section.body, id=section.key, aria_labelledby=f"{section.key}-title")


def _foot(report: Report, sections: list[Section]) -> Html:
    """What has no section because there was none of it, and who made this when."""
    absent = ", ".join(section.title.lower() for section in sections if section.title and not section.body)
    return tag(
        "footer",
        tag("p", f"Nothing to tell of: {absent}.") if absent else None,
        tag(
            "p", "Made by ", shown(report.version), " at ", moment(report.made_at), " UTC, of what was stored by then."
        ),
    )


@cache
def _asset(name: str) -> str:
    return Path(__file__).with_name(name).read_text("utf-8")


def _digest(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
