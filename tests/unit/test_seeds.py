from __future__ import annotations

import gzip
import io
import itertools
import os
import re

import msgspec
import pytest

from crawler.config import UrlsConfig
from crawler.errors import ConfigError, UrlError
from crawler.models import SITEMAP_PRIORITY, Kind
from crawler.seedfile import MAX_LINE_BYTES
from crawler.seeds import Seed, read_seeds, seed_request, single_seed


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def stream(text):
    return io.BytesIO(text if isinstance(text, bytes) else text.encode())


def places(seeds):
    return [(seed.place, seed.url or seed.error) for seed in seeds]


@pytest.mark.parametrize(
    ("item", "url"),
    [
        ("http://example.org/a#b", "http://example.org/a"),
        ("HTTPS://Example.ORG", "https://example.org/"),
        ("example.org", "https://example.org/"),
        ("example.org:8080", "https://example.org:8080/"),
        ("example.org/path?q#f", "https://example.org/path?q"),
        ("example.org:80/path", "https://example.org:80/path"),
        ("localhost", "https://localhost/"),
        ("localhost:8000", "https://localhost:8000/"),
        ("localhost/a", "https://localhost/a"),
        ("127.0.0.1:8080", "https://127.0.0.1:8080/"),
        ("[::1]:8080", "https://[::1]:8080/"),
        ("[::1]/a", "https://[::1]/a"),
        ("bücher.example", "https://xn--bcher-kva.example/"),
        ("bücher.example/ä", "https://xn--bcher-kva.example/%C3%A4"),
        ("例え.テスト", "https://xn--r8jz45g.xn--zckzah/"),
        (" example.org ", "https://example.org/"),
        ("example.org?a@b", "https://example.org/?a@b"),
    ],
)
def test_an_item_is_a_url_or_a_host_tried_as_https(item, url):
    expected = Seed(given=item.strip(), url=url, place="argument 1")
    assert list(read_seeds([item])) == [expected]
    assert [seed.url for seed in read_seeds(["-"], stdin=stream(item))] == [url]


@pytest.mark.parametrize(
    "item", ["ftp://example.org/", "http://[", "mailto:me@example.org", "me@example.org", "two words", "a:b:c", "::1"]
)
def test_a_bad_item_is_a_seed_with_an_error_and_the_next_is_read(item):
    bad, good = read_seeds([item, "example.org"])
    assert (bad.given, bad.url, bad.place) == (item, None, "argument 1")
    assert item in bad.error
    assert (good.url, good.error, good.place) == ("https://example.org/", None, "argument 2")


@pytest.mark.parametrize("item", ["bad url", "a:b:c", "::1", "me@example.org", "a" * 300])
def test_what_is_no_host_is_quoted_as_it_was_written(item):
    (bad,) = read_seeds([item])
    assert bad.error.endswith("is neither a URL nor a host")
    assert "https" not in bad.error
    assert bad.error.startswith(f"'{item[:200]}")
    assert len(bad.error) < 300


@pytest.mark.parametrize("item", ["", "  "])
def test_an_empty_item_is_a_mistake(item):
    with pytest.raises(ConfigError, match="argument 2 is an empty seed"):
        read_seeds(["example.org", item])


@pytest.mark.parametrize("item", ["crawl.yaml", "shops/crawl.YML"])
def test_a_configuration_is_no_seed_list(tmp_path, item):
    for _ in range(2):  # there is no such file, then there is
        with pytest.raises(ConfigError) as raised:
            read_seeds([item])
        assert str(raised.value).startswith(f"{item} is a configuration: crawler crawl -c {item}; ")
        (tmp_path / item).parent.mkdir(exist_ok=True)
        (tmp_path / item).touch()


def test_a_url_may_end_like_a_configuration():
    assert single_seed("https://example.org/openapi.yaml").url == "https://example.org/openapi.yaml"


@pytest.mark.parametrize("name", [b"caf\xe9.txt", b"caf\xe9.csv", b"caf\xe9.jsonl"])
def test_bytes_that_are_not_utf_8_are_shown_escaped_wherever_they_come_from(tmp_path, name):
    text = {b"txt": "a\n", b"csv": "url\na\n", b"jsonl": '{"url": "a"}\n'}[name.rpartition(b".")[2]]
    try:
        (tmp_path / os.fsdecode(name)).write_text(text, encoding="utf-8")
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    good, bad, odd = read_seeds([os.fsdecode(name), "https://example.org/\udcff", "https://example.org/\ud800"])
    assert good.place.startswith("caf\\xe9.")
    assert (bad.given, bad.url) == ("https://example.org/\\xff", None)
    assert (odd.given, odd.url) == ("https://example.org/\\ud800", None)
    for seed in (good, bad, odd):
        assert msgspec.json.decode(msgspec.json.encode(seed), type=Seed) == seed


