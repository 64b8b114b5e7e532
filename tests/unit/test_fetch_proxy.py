"""Which proxy a host goes through, and which of them rest: pure, the clock in the test's hand."""

from __future__ import annotations

import logging
from base64 import b64encode
from collections import Counter

import pytest

from crawler.config import FetchConfig, HostFetchConfig
from crawler.errors import ConfigError, CrawlerError, FetchError
from crawler.fetch.proxies import Proxies
from crawler.fetch.proxy import DOUBTS, MAX_REST_S, REST_S, Proxy, Rota, Stage
from tests.support.clock import FakeClock

HOSTS = [f"host{number}.test" for number in range(1000)]
URLS = [f"http://proxy{number}.test:3128" for number in range(5)]
GONE = FetchError("connect", "refused")


def chosen(fetch, url="http://a.test/"):
    """The proxy a fetcher of this configuration uses for `url`; None for none."""
    passage = Proxies(fetch, FakeClock()).passage(url)
    return passage and passage.proxy.label


def spread(urls):
    """Host -> proxy."""
    proxies = Proxies(FetchConfig(proxy=tuple(urls)), FakeClock())
    return {host: proxies.passage(f"http://{host}/").proxy.origin for host in HOSTS}


class Trial:
    """A host's proxies, made to fail and work."""

    def __init__(self, count=3):
        self.clock = FakeClock()
        self.order = [Proxy(url) for url in URLS[:count]]
        self.rota = Rota(self.clock)

    def passage(self, host="a.test", stage=Stage.REACHING):
        made = self.rota.choose(self.order, host, tunnel=True)
        made.stage = stage
        return made

    def fail(self, host="a.test", stage=Stage.REACHING):
        """One attempt that fails; the number of the proxy it went through."""
        passage = self.passage(host, stage)
        self.clock.advance(0.5)
        self.rota.failed(passage, GONE)
        return self.order.index(passage.proxy)

    def turn(self, host="a.test"):
        """The number of the proxy that the host's next attempt goes through."""
        return self.order.index(self.passage(host).proxy)


def test_hosts_are_spread_evenly_and_keep_their_proxy_whatever_the_lists_order():
    one, other = spread(URLS[:4]), spread(reversed(URLS[:4]))
    assert one == other
    assert all(180 < count < 320 for count in Counter(one.values()).values())


def test_new_proxy_takes_hosts_from_all_and_moves_no_other():
    before, after = spread(URLS[:4]), spread(URLS)
    moved = {host for host in HOSTS if before[host] != after[host]}
    assert {after[host] for host in moved} == {URLS[4]}
    assert 120 < len(moved) < 280


def test_users_of_one_proxy_are_spread_over_but_a_new_password_moves_nobody():
    assert Proxy("http://one:x@p.test").rank("h") != Proxy("http://two:x@p.test").rank("h")
    assert Proxy("http://one:x@p.test").rank("h") == Proxy("http://one:y@p.test").rank("h")


def test_proxy_that_fails_rests_twice_as_long_each_time_until_it_works():
    trial = Trial(count=2)
    for rest_s in (REST_S, 2 * REST_S, 4 * REST_S, 8 * REST_S, 16 * REST_S, MAX_REST_S, MAX_REST_S):
        assert trial.fail() == 0
        trial.clock.advance(rest_s - 1)
        assert trial.turn() == 1
        trial.clock.advance(1)
        assert trial.turn() == 0
    trial.rota.worked(trial.passage())
    trial.fail()
    trial.clock.advance(REST_S)
    assert trial.turn() == 0


def test_attempts_under_way_together_fail_once():
    trial = Trial(count=2)
    passages = [trial.passage(host) for host in HOSTS[:50]]
    for passage in passages:
        trial.rota.failed(passage, GONE)
    trial.clock.advance(REST_S)
    assert trial.turn() == 0


