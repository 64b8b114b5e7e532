"""Where a cookie goes, what is kept of it, and how long."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.config import FetchConfig, HostFetchConfig
from crawler.errors import ConfigError
from crawler.fetch.cookies import MAX_PER_DOMAIN, Cookies, Jar
from crawler.fetch.cookies_txt import read_cookies
from crawler.fetch.identity import origin_of
from crawler.fetch.set_cookie import Cookie, cookie_of
from crawler.models import Url
from tests.support.clock import FakeClock

NOW = 1_700_000_000.0


@pytest.fixture
def clock():
    return FakeClock(wall=NOW)


@pytest.fixture
def jar(clock):
    return Jar(clock)


def at(url):
    return origin_of(Url(url))


def names(jar, url):
    return [name for name, _ in jar.pairs(at(url))]


def heard(line, url="https://www.shop.test/a/b"):
    return cookie_of(line, at(url), NOW)


class TestSetCookie:
    def test_a_cookie_is_for_its_host_and_folder_unless_it_says_more(self):
        assert heard("a=1") == Cookie("www.shop.test", "/a", "a", "1", host_only=True, secure=False)
        assert heard(" a = 1=2 ;Path=/ ; domain=.SHOP.test; Secure; HttpOnly; SameSite=Lax") == Cookie(
            "shop.test", "/", "a", "1=2", host_only=False, secure=True
        )

    def test_the_last_of_several_attributes_counts(self):
        assert heard("a=1; Path=/x; Path=y").path == "/a"

    @pytest.mark.parametrize(
        ("line", "ends_in_s"),
        [
            ("a=; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT", 60),
            ("a=; Expires=Tue, 14 Nov 2023 22:13:30 GMT", 10),
            ("a=; Expires=Tue, 14-Nov-2023 22:13:30 GMT", 10),
            ("a=; Expires=Tuesday, 14-Nov-23 22:13:30 GMT", 10),
            ("a=; Expires=Tue Nov 14 22:13:30 2023", 10),
            ("a=; Max-Age=0", -NOW),
            ("a=; Max-Age=-1", -NOW),
        ],
    )
    def test_an_end_is_read_in_every_form(self, line, ends_in_s):
        assert heard(line).expires_at == NOW + ends_in_s

    @pytest.mark.parametrize(
        "end", ["Expires=soon", "Max-Age=1.5", "Max-Age=x", "Expires=", "Expires=Tue, 99 Foo 2023"]
    )
    def test_an_end_that_cannot_be_read_is_none(self, end):
        assert heard(f"a=1; {end}").expires_at is None

    @pytest.mark.parametrize(
        "line",
        [
            *("", "a", "=1", "a=b\x00c", "a=1; Domain=other.test", "a=1; Domain=w.shop.test", "a=1; Domain=test"),
            *("a=1; Domain=hop.test", "a=" + "x" * 4096, "__Secure-a=1", "__Host-a=1; Secure", "__Host-a=1; Path=/"),
        ],
    )
    def test_what_is_malformed_or_for_strangers_is_not_kept(self, line):
        assert heard(line) is None

    def test_names_that_keep_their_promise_are_kept(self):
        assert heard("__Host-a=1; Secure; Path=/").secure
        assert heard("__Secure-a=1; Secure; Domain=shop.test").domain == "shop.test"

    @pytest.mark.parametrize("host", ["co.uk", "localhost", "127.0.0.1", "[::1]"])
    def test_a_host_with_nothing_of_its_own_below_it_speaks_for_itself_alone(self, host):
        assert heard(f"a=1; Domain={host}", f"http://{host}/").host_only
        assert heard("a=1; Domain=uk", "https://x.co.uk/") is None

    def test_a_secure_cookie_comes_over_https(self):
        assert heard("a=1; Secure", "http://www.shop.test/") is None

    @given(st.text(st.characters(max_codepoint=255)) | st.text(alphabet="a=;, :-/0123JanMonGT\t"))
    def test_any_line_is_read_or_ignored(self, rest):
        for line in (rest, f"a=1; Expires={rest}", f"a=1; Max-Age={rest}", f"a=1; Domain={rest}"):
            heard(line)


class TestJar:
    def test_a_cookie_goes_where_domain_path_and_security_say(self, jar):
        jar.hear(["host=1; Path=/", "below=1; Path=/; Domain=shop.test", "deep=1"], at("http://www.shop.test/a/b"))
        jar.hear(["safe=1; Path=/; Secure"], at("https://www.shop.test/"))
        assert names(jar, "http://www.shop.test/a/x?y") == ["deep", "host", "below"]
        assert names(jar, "https://www.shop.test/ab") == ["host", "safe", "below"]
        assert names(jar, "http://www.shop.test:8080/") == ["host", "below"]
        assert names(jar, "http://x.www.shop.test/") == names(jar, "http://shop.test/") == ["below"]
        assert names(jar, "http://myshop.test/") == names(jar, "http://test/") == []

    def test_a_path_covers_what_lies_below_it(self, jar):
        jar.hear(["a=1; Path=/a", "b=1; Path=/a/"], at("http://h.test/"))
        assert names(jar, "http://h.test/a") == ["a"]
        assert names(jar, "http://h.test/a/") == ["b", "a"]
        assert names(jar, "http://h.test/ab") == []

    def test_a_cookie_ends(self, jar, clock):
        jar.hear(["a=1; Max-Age=10", "b=1"], at("http://h.test/"))
        clock.advance(9.9)
        assert names(jar, "http://h.test/") == ["a", "b"]
        clock.advance(0.1)
        assert names(jar, "http://h.test/") == ["b"]
        assert len(jar) == 1

    def test_a_server_renews_and_removes_its_cookies(self, jar):
        jar.hear(["a=1", "b=1", "a=2"], at("http://h.test/"))
        assert jar.pairs(at("http://h.test/")) == [("a", "2"), ("b", "1")]
        jar.hear(["a=; Max-Age=0", "c=; Max-Age=0"], at("http://h.test/"))
        assert jar.pairs(at("http://h.test/")) == [("b", "1")]

    def test_http_does_not_replace_what_https_has_set(self, jar):
        jar.hear(["a=1; Secure"], at("https://h.test/"))
        jar.hear(["a=2", "a=; Max-Age=0"], at("http://h.test/"))
        assert jar.pairs(at("https://h.test/")) == [("a", "1")]

    def test_a_domain_that_sets_too_many_loses_its_own_oldest(self, jar):
        jar.hear(["mine=1"], at("http://h.test/"))
        jar.hear((f"c{number}=1" for number in range(MAX_PER_DOMAIN + 2)), at("http://flood.test/"))
        kept = names(jar, "http://flood.test/")
        assert (len(kept), kept[0]) == (MAX_PER_DOMAIN, "c2")
        assert names(jar, "http://h.test/") == ["mine"]

    def test_a_full_jar_loses_those_set_longest_ago(self, clock):
        jar = Jar(clock, max_bytes=1000)
        for number in (1, 2, 3, 4, 1, 5, 6):
            jar.hear([f"a={number}{'x' * 100}"], at(f"http://h{number}.test/"))
            jar.hear([f"b={number}"], at(f"http://h{number}.test/"))
        assert jar._bytes <= 1000
        assert [number for number in range(1, 7) if len(names(jar, f"http://h{number}.test/")) == 2] == [1, 4, 5, 6]
        assert len(tuple(jar)) == len(jar)

    @given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 200), st.booleans()), max_size=40))
    def test_its_size_is_that_of_what_it_holds(self, settings):
        jar = Jar(FakeClock(wall=NOW), max_bytes=600)
        for host, name, length, ends in settings:
            jar.hear([f"n{name}={'x' * length}{'; Max-Age=0' if ends else ''}"], at(f"http://h{host}.test/"))
            assert jar._bytes == sum(60 + len("".join(cookie[:4])) for cookie in map(fields, jar)) <= 600
            assert sum(len(cookies) for cookies in jar._domains.values()) == len(jar) == len(tuple(jar))


def fields(cookie):
    return [cookie.domain, cookie.path, cookie.name, cookie.value]


class TestKeeping:
    @pytest.fixture
    def file(self, tmp_path):
        path = tmp_path / "cookies.txt"
        path.write_text("h.test\tFALSE\t/\tFALSE\t0\tsid\told\n")
        return str(path)

    def of(self, clock, file=None, **fetch):
        hosts = {"h.test": HostFetchConfig(cookies=file)} if file else {}
        return Cookies(FetchConfig(hosts=hosts, **fetch), clock)

    def test_there_is_a_jar_only_where_one_is_asked_for(self, clock, file):
        assert self.of(clock).jar(None) is self.of(clock, file).jar(None) is None
        assert self.of(clock).state() == b""
        both = self.of(clock, file, cookies=True)
        assert both.jar(None) is not both.jar(file)

    def test_all_jars_survive_with_session_cookies_and_without_expired_ones(self, clock, file):
        before = self.of(clock, file, cookies=True)
        before.jar(None).hear(["a=1", "b=1; Max-Age=5"], at("http://x.test/"))
        before.jar(file).hear(["sid=n\xe9w"], at("http://h.test/"))
        clock.advance(5)
        after = self.of(clock, file, cookies=True)
        after.restore(before.state())
        assert after.jar(None).pairs(at("http://x.test/")) == [("a", "1")]
        assert after.jar(file).pairs(at("http://h.test/")) == [("sid", "n\xe9w")]

    def test_a_file_that_has_changed_since_is_right(self, clock, file, tmp_path):
        before = self.of(clock, file)
        before.jar(file).hear(["sid=new", "more=1"], at("http://h.test/"))
        (tmp_path / "cookies.txt").write_text("h.test\tFALSE\t/\tFALSE\t0\tsid\tfresh\n")
        after = self.of(clock, file)
        after.restore(before.state())
        assert after.jar(file).pairs(at("http://h.test/")) == [("sid", "fresh")]

    def test_jars_that_are_no_longer_wanted_are_forgotten(self, clock, file):
        before = self.of(clock, file, cookies=True)
        before.jar(None).hear(["a=1"], at("http://x.test/"))
        after = self.of(clock)
        after.restore(before.state())
        assert after.state() == b""

    def test_the_state_is_made_anew_only_when_a_cookie_changes(self, clock):
        cookies = self.of(clock, cookies=True)
        for line, is_same in (("a=1", False), ("a=1", True), ("a=2", False), ("b=; Max-Age=0", True)):
            before = cookies.state()
            cookies.jar(None).hear([line], at("http://h.test/"))
            assert (cookies.state() is before) is is_same

    def test_the_file_itself_is_never_written(self, clock, file, tmp_path):
        cookies = self.of(clock, file)
        cookies.jar(file).hear(["sid=new"], at("http://h.test/"))
        cookies.state()
        assert (tmp_path / "cookies.txt").read_text().endswith("\told\n")


class TestFile:
    @pytest.fixture
    def read(self, tmp_path):
        def read(data):
            (tmp_path / "c.txt").write_bytes(data)
            return read_cookies(tmp_path / "c.txt").cookies

        return read

    def test_lines_of_seven_fields_are_cookies(self, read):
        data = (
            b"\xef\xbb\xbf# Netscape HTTP Cookie File\r\n\r\n.Shop.test\tTRUE\t/\tTRUE\t1800000000\ta\t1;2\r\n".replace(
                b";", b","
            )
            + b"#HttpOnly_www.shop.test\tFALSE\t/x\tfalse\t0\tb\t\xc3\xa9\r\n"
            b"www.shop.test\tFALSE\t/\tFALSE\t1.5\tempty"
        )
        assert read(data) == (
            Cookie("shop.test", "/", "a", "1,2", host_only=False, secure=True, expires_at=1_800_000_000.0),
            Cookie("www.shop.test", "/x", "b", "\xc3\xa9", host_only=True, secure=False),
            Cookie("www.shop.test", "/", "empty", "", host_only=True, secure=False, expires_at=1.5),
        )
        assert read(b"") == ()

    @pytest.mark.parametrize(
        ("line", "expected"),
        [
            (b"h.test TRUE / FALSE 0 a hush", "1 fields, expected 7, parted by tabs"),
            (b"h.test\tTRUE\t/\tFALSE\t0\ta\thush\thush", "8 fields"),
            (b"h test\tTRUE\t/\tFALSE\t0\ta\thush", "domain: 'h test': expected a host name"),
            (b"*.h.test\tTRUE\t/\tFALSE\t0\ta\thush", "domain: "),
            (b"h.test:81\tTRUE\t/\tFALSE\t0\ta\thush", "domain: "),
            (b"h.test\tyes\t/\tFALSE\t0\ta\thush", "subdomains: 'yes': expected TRUE or FALSE"),
            (b"h.test\tTRUE\tx\tFALSE\t0\ta\thush", "path: 'x': expected one that begins with /"),
            (b"h.test\tTRUE\t/\t0\t0\ta\thush", "secure: '0': expected TRUE or FALSE"),
            (b"h.test\tTRUE\t/\tFALSE\tnever\ta\thush", "expiry: 'never': expected Unix time"),
            (b"h.test\tTRUE\t/\tFALSE\t0\t\thush", "name and value: expected a name"),
            (b"h.test\tTRUE\t/\tFALSE\t0\ta\thush;b=1", "name and value: "),
            (b"h.test\tTRUE\t/\tFALSE\t0\ta\thu\x00sh", "name and value: "),
            (b"h.test\tTRUE\t/\tFALSE\t0\ta\thush" + b"x" * 4096, "at most 4096"),
        ],
    )
    def test_a_bad_line_is_named_and_its_value_is_not_quoted(self, read, line, expected):
        with pytest.raises(ConfigError) as caught:
            read(b"# first\n" + line + b"\n")
        assert "c.txt:2: " in str(caught.value)
        assert expected in str(caught.value)
        assert "hush" not in str(caught.value)

    def test_a_file_that_cannot_be_read_is_a_config_error(self, tmp_path):
        for path in (tmp_path, tmp_path / "none.txt"):
            with pytest.raises(ConfigError, match="expected a cookies"):
                read_cookies(path)
