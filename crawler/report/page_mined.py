"""What did `crawler mine` find? Near-duplicates, what is linked to most, what hosts are about, and languages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.report.markup import joined, shown, tag
from crawler.report.page_tables import (
    UNKNOWN,
    Cell,
    Column,
    Section,
    of_how_many,
    several_urls,
    table,
    url,
    whole,
)
from crawler.wording import counted

if TYPE_CHECKING:
    from crawler.report.facts import Report
    from crawler.report.markup import Html

_TERM = 60  # characters


def _section(report: Report, key: str, title: str, body: Html, amount: int) -> Section:
    """A part of the page; one without a name where nobody has mined the crawl, so that nothing is said of it."""
    return Section(key, title if report.mined.made_at is not None else "", body, amount)


def near_duplicates(report: Report) -> Section:
    """Pages that say nearly the same."""
    found = report.mined
    rows = [(several_urls(cluster.urls, cluster.pages), whole(cluster.pages)) for cluster in found.clusters]
    told = f"{counted(found.n_alike, 'page')} in {counted(found.n_clusters, 'cluster')} that say nearly the same"
    columns = (Column("Among them", kind="wide", is_sortable=False), Column("Pages", is_number=True))
    body = table(f"{told}, the largest first", columns, rows, by="Pages")
    return _section(report, "near", "Near-duplicates", body, found.n_clusters)


def importance(report: Report) -> Section:
    """The pages and hosts that are linked to most."""
    found = report.mined
    pages = table(
        of_how_many("page", len(found.ranks), found.n_ranks, "by PageRank among the pages of the crawl"),
        (
            *(Column("Page", kind="wide"), Column("PageRank", is_number=True), Column("Linked from", is_number=True)),
            *(Column("On hosts", is_number=True), Column("Links to", is_number=True)),
        ),
        [
            (url(page.url), _rank(page.rank), whole(page.in_links), whole(page.in_hosts), whole(page.out_links))
            for page in found.ranks
        ],
        by="PageRank",
    )
    hosts = table(
        of_how_many("host", len(found.host_ranks), found.n_host_ranks, "by PageRank among the hosts"),
        (
            *(Column("Host", kind="wide"), Column("PageRank", is_number=True), Column("Pages", is_number=True)),
            *(Column("Hosts that link to it", is_number=True), Column("Hosts it links to", is_number=True)),
        ),
        [
            (_name(host.host), _rank(host.rank), whole(host.pages), whole(host.in_hosts), whole(host.out_hosts))
            for host in found.host_ranks
        ],
        by="PageRank",
    )
    body = joined((pages, hosts)) if found.n_host_ranks > 1 else pages
    return _section(report, "ranks", "Most linked to", body, found.n_ranks)


def keywords(report: Report) -> Section:
    """What hosts are about."""
    found = report.mined
    columns = (
        *(Column("Host", kind="wide"), Column("Pages", is_number=True)),
        Column("Keywords", kind="wide", is_sortable=False),
    )
    rows = [
        (_name(host.host), whole(host.pages), Cell(_terms([word.term for word in host.keywords])))
        for host in found.host_keywords
    ]
    caption = of_how_many("host", len(rows), found.n_host_keywords, "with the words that tell each from the others")
    return _section(report, "keywords", "Keywords", table(caption, columns, rows, by="Pages"), found.n_host_keywords)


def languages(report: Report) -> Section:
    """Which languages hosts are in, and say they are."""
    found = report.mined
    columns = (
        *(Column("Host", kind="wide"), Column("Reads as", kind="word"), Column("Says it is", kind="word")),
        *(Column("Pages", is_number=True), Column("Words", is_number=True)),
    )
    rows = [
        (_name(row.host), _tongue(row.lang_detected), _tongue(row.lang), whole(row.pages), whole(row.words))
        for row in found.languages
    ]
    caption = of_how_many("row", len(rows), found.n_languages, "by host and language")
    return _section(report, "host-languages", "Languages by host", table(caption, columns, rows), found.n_languages)


def _rank(value: float) -> Cell:
    """A share of all ranks, in percent with three digits that count."""
    return Cell(f"{100 * value:#.3g}".rstrip(".") + " %", float(value), is_quiet=not value)


def _name(host: str) -> Cell:
    return Cell(shown(host, 200))


def _tongue(lang: str | None) -> Cell:
    return UNKNOWN if lang is None else Cell(tag("code", shown(lang, 20)))


def _terms(terms: list[str]) -> Html:
    return joined([shown(term, _TERM) for term in terms], ", ")