def test_next_in_the_order_takes_over_and_where_all_rest_the_one_back_soonest():
    trial = Trial(count=3)
    tried = []
    for _ in range(3):
        tried.append(trial.fail())
        trial.clock.advance(1)
    assert tried == [0, 1, 2]
    assert trial.fail() == 0  # which then rests for longer than the others
    assert trial.turn() == 1
    trial.clock.advance(REST_S)
    assert trial.turn() == 1


def test_tunnel_refused_rests_the_proxy_for_that_host_alone():
    trial = Trial()
    assert trial.fail("dead.test", Stage.ASKING) == 0
    assert trial.turn("dead.test") == 1
    assert trial.turn("a.test") == 0
    trial.clock.advance(REST_S)
    assert trial.turn("dead.test") == 0


def test_tunnels_refused_to_several_hosts_in_a_row_rest_the_proxy():
    trial = Trial()
    for host in HOSTS[: DOUBTS - 1]:
        trial.fail(host, Stage.ASKING)
    assert trial.turn() == 0
    trial.fail("last.test", Stage.ASKING)
    assert trial.turn() == 1


def test_success_between_says_that_the_hosts_are_to_blame():
    trial = Trial()
    for host in HOSTS[:20]:
        trial.fail(host, Stage.ASKING)
        trial.rota.worked(trial.passage("good.test"))
    assert trial.turn() == 0


def test_what_happens_beyond_the_proxy_is_none_of_its_business():
    trial = Trial()
    assert trial.rota.failed(trial.passage(stage=Stage.THROUGH), GONE) is GONE
    exhausted = CrawlerError("no more connections can be opened")
    assert trial.rota.failed(trial.passage(), exhausted) is exhausted
    assert trial.turn() == 0


def test_failure_names_the_proxy_and_the_first_of_a_row_is_told_in_the_log(caplog):
    trial = Trial(count=1)
    with caplog.at_level(logging.WARNING, "crawler"):
        failure = trial.rota.failed(trial.passage(), GONE)
        trial.fail()
    assert (failure.reason, failure.detail) == ("proxy", "proxy0.test:3128: refused")
    assert [(record.host, record.why) for record in caplog.records] == [("proxy0.test:3128", "refused")]


def test_as_many_rests_are_remembered_as_there_is_room_for(monkeypatch):
    monkeypatch.setattr("crawler.fetch.proxy._RESTS_KEPT", 10)
    trial = Trial()
    for host in HOSTS[:20]:
        trial.fail(host, Stage.ASKING)
        trial.rota.worked(trial.passage("good.test"))
    assert [host for host in HOSTS[:20] if trial.turn(host) == 1] == HOSTS[10:20]


def test_credentials_are_decoded_for_the_proxy_and_shown_to_nobody_else():
    proxy = Proxy("http://us%40er:p%3A%2F%C3%A9@[::1]:3128/")
    sent = b64encode("us@er:p:/é".encode()).decode()
    assert proxy.authorization == f"Proxy-Authorization: Basic {sent}\r\n"
    assert (proxy.origin, repr(proxy)) == ("http://[::1]:3128", "Proxy([::1]:3128)")
    assert Proxy("https://p.test").origin == "https://p.test:443"
    assert Proxy("http://p.test").authorization == ""


def test_most_specific_pattern_says_which_proxies_a_host_has():
    fetch = FetchConfig(
        proxy="http://default.test:1",
        hosts={
            "*.a.test": HostFetchConfig(proxy="http://below.test:2"),
            "x.a.test": HostFetchConfig(proxy="direct"),
            "y.a.test": HostFetchConfig(headers={"X": "y"}),
        },
    )
    hosts = ("a.test", "z.a.test", "x.a.test", "y.a.test")
    assert [chosen(fetch, f"https://{host}/") for host in hosts] == [
        "default.test:1", "below.test:2", None, "below.test:2",
    ]  # fmt: skip


def test_without_proxies_every_host_is_asked_directly():
    for fetch in (FetchConfig(), FetchConfig(proxy="direct"), FetchConfig(hosts={"b.test": HostFetchConfig()})):
        assert chosen(fetch) is None
        assert not Proxies(fetch, FakeClock()).serve("a.test")


