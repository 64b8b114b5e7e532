"""`crawler init --from`: what it asks a site for, and whether what it writes is right, explained and usable."""

from __future__ import annotations

import json
import signal
import subprocess
from itertools import pairwise

import pytest
import yaml

from crawler.cli import run
from crawler.config.file import load
from crawler.demo.serve import running_shop
from tests.crawl.conftest import COMMAND, environment
from tests.support.server import Server
from tests.support.web import Reply

HTML = (("Content-Type", "text/html; charset=utf-8"),)
NASTY = "A\r\nB # }]: \u2028name: taken\u0085exclude: [x]\x1b[31m\ufeff' \" "


def page(body="", head=""):
    return Reply(200, HTML, f"<html><head>{head}</head><body><h1>Page</h1>{body}</body></html>".encode())


def links(*hrefs):
    return page("".join(f'<a href="{href}">{href}</a> ' for href in hrefs))


def described(kind, **facts):
    return page(head=f'<script type="application/ld+json">{json.dumps({"@type": kind, **facts})}</script>')


def robots(*lines):
    return Reply(200, (), "\n".join(("User-agent: *", *lines)).encode())


def sitemap(*urls):
    entries = "".join(f"<url><loc>{url}</loc></url>" for url in urls)
    text = f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{entries}</urlset>'
    return Reply(200, (("Content-Type", "application/xml"),), text.encode())


class Site:
    """Replies by host and path; 404 for others."""

    def __init__(self, replies):
        self.replies = replies

    def respond(self, host, path, visit=1):
        return self.replies.get(f"{host}{path}", Reply(404))


@pytest.fixture
def proposed(tmp_path, monkeypatch, capsys):
    """Run ``init --from``: exit code, output, errors and the server's log; files go to ``out``."""
    monkeypatch.chdir(tmp_path)

    def propose(replies, site="http://a.test/", *more, delay="0"):
        with Server(Site(replies)) as server:
            settings = (f'fetch.resolve={{"*.test": "127.0.0.1:{server.port}"}}', "parse.backend=inline")
            options = [f"--set={setting}" for setting in (*settings, f"limits.default.delay={delay}", *more)]
            code = run(["init", "out", "--from", site, *options])
        out, err = capsys.readouterr()
        propose.hits, propose.out = server.log.hits, out
        return code, out, err, [f"{hit.host}{hit.path}" for hit in server.log.hits]

    return propose


@pytest.fixture
def written(tmp_path):
    """The configuration that was written, its text, and whatever else there is."""

    def read(name="crawl.yaml"):
        path = tmp_path / "out" / name
        text = path.read_text(encoding="utf-8")
        return (load(path).config if name == "crawl.yaml" else None), text

    return read


@pytest.mark.slow
def test_what_is_proposed_for_the_shop_crawls_it_and_takes_its_records(tmp_path):
    def crawler(*arguments):
        command = [*COMMAND, *arguments]
        return subprocess.run(
            command, capture_output=True, cwd=tmp_path, env=environment(), text=True, timeout=60, check=False
        )

    with running_shop() as url:
        done = crawler("init", "shop", "--from", url, "--set", "limits.default.delay=2ms")
        assert done.returncode == 0, done.stderr
        assert "products takes Product of 2 pages: name, sku, price, currency" in done.stdout
        checked = crawler("check", "shop/crawl.yaml")
        assert checked.returncode == 0
        # one of its pages fails at first, on purpose, and would be tried again five seconds later
        quick = "scope.exclude=['*/stock', '/\\/basket([/?]|$)/']"
        crawled = crawler("crawl", "-c", "shop/crawl.yaml", "-d", "data", "--set", quick)
    assert crawled.returncode == 0, crawled.stderr
    products = [json.loads(line) for line in (tmp_path / "data" / "products.jsonl").read_text().splitlines()]
    assert len(products) == 40
    assert all(product["name"] and product["sku"] and product["price"] for product in products)
    assert (tmp_path / "data" / "products.rejects.jsonl").exists() is False
    assert len((tmp_path / "data" / "articles.jsonl").read_text().splitlines()) == 10
    excluded = [json.loads(line)["url"] for line in (tmp_path / "data" / "pages.jsonl").read_text().splitlines()]
    assert not any("basket" in one for one in excluded)