@pytest.mark.parametrize("item", [" example.org ", "http://example.org/a", "localhost:80"])
def test_a_single_seed_is_read_as_in_a_list(item):
    assert [single_seed(item)] == list(read_seeds([item]))


@pytest.mark.parametrize(
    ("item", "told"),
    [
        ("list", "'list' is a list of seeds; expected one URL or host"),
        ("-", "'-' is a list of seeds"),
        ("sitemap:example.org", "'sitemap:example.org' is a list of seeds"),
        ("missing.txt", "'missing.txt' does not exist"),
        ("ftp://x/y", "'ftp://x/y' is not http or https but ftp; expected one URL or host"),
        ("two words", "'two words' is neither a URL nor a host; expected one URL or host"),
        ("", "an empty seed"),
    ],
)
def test_a_single_seed_is_never_a_list(tmp_path, item, told):
    (tmp_path / "list").write_text("example.org\n")
    with pytest.raises(ConfigError, match=re.escape(told)):
        single_seed(item)


@pytest.mark.parametrize(
    "item",
    [
        "seeds.txt",
        "hosts.CSV",
        "a.jsonl",
        "a.csv.gz",
        "lists/seeds",
        "./seeds",
        "../seeds",
        "/no/such",
        "~/seeds",
        "a\\b",
    ],
)
def test_a_missing_file_is_a_mistake_and_not_a_host(item):
    with pytest.raises(ConfigError, match="does not exist") as raised:
        read_seeds(["example.org", item])
    assert repr(item) in str(raised.value)


def test_an_existing_file_wins_over_a_host_of_its_name(tmp_path):
    (tmp_path / "example.org").write_text("example.com\n")
    assert [seed.url for seed in read_seeds(["example.org"])] == ["https://example.com/"]


def test_a_directory_is_refused(tmp_path):
    (tmp_path / "example.org").mkdir()
    with pytest.raises(ConfigError, match=r"is a directory.*https://example\.org"):
        read_seeds(["example.org"])


@pytest.mark.parametrize(
    ("item", "url"),
    [
        ("sitemap:https://example.org/maps/1.xml.gz?a#b", "https://example.org/maps/1.xml.gz?a"),
        ("Sitemap: http://example.org/map.xml", "http://example.org/map.xml"),
        ("sitemap:example.org/feed", "https://example.org/feed"),
        ("sitemap:example.org", "https://example.org/sitemap.xml"),
        ("SITEMAP:http://example.org:8080/", "http://example.org:8080/sitemap.xml"),
        ("sitemap:example.org?map", "https://example.org/?map"),
    ],
)
def test_a_sitemap_is_a_seed_of_its_kind_wherever_it_stands(tmp_path, item, url):
    (tmp_path / "seeds.txt").write_text(f"{item}\n")
    (tmp_path / "seeds.csv").write_text(f"name,url\na,{item}\n")
    (tmp_path / "seeds.jsonl").write_text(f'{{"url": "{item}"}}\n')
    seeds = list(read_seeds([item, "-", "seeds.txt", "seeds.csv", "seeds.jsonl"], stdin=stream(item)))
    assert [(seed.given, seed.url, seed.kind) for seed in seeds] == [(item, url, Kind.SITEMAP)] * 5
    request = seed_request(seeds[0])
    assert (request.kind, request.priority, request.seed) == (Kind.SITEMAP, SITEMAP_PRIORITY, item)
    assert msgspec.json.decode(msgspec.json.encode(seeds[0]), type=Seed) == seeds[0]


@pytest.mark.parametrize("item", ["sitemap:", "sitemap:ftp://example.org/", "sitemap:two words", "sitemap:sitemap:a"])
def test_a_sitemap_without_a_usable_url_is_a_bad_seed(item):
    (bad,) = read_seeds([item])
    assert (bad.given, bad.url) == (item, None)
    assert bad.error


def test_names_no_file_can_have_are_no_files():
    long_path = "./" + "a" * 5000
    with pytest.raises(ConfigError, match="does not exist"):
        read_seeds([long_path])
    with pytest.raises(ConfigError, match="does not exist"):
        read_seeds(["a\0b.txt"])


TEXT = "\ufeff# comment\r\n\r\nexample.org \r\n  # another\nhttp://example.org/#a # b\n\nhttp://[\nexample.com"


