"""With --due, a refresh visits what changes often, and leaves what hardly does; budgets and sitemaps have a say."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.crawl.conftest import in_folder, options
from tests.support.changing import ChangingWeb
from tests.support.changing_pages import RULES
from tests.support.refreshes import age, history, told
from tests.support.server import Server

pytestmark = [pytest.mark.slow, pytest.mark.timeout(90)]

WEEK = 7 * 86_400.0
BUSY = range(1, 4)
"""Pages that change every week."""


class Weeks:
    """A crawl in `folder` that is refreshed week after week; its busy pages change each time."""

    def __init__(self, folder, server, web, *settings):
        self.web, self.server = web, server
        (folder / "rules.yaml").write_text(RULES)
        self._run = in_folder(folder)
        given = options(server, "checkpoint.every=100ms", *settings)
        first = self._run(*web.seeds(), "-c", "rules.yaml", *given)
        assert first.code == 0, first.stderr
        self.directory = first.directory

    def pass_by(self, *more, weeks=1, busy=BUSY):
        """Have a week pass, then refresh; the refresh, and what the server was asked for."""
        age(self.directory, weeks * WEEK)
        self.web.move()
        for host in range(self.web.hosts):
            for number in busy:
                self.web.change(host, number, "text")
        place = len(self.server.log.hits)
        ran = self._run("--refresh", *more)
        assert ran.code == 0, ran.stderr
        asked = {f"http://{hit.host}{hit.path}" for hit in self.server.log.since(place).hits}
        return ran, {url for url in asked if not url.endswith((".txt", ".xml"))}


def test_what_changes_often_is_visited_and_what_does_not_is_left_and_keeps_its_records(tmp_path):
    web = ChangingWeb(hosts=2, pages_per_host=8, styles=("etag", "noisy"))
    with Server(web) as server:
        weeks = Weeks(tmp_path, server, web)
        first, asked = weeks.pass_by("--due")
        assert len(asked) == 16  # of which nothing is known yet
        weeks.pass_by()
        second, asked = weeks.pass_by("--due")
        busy = {web.url(host, number) for host in range(2) for number in BUSY}
        assert asked == busy
        assert told(second) == web.expected()
        rows = {row["url"]: row for row in second.lines("changes.jsonl")}
        assert {row["reason"] for url, row in rows.items() if url not in busy} == {"not_due"}
        assert len(second.pages) == 16
        assert set(history(second.directory).items()) >= {(web.url(0, 1), (3, 3)), (web.url(0, 5), (2, 0))}
        _, asked = weeks.pass_by("--due", weeks=8)
        assert len(asked) == 16  # after so long, hardly anything is certain to be what it was
    assert first.lines("changes.jsonl")[0]["change"] in ("changed", "unchanged")


def test_a_sitemap_that_calls_a_page_newer_has_it_visited(tmp_path):
    web = ChangingWeb(hosts=1, pages_per_host=8, styles=("etag",), lastmods=("honest",))
    with Server(web) as server:
        weeks = Weeks(tmp_path, server, web, "sitemaps.follow=true")
        weeks.pass_by()
        weeks.pass_by()
        _, asked = weeks.pass_by("--due", busy=(7,))
    assert web.url(0, 7) in asked
    assert not {web.url(0, number) for number in (0, 4, 5, 6)} & asked


@pytest.mark.parametrize("kind", ["honest", "stale"])
def test_sitemaps_that_are_trusted_decide_alone_and_are_told_of_where_they_were_wrong(tmp_path, kind):
    web = ChangingWeb(hosts=1, pages_per_host=8, styles=("etag",), lastmods=(kind,))
    with Server(web) as server:
        weeks = Weeks(tmp_path, server, web, "sitemaps.follow=true")
        first, _ = weeks.pass_by()
        second, asked = weeks.pass_by("--set", "refresh.lastmod=trust")
    assert ("Do not set refresh.lastmod to trust" in first.stderr) == (kind == "stale")
    assert ("h0.test (3)" in second.stderr) == (kind == "stale")
    assert asked == ({web.url(0, number) for number in BUSY} if kind == "honest" else set())
    reasons = Counter(row["reason"] for row in second.lines("changes.jsonl"))
    assert reasons["lastmod"] == 8 - len(asked)