@pytest.mark.slow
def test_pages_are_of_different_kinds_and_no_more_than_six_beside_the_first(proposed):
    hrefs = [f"/{kind}/{number}" for kind in "abcdefghij" for number in range(9)]
    replies = {"a.test/": links(*hrefs)} | {f"a.test{href}": page() for href in hrefs}
    code, _, _, asked = proposed(replies)
    assert code == 0
    assert asked[:3] == ["a.test/robots.txt", "a.test/", "a.test/sitemap.xml"]
    assert len(asked) == 9
    assert len({path.split("/")[1] for path in asked[3:]}) == 6


def test_nothing_is_asked_for_that_robots_txt_disallows_or_that_does_something(proposed):
    replies = {
        "a.test/robots.txt": robots("Disallow: /private/"),
        "a.test/": links("/private/1", "/private/2", "/cart", "/login?next=/", "/file.pdf", "/list?page=2", "/ok"),
        "a.test/ok": page(),
    }
    *_, asked = proposed(replies)
    assert asked == ["a.test/robots.txt", "a.test/", "a.test/sitemap.xml", "a.test/ok"]


@pytest.mark.slow
def test_pace_is_what_robots_txt_asks_for_and_is_kept_while_looking(proposed, written):
    replies = {"a.test/robots.txt": robots("Crawl-delay: 0.2"), "a.test/": links("/x"), "a.test/x": page()}
    code, *_ = proposed(replies)
    config, text = written()
    assert (code, config.limits.default.delay_s) == (0, 0.2)
    starts = [hit.at for hit in proposed.hits]
    assert min(after - before for before, after in pairwise(starts)) >= 0.2
    assert "# robots.txt asks for 200ms between two requests (Crawl-delay)" in text


def test_a_pace_that_was_asked_for_is_never_undercut(proposed, written):
    proposed({"a.test/robots.txt": robots("Crawl-delay: 0.01"), "a.test/": page()}, delay="50ms")
    assert written()[0].limits.default.delay_s == 0.05


def test_sitemaps_of_robots_txt_are_followed_and_say_how_long_a_crawl_takes(proposed, written):
    replies = {
        "a.test/robots.txt": robots("Sitemap: http://a.test/map.xml"),
        "a.test/map.xml": sitemap(*(f"http://a.test/p/{number}" for number in range(300))),
        "a.test/": page(),
        "a.test/p/0": page(),
    }
    _, out, _, asked = proposed(replies, delay="10ms")
    config, text = written()
    assert config.sitemaps.follow is True
    assert config.budget.pages is None
    assert "# Its sitemaps list 300 URLs: ~3 s at this pace" in text
    assert "a.test/p/0" in asked
    assert "1 sitemap" in out


def test_a_sitemap_that_nobody_names_becomes_a_seed(proposed, written):
    proposed({"a.test/": page(), "a.test/sitemap.xml": sitemap("http://a.test/x")})
    assert written("seeds.txt")[1].splitlines()[1:] == ["http://a.test/", "sitemap:http://a.test/sitemap.xml"]
    assert written()[0].sitemaps.follow is False


def test_a_site_of_unknown_size_gets_a_budget_to_begin_with(proposed, written):
    proposed({"a.test/": page()})
    config, text = written()
    assert config.budget.pages == 1000
    assert "# No sitemap says how many pages it has" in text


def test_scope_leaves_out_what_was_seen_and_is_not_worth_reading(proposed, written):
    replies = {
        "a.test/": links(
            "/cart", "/shoes?sort=price", "/shoes?color=red", "/calendar/2024/05", "/x?utm_source=a", "/cartography"
        )
    }
    proposed(replies)
    config, text = written()
    excluded = config.scope.exclude
    assert excluded == ("/\\/cart([/?]|$)/", "/[?&]color=/", "/[?&]sort=/", "*/calendar/*")
    assert config.urls.drop_params == ("utm_*",)
    assert "# cart: to act on, not to read; seen once, http://a.test/cart" in text


