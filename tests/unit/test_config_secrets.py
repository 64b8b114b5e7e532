"""What is secret is filled in from the environment, and shown to nobody."""

from __future__ import annotations

import pytest

from crawler.config import CrawlConfig, FetchConfig, HostFetchConfig
from crawler.config.file import ConfigMistakesError, dump, loads
from crawler.config.secrets import LEFT_OUT, gaps, is_secret, masked, revealed
from crawler.errors import ConfigError


def shown(**fetch):
    """The fetch section as it may be shown."""
    return masked(CrawlConfig(fetch=FetchConfig(**fetch))).fetch


def filled(environ=None, **fetch):
    return revealed(FetchConfig(**fetch), environ or {})


def host(**keys):
    return {"a.test": HostFetchConfig(**keys)}


@pytest.mark.parametrize(
    "name",
    [
        "Authorization",
        "COOKIE",
        "X-Api-Key",
        "apikey",
        "X_API_KEY",
        "X-Auth",
        "X-CSRF-Token",
        "Client-Secret",
        "X-Session",
    ],
)
def test_a_header_is_secret_by_its_name(name):
    assert is_secret(name)
    assert shown(headers={name: "hush"}).headers == {name: LEFT_OUT}


@pytest.mark.parametrize("name", ["Accept-Language", "X-Author", "From", "X-Keyboard", "Referer"])
def test_other_headers_are_shown(name):
    assert shown(headers={name: "en"}).headers == {name: "en"}


@pytest.mark.parametrize(
    "value",
    ["Bearer ${TOKEN}", "${TOKEN}", "sid=${SID}; theme=${THEME}", "Basic ${A}${B}", ""],
)
def test_a_secret_header_that_refers_to_the_environment_stays_as_written(value):
    assert shown(headers={"Authorization": value}).headers["Authorization"] == value


@pytest.mark.parametrize(
    "value", ["Bearer hush", "sid=hush; theme=${THEME}", "Basic ${USER} hush", "$${TOKEN}", "a, ${B}", "${no good}"]
)
def test_a_secret_header_that_is_partly_written_out_is_left_out_whole(value):
    assert shown(headers={"Cookie": value}).headers["Cookie"] == LEFT_OUT


@pytest.mark.parametrize(
    ("auth", "left"),
    [
        ("user:hush", LEFT_OUT),
        ("${USER}:hush", LEFT_OUT),
        ("user:", LEFT_OUT),
        ("hush", LEFT_OUT),
        ("user:${PASSWORD}", "user:${PASSWORD}"),
        ("${BOTH}", "${BOTH}"),
    ],
)
def test_auth_is_left_out_unless_its_password_refers_to_the_environment(auth, left):
    assert shown(hosts=host(auth=auth)).hosts["a.test"].auth == left


@pytest.mark.parametrize(
    ("url", "left"),
    [
        ("http://p.test:3128", "http://p.test:3128"),
        ("http://user:hush@p.test:3128", f"http://user:{LEFT_OUT}@p.test:3128"),
        ("http://user:hu@sh@p.test", f"http://user:{LEFT_OUT}@p.test"),
        ("http://hush:@p.test", f"http://{LEFT_OUT}:@p.test"),
        ("http://hush@p.test", f"http://{LEFT_OUT}@p.test"),
        ("user:hush@p.test", f"user:{LEFT_OUT}@p.test"),
        ("http://user:${PASSWORD}@p.test", "http://user:${PASSWORD}@p.test"),
        ("${PROXY}", "${PROXY}"),
        ("environment", "environment"),
        ("direct", "direct"),
    ],
)
def test_of_a_proxy_the_password_is_left_out_or_the_user_where_that_is_the_key(url, left):
    assert shown(proxy=url).proxy == left
    assert shown(hosts=host(proxy=(url, url))).hosts["a.test"].proxy == (left, left)


def test_masking_twice_changes_nothing():
    once = masked(CrawlConfig(fetch=FetchConfig(proxy="http://u:p@a", hosts=host(auth="a:b", headers={"Cookie": "c"}))))
    assert masked(once) == once


def test_what_is_written_has_no_secret_and_reads_back():
    config = CrawlConfig(
        fetch=FetchConfig(
            headers={"Authorization": "Bearer hush", "X-Token": "${TOKEN}", "X-A": "b"},
            proxy=("http://u:hush@p.test", "http://q.test:81"),
            hosts=host(auth="u:hush", headers={"Cookie": "hush"}, proxy="http://hush@p.test"),
        )
    )
    text = dump(config)
    assert "hush" not in text
    assert "${TOKEN}" in text
    assert loads(text, "dump").config == masked(config)