def test_a_text_file_is_a_seed_a_line(tmp_path):
    (tmp_path / "seeds.txt").write_bytes(TEXT.encode())
    seeds = list(read_seeds(["seeds.txt", "example.net"]))
    assert [(seed.place, seed.url) for seed in seeds] == [
        ("seeds.txt:3", "https://example.org/"),
        ("seeds.txt:5", "http://example.org/"),
        ("seeds.txt:7", None),
        ("seeds.txt:8", "https://example.com/"),
        ("argument 2", "https://example.net/"),
    ]
    assert [seed.given for seed in seeds[:2]] == ["example.org", "http://example.org/#a # b"]


def test_standard_input_is_a_stream_or_the_file_that_holds_it(tmp_path):
    spool = tmp_path / "spool"
    spool.write_bytes(TEXT.encode())
    expected = ["<stdin>:3", "<stdin>:5", "<stdin>:7", "<stdin>:8"]
    source = stream(TEXT)
    assert [seed.place for seed in read_seeds(["-"], stdin=source)] == expected
    assert not source.closed
    assert [seed.place for seed in read_seeds(["-"], stdin=spool)] == expected


def test_standard_input_must_be_there():
    with pytest.raises(ConfigError, match="needs standard input"):
        read_seeds(["-"])


def test_a_line_in_a_file_never_names_another_file(tmp_path):
    (tmp_path / "other.example").write_text("example.com")
    assert places(read_seeds(["-"], stdin=stream("other.example\nC:\\seeds"))) == [
        ("<stdin>:1", "https://other.example/"),
        ("<stdin>:2", "'C:\\\\seeds' is neither a URL nor a host"),
    ]


def test_undecodable_and_endless_lines_are_bad_seeds():
    endless = b"http://example.org/" + b"a" * 3 * MAX_LINE_BYTES
    seeds = list(read_seeds(["-"], stdin=stream(b"a.example\nb\xff.example\n" + endless + b"\nc.example\n" + endless)))
    assert [seed.place for seed in seeds] == [f"<stdin>:{n}" for n in range(1, 6)]
    assert [seed.error and seed.error[:11] for seed in seeds] == [
        None,
        "not UTF-8 (",
        "longer than",
        None,
        "longer than",
    ]
    assert seeds[1].given == "b\\xff.example"
    assert max(len(seed.given) for seed in seeds) < 300


def test_the_longest_line_passes():
    exact = b"example.org #".ljust(MAX_LINE_BYTES - 1) + b"\n"
    assert len(list(read_seeds(["-"], stdin=stream(exact + b"example.org")))) == 2
    assert [seed.url for seed in read_seeds(["-"], stdin=stream(b" " * (MAX_LINE_BYTES - 12) + b"example.org\n"))] == [
        "https://example.org/"
    ]


def test_files_are_streamed():
    class Endless(io.RawIOBase):
        def readline(self, size=-1):
            return b"example.org\n"

    seeds = read_seeds(["-"], stdin=Endless())
    assert len(list(itertools.islice(seeds, 1000))) == 1000


def test_jsonl_fields_beside_the_url_are_metadata(tmp_path):
    lines = [
        '\ufeff{"url": "example.org", "sku": 7, "tags": ["a"]}',
        "",
        '{"url": "http://["}',
        '{"link": "example.org"}',
        '{"url": 7}',
        '["example.org"]',
        "{",
        "[" * 10_000,
        '{"url": "http://example.org/\\u00e9"}',
    ]
    (tmp_path / "seeds.jsonl").write_text("\r\n".join(lines))
    first, *bad, last = read_seeds(["seeds.jsonl"])
    url = "https://example.org/"
    assert first == Seed(given="example.org", url=url, metadata={"sku": 7, "tags": ["a"]}, place="seeds.jsonl:1")
    assert [seed.place for seed in bad] == [f"seeds.jsonl:{n}" for n in range(3, 9)]
    assert all(seed.url is None and seed.error and len(seed.given) < 300 for seed in bad)
    assert (last.url, last.place) == ("http://example.org/%C3%A9", "seeds.jsonl:9")


def test_csv_columns_beside_the_url_are_metadata(tmp_path):
    rows = '\ufeffName, URL ,Note\r\nA,example.org,"two\nlines, ""quoted"""\r\n\r\n"B","http://example.com/?a,b",\r\n'
    (tmp_path / "seeds.csv").write_bytes(rows.encode())
    assert list(read_seeds(["seeds.csv"])) == [
        Seed(
            given="example.org",
            url="https://example.org/",
            metadata={"Name": "A", "Note": 'two\nlines, "quoted"'},
            place="seeds.csv:2",
        ),
        Seed(
            given="http://example.com/?a,b",
            url="http://example.com/?a,b",
            metadata={"Name": "B", "Note": ""},
            place="seeds.csv:5",
        ),
    ]