def test_a_site_spread_over_hosts_of_a_domain_is_crawled_as_a_domain(proposed, written):
    proposed({"www.a.test/": links(*(f"http://shop.a.test/{n}" for n in range(5)))}, "http://www.a.test/")
    assert written()[0].scope.stay_on == "domain"
    assert "# Links to other hosts of a.test: 5, such as to shop.a.test; more than to this one" in written()[1]


def test_a_redirect_to_another_host_is_followed_and_told(proposed, written):
    replies = {"a.test/": Reply(301, (("Location", "http://www.a.test/home"),)), "www.a.test/home": page()}
    _, out, _, _ = proposed(replies)
    assert written("seeds.txt")[1].splitlines()[1:] == ["http://www.a.test/home"]
    assert "Note: http://a.test/ redirects to http://www.a.test/home, on another host" in out
    assert "# NOTE: http://a.test/ redirects" in written()[1]


def test_a_site_that_scripts_fill_is_told_to_be_one(proposed, written):
    bare = Reply(200, HTML, b'<html><body><div id="root"></div><script src="/app.js"></script></body></html>')
    _, out, _, _ = proposed({"a.test/": bare}, "http://a.test/")
    assert "pages seem to be filled by scripts, 1 of 1" in out
    assert "# NOTE: pages seem to be filled by scripts, 1 of 1" in written()[1]


def test_rules_come_with_examples_and_count_what_is_missing(proposed, written):
    replies = {
        "a.test/": links("/p/1", "/p/2"),
        "a.test/p/1": described("Product", name="Lamp", sku=7, offers=[{"price": 9.5, "priceCurrency": "EUR"}]),
        "a.test/p/2": described("Product", name="Chair", sku=8, offers={"price": "12.00"}, brand={"name": "X"}),
    }
    code, _, _, _ = proposed(replies)
    assert code == 0
    [rule] = yaml.safe_load(written("rules.yaml")[1])
    assert rule["match"] == "*/p/*"
    assert rule["unique"] == ["sku"]
    assert rule["fields"]["price"] == {"json": "[offers][] | [0].price", "type": "decimal"}
    assert "# Lamp" in written("rules.yaml")[1]
    assert "# X (1 of 2)" in written("rules.yaml")[1]
    assert written()[0].extract.rules[0].name == "products"


def test_microdata_gives_rules_too_and_each_item_of_a_list_its_record(proposed, written):
    def item(name, price):
        offer = f'<div itemprop=offers itemscope><meta itemprop=price content="{price}"></div>'
        return f'<div itemscope itemtype="http://schema.org/Product"><b itemprop=name>{name}</b>{offer}</div>'

    replies = {
        "a.test/": links("/p/1", "/p/2", "/list/all"),
        "a.test/p/1": page(item("Lamp", "9.50")),
        "a.test/p/2": page(item("Chair", "12")),
        "a.test/list/all": page(item("Lamp", "9.50") + item("Chair", "12")),
    }
    assert proposed(replies)[0] == 0
    [rule] = yaml.safe_load(written("rules.yaml")[1])
    assert rule["fields"]["price"] == {"json": "properties.offers[0].properties.price[0]", "type": "decimal"}
    assert "# Product of schema.org, as microdata on 3 pages" in written("rules.yaml")[1]
    assert "products takes Product of 3 pages: name, price" in proposed.out


def test_a_type_that_some_value_does_not_have_is_not_demanded(proposed, written):
    replies = {
        "a.test/": links("/p/1", "/p/2"),
        "a.test/p/1": described("Product", name="Lamp", url="http://[bad"),
        "a.test/p/2": described("Product", name="Chair", url="http://a.test/p/2"),
    }
    proposed(replies)
    assert "type" not in yaml.safe_load(written("rules.yaml")[1])[0]["fields"]["url"]