def test_proxy_named_twice_is_one_that_rests_for_both():
    fetch = FetchConfig(proxy=URLS[0], hosts={"b.test": HostFetchConfig(proxy=(URLS[0], URLS[0]))})
    proxies = Proxies(fetch, FakeClock())
    assert proxies.passage("http://a.test/").proxy is proxies.passage("http://b.test/").proxy


@pytest.fixture
def environment(monkeypatch):
    """Sets proxy variables, with none but those."""

    def set_only(**variables):
        for scheme in ("http", "https", "all", "no"):
            for name in (f"{scheme}_proxy", f"{scheme}_proxy".upper()):
                monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return set_only


ASKING_ENVIRONMENT = FetchConfig(proxy="environment")


def test_environment_has_a_proxy_for_each_scheme(environment):
    environment(HTTP_PROXY="one.test:1", https_proxy="http://two.test:2", HTTPS_PROXY="http://upper.test:3")
    assert chosen(ASKING_ENVIRONMENT, "http://a.test/") == "one.test:1"
    assert chosen(ASKING_ENVIRONMENT, "https://a.test/") == "two.test:2"


def test_environment_has_one_for_the_schemes_that_have_none_of_their_own(environment):
    environment(ALL_PROXY="http://all.test:1", http_proxy="http://one.test:2")
    assert chosen(ASKING_ENVIRONMENT, "http://a.test/") == "one.test:2"
    assert chosen(ASKING_ENVIRONMENT, "https://a.test/") == "all.test:1"


def test_environment_excepts_hosts(environment):
    environment(HTTP_PROXY="http://one.test:1", NO_PROXY="b.test, .c.test,127.0.0.1,d.test:81")
    direct = ["b.test", "b.test:8080", "x.b.test", "x.c.test", "127.0.0.1:8080", "d.test:81"]
    proxies = Proxies(ASKING_ENVIRONMENT, FakeClock())
    assert [host for host in [*direct, "a.test", "ab.test", "d.test"] if not proxies.serve(host)] == direct


def test_environment_is_read_once_and_only_when_asked_for(environment):
    environment(HTTP_PROXY="http://one.test:1")
    assert chosen(FetchConfig()) is None
    proxies = Proxies(ASKING_ENVIRONMENT, FakeClock())
    environment()
    assert proxies.passage("http://a.test/").proxy.label == "one.test:1"
    assert chosen(ASKING_ENVIRONMENT) is None


def test_host_of_which_one_scheme_goes_through_a_proxy_is_not_located(environment):
    environment(HTTPS_PROXY="http://one.test:1")
    proxies = Proxies(ASKING_ENVIRONMENT, FakeClock())
    assert proxies.passage("http://a.test/") is None
    assert proxies.serve("a.test")


@pytest.mark.parametrize(
    ("fetch", "key"),
    [
        (FetchConfig(proxy="socks5://me:secret@p.test:1"), r"fetch\.proxy: "),
        (FetchConfig(proxy=("http://p.test", "me:secret@p.test")), r"fetch\.proxy: "),
        (FetchConfig(proxy=("http://p.test", "direct")), r"fetch\.proxy: "),
        (
            FetchConfig(hosts={"b.test": HostFetchConfig(proxy="http://me:sec/ret@p.test")}),
            r'fetch\.hosts\["b\.test"\]\.proxy: ',
        ),
        (FetchConfig(proxy="environment"), r"fetch\.proxy: ALL_PROXY: "),
    ],
)
def test_what_is_no_proxy_is_refused_without_its_secrets(fetch, key, environment):
    environment(HTTP_PROXY="http://p.test", ALL_PROXY="socks5h://me:secret@p.test:1")
    with pytest.raises(ConfigError, match=key) as caught:
        Proxies(fetch, FakeClock())
    assert "sec" not in str(caught.value)