class TestRevealing:
    def test_variables_are_filled_in_wherever_a_secret_may_stand(self):
        fetch = filled(
            {"A": "1", "B_2": "two"},
            headers={"X-A": "${A}-${B_2}"},
            proxy="http://${A}:${B_2}@p.test",
            hosts=host(auth="u:${A}", headers={"X-B": "${B_2}"}, proxy=("http://${A}.test:8${A}",)),
        )
        assert fetch.headers == {"X-A": "1-two"}
        assert fetch.proxy == "http://1:two@p.test"
        assert fetch.hosts == host(auth="u:1", headers={"X-B": "two"}, proxy=("http://1.test:81",))

    def test_nothing_else_is_changed(self):
        fetch = FetchConfig(proxy="environment", headers={"X-A": "$A $$ {A}"}, hosts=host(proxy="direct", verify=False))
        assert revealed(fetch, {"A": "1"}) == fetch

    def test_two_dollars_mean_one_that_is_meant_literally(self):
        assert filled({"A": "1"}, headers={"X-A": "$${A} $$${A}"}).headers["X-A"] == "${A} $${A}"

    def test_a_value_is_not_looked_into_again(self):
        assert filled({"A": "${B}"}, headers={"X-A": "${A}"}).headers["X-A"] == "${B}"

    def test_a_password_of_a_proxy_is_percent_encoded_and_a_whole_url_is_not(self):
        environ = {"P": "p@ss:w/rd%", "URL": "http://u:p%40@p.test:81"}
        assert filled(environ, proxy="http://u:${P}@p.test").proxy == "http://u:p%40ss%3Aw%2Frd%25@p.test"
        assert filled(environ, proxy="${URL}").proxy == "http://u:p%40@p.test:81"

    @pytest.mark.parametrize(
        ("fetch", "key"),
        [
            ({"headers": {"X-A": "${NOPE}"}}, "fetch.headers.X-A"),
            ({"hosts": host(auth="u:${NOPE}")}, 'fetch.hosts["a.test"].auth'),
            ({"proxy": ("http://p.test", "http://${NOPE}@p.test")}, "fetch.proxy[1]"),
        ],
    )
    @pytest.mark.parametrize(("environ", "what"), [({}, "is not set"), ({"NOPE": ""}, "is empty")])
    def test_a_missing_variable_is_named_with_its_key(self, fetch, key, environ, what):
        with pytest.raises(ConfigError) as caught:
            filled(environ, **fetch)
        assert str(caught.value) == f"{key}: ${{NOPE}}: the environment variable NOPE {what}"

    @pytest.mark.parametrize(
        ("fetch", "value"),
        [
            ({"headers": {"X-A": "${V}"}}, "hush\r\nX-B: c"),
            ({"headers": {"X-A": "${V}"}}, "hüsh"),
            ({"hosts": host(auth="${V}")}, "hush"),
            ({"hosts": host(auth="u:${V}")}, "hu\nsh"),
            ({"proxy": "${V}"}, "socks5://u:hush@p.test"),
            ({"proxy": "http://p.test:${V}"}, "hush"),
        ],
    )
    def test_a_value_that_cannot_be_sent_is_not_quoted(self, fetch, value):
        with pytest.raises(ConfigError, match=r"fetch\..*: with the value of \$\{V\}: expected") as caught:
            filled({"V": value}, **fetch)
        assert value not in str(caught.value)

    def test_what_was_left_out_is_not_sent(self):
        with pytest.raises(
            ConfigError, match=r"fetch\.headers\.Cookie: .* give -c FILE that has it, or use \$\{NAME\}"
        ):
            revealed(shown(headers={"Cookie": "hush"}), {})
        with pytest.raises(ConfigError, match=r"fetch\.proxy: .* give -c FILE"):
            revealed(shown(proxy="http://u:hush@p.test"), {})

    def test_all_that_is_missing_is_told_at_once(self):
        fetch = FetchConfig(headers={"X-A": "${A}", "X-B": "${B}"}, hosts=host(auth=LEFT_OUT))
        assert [gap.partition(":")[0] for gap in gaps(fetch, {"B": "1"})] == [
            "fetch.headers.X-A",
            'fetch.hosts["a.test"].auth',
        ]


@pytest.mark.parametrize(
    ("text", "overrides"),
    [
        ("fetch: {headers: {Authorization: 'hush\t '}}", ()),
        ("fetch: {hosts: {a.test: {auth: hush}}}", ()),
        ("fetch: {hosts: {a.test: 'u:hush'}}", ()),
        ("fetch: {headers: 'Authorization: Bearer hush'}", ()),
        ("fetch: {proxy: 'socks5://u:hush@p.test'}", ()),
        ("fetch: {proxy: [environment, 'ftp://hush@p.test']}", ()),
        ("", ("fetch.headers.Authorization=[hush",)),
        ("", ("fetch={headers: {Cookie: 'hush}}",)),
        ("", ("fetch.hosts.*.a.test.auth=u:hush",)),
    ],
)
def test_a_mistake_quotes_no_secret(text, overrides):
    with pytest.raises(ConfigMistakesError) as caught:
        loads(text, "c.yaml", overrides)
    assert "hush" not in str(caught.value)