def test_what_a_site_says_cannot_leave_its_comment_or_quotes(proposed, written):
    odd = {NASTY: "x", "name": NASTY, "a: b": "y", "-": "z", "#": "w", "headline": "\u2029x\n- name: evil"}
    replies = {
        "a.test/robots.txt": robots("Crawl-delay: 0.01"),
        "a.test/": links("/p/%0Aname:%20x", "/p/'%22}]", "/cart?x=%23'%22"),
        "a.test/p/%0Aname:%20x": described("Product", **odd),
        "a.test/p/'%22}]": described("Product", **odd),
    }
    code, out, err, _ = proposed(replies)
    assert code == 0
    config, text = written()
    assert config.name == "a.test"
    rules = yaml.safe_load(written("rules.yaml")[1])
    assert [rule["name"] for rule in rules] == ["products"]
    for told in (text, written("rules.yaml")[1], out, err):
        assert all(character == "\n" or (character.isprintable()) for character in told)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("replies", "site", "told"),
    [
        ({"a.test/robots.txt": robots("Disallow: /")}, "http://a.test/x", "robots.txt disallows it (Disallow: /)"),
        ({}, "http://a.test/x", "http_404, Not Found: the server has no such page"),
        ({"a.test/": Reply(302, (("Location", "/"),))}, "http://a.test/", "http_302, Found: it redirects in a circle"),
        ({"a.test/": Reply(429)}, "http://a.test/", "http_429, Too Many Requests: try again later, at a pace"),
        ({"a.test/": page("x" * 2000)}, "http://a.test/", "or allow more: --set fetch.max_body"),
        ({"a.test/": Reply(200, (("Content-Type", "image/png"),), b"PNG")}, "http://a.test/", "is image/png; expected"),
        ({"a.test/robots.txt": Reply(503)}, "http://a.test/", "try again later"),
        ({}, "http://nowhere.invalid/", "is the name spelt right?"),
        ({}, "http://127.0.0.1:1/", "does the server run"),
    ],
)  # fmt: skip
def test_without_a_page_nothing_is_written_and_the_reason_is_told(proposed, tmp_path, replies, site, told):
    code, out, err, _ = proposed(replies, site, "fetch.timeout=2s", "fetch.max_body=1KiB")
    assert (code, out) == (3, "")
    assert told in err
    assert "Nothing was written." in err
    assert not (tmp_path / "out").exists()


def test_what_is_set_by_option_is_kept_and_secrets_are_left_out(proposed, written, monkeypatch):
    monkeypatch.setenv("TOKEN", "open")
    headers = 'fetch.headers={Authorization: "Bearer ${TOKEN}", X-Key: sesame}'
    options = ("name=mine", "limits.default.rate=50/s", headers, "budget.pages=7", "limits.concurrency=3")
    code, out, err, _ = proposed({"a.test/": page()}, "http://a.test/", *options, delay="null")
    config, text = written()
    assert code == 0
    assert (config.name, config.budget.pages, config.limits.concurrency) == ("mine", 7, 3)
    assert (str(config.limits.default.rate_per_s), config.limits.default.delay_s) == ("50/s", None)
    assert "Bearer ${TOKEN}" in text
    assert not any(secret in told for secret in ("sesame", "open") for told in (text, out, err))


@pytest.mark.slow
def test_a_host_without_tls_is_asked_over_http(proposed, written):
    with running_shop() as url:
        code, _, err, _ = proposed({}, url.removeprefix("http://"))
    assert code == 0
    assert f"looking at {url}/\n" in err
    assert written("seeds.txt")[1].splitlines()[1:] == [f"{url}/"]


@pytest.mark.parametrize("name", ["crawl.yaml", "seeds.txt", "rules.yaml"])
def test_nobody_is_asked_where_a_file_is_in_the_way(proposed, tmp_path, name):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).write_text("mine")
    code, _, err, asked = proposed({"a.test/": page()})
    assert (code, asked) == (2, [])
    assert "exists already" in err
    assert [path.read_text() for path in (tmp_path / "out").iterdir()] == ["mine"]


@pytest.mark.slow
def test_an_interrupt_leaves_nothing_behind(tmp_path):
    class Silent(Site):
        def respond(self, host, path, visit=1):
            return Reply(200, HTML, b"<p>late", delay_s=15.0)

    with Server(Silent({})) as server:
        arguments = ["init", "out", "--from", f"http://127.0.0.1:{server.port}/"]
        process = subprocess.Popen([*COMMAND, *arguments], cwd=tmp_path, env=environment(), stderr=subprocess.PIPE)
        process.stderr.readline()  # looking at …
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=10)
    assert process.returncode == 130, err
    assert b"Traceback" not in err
    assert not (tmp_path / "out").exists()