def test_bad_csv_rows_are_bad_seeds(tmp_path):
    rows = [
        b"url,n",
        b"http://example.org/?a,b,1",
        b"http://[,2",
        b"\xff,3",
        b"a" * 2 * MAX_LINE_BYTES,
        b",4",
        b"example.org,5",
    ]
    (tmp_path / "seeds.csv").write_bytes(b"\n".join(rows))
    *bad, good = read_seeds(["seeds.csv"])
    assert [seed.place for seed in bad] == [f"seeds.csv:{n}" for n in range(2, 7)]
    assert [seed.error[:10] for seed in bad[:1] + bad[2:4]] == ["3 fields w", "not UTF-8 ", "longer tha"]
    assert (good.url, good.place) == ("https://example.org/", "seeds.csv:7")


def test_a_quote_that_is_never_closed_does_not_swallow_the_file(tmp_path):
    lines = ['url,n\n"example.org,1\n', *["example.com,2\n"] * 20_000]
    (tmp_path / "seeds.csv").write_text("".join(lines))
    bad, *good = read_seeds(["seeds.csv"])
    assert bad.place == "seeds.csv:2"
    assert "not CSV" in bad.error
    assert f"skipped up to line {20_002 - len(good)}" in bad.error
    assert len(good) > 9_000
    assert good[-1].place == "seeds.csv:20002"


def test_csv_without_a_url_column_is_a_mistake(tmp_path):
    (tmp_path / "seeds.csv").write_text("link,name\nexample.org,a\n")
    with pytest.raises(ConfigError, match=r"no column called url.*link,name"):
        list(read_seeds(["seeds.csv"]))


def test_an_empty_file_has_no_seeds(tmp_path):
    for name in ("seeds.txt", "seeds.csv", "seeds.jsonl"):
        (tmp_path / name).touch()
    assert list(read_seeds(["seeds.txt", "seeds.csv", "seeds.jsonl"])) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [("a.txt.gz", "example.org\n"), ("A.JSONL.GZ", '{"url": "example.org"}\n'), ("a.csv.gz", "url\nexample.org\n")],
)
def test_files_may_be_compressed(tmp_path, name, text):
    (tmp_path / name).write_bytes(gzip.compress(text.encode()))
    assert [seed.url for seed in read_seeds([name])] == ["https://example.org/"]


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-9], lambda data: b"example.org", lambda data: data[:12] + b"\xff" * 40]
)
def test_a_damaged_file_ends_the_reading(tmp_path, damage):
    data = gzip.compress("".join(f"host{n}.example\n" for n in range(1000)).encode())
    (tmp_path / "seeds.txt.gz").write_bytes(damage(data))
    with pytest.raises(ConfigError, match=r"'seeds\.txt\.gz' cannot be read"):
        list(read_seeds(["seeds.txt.gz"]))


def test_a_file_that_vanishes_before_its_turn_is_a_config_error(tmp_path):
    path = tmp_path / "seeds.txt"
    path.write_text("example.org")
    seeds = read_seeds(["example.com", "seeds.txt"])
    path.unlink()
    assert next(seeds).url == "https://example.com/"
    with pytest.raises(ConfigError, match="cannot be read"):
        next(seeds)


def test_opt_in_url_rules_hold_for_seeds():
    (seed,) = read_seeds(["http://example.org/?utm_source=a&b"], rules=UrlsConfig(drop_params=("utm_*",)))
    assert seed.url == "http://example.org/?b"


def test_a_seed_starts_a_request_at_depth_zero():
    (seed,) = read_seeds(["Example.org:8080/a#b"])
    request = seed_request(seed)
    assert (request.url, request.host_key) == ("https://example.org:8080/a", "example.org:8080")
    assert (request.scope_host, request.depth, request.via) == ("example.org", 0, None)
    assert (request.seed, request.kind, request.attempt) == ("Example.org:8080/a#b", Kind.PAGE, 1)


def test_a_bad_seed_starts_nothing():
    (seed,) = read_seeds(["http://["])
    with pytest.raises(UrlError, match=r"argument 1: .*not a URL"):
        seed_request(seed)


@pytest.mark.parametrize("item", ["https://me:hunter2@example.org/a", "sitemap:http://me:hunter2@example.org/"])
def test_a_password_in_a_seed_is_refused_and_not_repeated(item, tmp_path):
    with pytest.raises(ConfigError, match=r"argument 1: .* fetch.hosts") as refused:
        read_seeds([item])
    assert "hunter2" not in str(refused.value)
    (tmp_path / "list.txt").write_text(f"{item}\n")
    (seed,) = read_seeds([str(tmp_path / "list.txt")])
    assert seed.url is None
    assert "fetch.hosts" in seed.error
    assert "hunter2" not in repr(seed)
