"""What a link does while Redis is away, and which servers it refuses."""

from __future__ import annotations

import asyncio
import socket

import pytest

from crawler.errors import ConfigError, FrontierError
from crawler.fleet.keys import Keys
from crawler.fleet.link import Call, Link
from crawler.fleet.server import check_strangers
from crawler.fleet.store import PartitionStore
from crawler.fleet.target import target_of
from crawler.fleet.trouble import why
from tests.support.fleet_store import PREFIX, all_rows, change, leased, opened_link, opened_store, request
from tests.support.redis_server import RedisServer, require_redis


@pytest.fixture(autouse=True)
def _needed():
    require_redis()


class Told:
    """What a link has told of trouble, and when there was any."""

    def __init__(self):
        self.words = []
        self.any = asyncio.Event()

    def __call__(self, why):
        self.words.append(why and why.partition(" at ")[2].partition(" ")[2])
        self.any.set()


async def test_a_call_waits_for_a_server_that_was_killed_and_comes_back(tmp_path):
    told = Told()
    with RedisServer(tmp_path, appendonly=True) as server:
        async with opened_store(server, told) as store:
            lease = await leased(store)
            server.client().config_set("appendfsync", "always")
            await store.commit([change(lease, admitted=[request(1)])])
            server.kill()
            going = asyncio.create_task(store.commit([change(lease, commit=1, admitted=[request(2)])]))
            await told.any.wait()
            server.start()
            assert await going == set()
            assert told.words == ["cannot be reached", None]
            assert len(await all_rows(store)) == 2


@pytest.mark.slow
async def test_a_frozen_server_is_noticed_by_its_silence(tmp_path):
    told = Told()
    with RedisServer(tmp_path) as server:
        async with opened_store(server, told, silence_s=0.5) as store:
            lease = await leased(store)
            server.pause()
            going = asyncio.create_task(store.commit([change(lease, admitted=[request(1)])]))
            await told.any.wait()
            server.unpause()
            assert await going == set()
            assert told.words == ["does not answer", None]
            assert len(await all_rows(store)) == 1  # though it was sent several times


async def test_out_of_memory_nothing_is_stored_by_half_and_all_once_room_is_made(tmp_path):
    told = Told()
    with RedisServer(tmp_path) as server:
        async with opened_store(server, told) as store:
            lease = await leased(store)
            server.client().config_set("maxmemory", "1kb")
            going = asyncio.create_task(
                store.commit([change(lease, admitted=[request(1)], robots=[], forgotten=["https://a.test"])])
            )
            await told.any.wait()
            (tally,) = await store.tallies([0])
            assert (tally.urls, tally.commit) == (0, 0)
            assert await store.renew({0: lease.fence}, 1, 60) == set()  # leases are kept meanwhile
            assert told.words == ["is out of memory"]  # and what goes well does not call the trouble over
            server.client().config_set("maxmemory", "0")
            assert await going == set()
            assert told.words == ["is out of memory", None]


async def test_a_partition_is_given_back_to_a_server_that_is_out_of_memory(tmp_path):
    with RedisServer(tmp_path) as server:
        async with opened_store(server) as store:
            lease = await leased(store)
            server.client().config_set("maxmemory", "1kb")
            await store.release({0: lease.fence}, 1)
            assert (await store.tallies([0]))[0].is_clean


async def test_a_server_that_became_a_replica_is_waited_for(tmp_path):
    told = Told()
    with RedisServer(tmp_path) as server:
        async with opened_store(server, told) as store:
            lease = await leased(store)
            server.client().execute_command("REPLICAOF", "127.0.0.1", "1")
            going = asyncio.create_task(store.commit([change(lease, admitted=[request(1)])]))
            await told.any.wait()
            server.client().execute_command("REPLICAOF", "NO", "ONE")
            assert await going == set()
            assert told.words == ["is a replica, which takes no writes", None]


async def test_whoever_stops_waits_no_longer(tmp_path):
    told = Told()
    with RedisServer(tmp_path) as server:
        async with opened_link(server, told) as link:
            server.kill()
            going = asyncio.create_task(link.call(Call("GET", ("a",))))
            await told.any.wait()
            link.stop()
            with pytest.raises(FrontierError, match="given up"):
                await going


async def test_whoever_has_stopped_may_still_say_what_is_heard_at_once(tmp_path):
    with RedisServer(tmp_path) as server:
        async with opened_link(server) as link:
            link.stop()
            assert await link.call(Call("GET", ("a",))) is None


async def test_a_user_who_may_touch_nothing_but_the_crawls_keys_is_enough(tmp_path):
    with RedisServer(tmp_path) as server:
        may = ("+@read", "+@write", "+@scripting", "+@pubsub", "+@connection", "+info", "+time")
        rules = ("resetchannels", "~{crawler:*", "&{crawler:*", *may)
        server.client().execute_command("ACL", "SETUSER", "worker", "on", ">right", *rules)
        environ = {"CRAWLER_REDIS_USERNAME": "worker", "CRAWLER_REDIS_PASSWORD": "right"}
        link = await Link.open(target_of(server.url, "test", environ))
        store = PartitionStore(link, Keys(PREFIX))
        lease = await leased(store)
        assert await store.commit([change(lease, admitted=[request(1)])]) == set()
        await store.renew({0: lease.fence}, 1, 60)
        await store.deliver({0: [request(2)]})
        assert len(await all_rows(store)) == len(await store.inbox(0)) == 1
        await store.release({0: lease.fence}, 1)
        await link.server_time()
        with pytest.raises(FrontierError, match=r"(?i)no permissions"):
            await link.call(Call("GET", ("others",)))
        await link.aclose()


async def test_a_file_of_authorities_that_is_none_is_told(tmp_path):
    for path in (tmp_path / "missing.pem", tmp_path):
        with pytest.raises(ConfigError, match="the ca of Redis"):
            await Link.open(target_of(f"rediss://127.0.0.1?ca={path}", "x", {}))


async def test_a_command_that_is_wrong_is_not_repeated(tmp_path):
    with RedisServer(tmp_path) as server:
        async with opened_link(server) as link:
            with pytest.raises(FrontierError, match="refuses what is asked"):
                await link.call(Call("NOSUCH", ("a",)))


async def test_the_servers_time_is_told(tmp_path):
    with RedisServer(tmp_path) as server:
        async with opened_link(server) as link:
            assert abs(await link.server_time() - float(server.client().time()[0])) < 2


async def test_a_server_that_evicts_is_refused_and_one_that_keeps_nothing_warned_of(tmp_path):
    with RedisServer(tmp_path) as server:
        async with opened_link(server) as link:
            assert len(link.warnings) == 1
            assert "keeps nothing on disk" in link.warnings[0]
        server.client().config_set("save", "60 1")
        async with opened_link(server) as link:
            assert link.warnings == []
        server.client().config_set("maxmemory-policy", "allkeys-lru")
        with pytest.raises(ConfigError, match=r"maxmemory-policy allkeys-lru.*noeviction"):
            await Link.open(target_of(server.url, "x", {}))


async def test_a_server_that_is_not_there_is_told_at_once():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"redis://127.0.0.1:{probe.getsockname()[1]}"
    with pytest.raises(FrontierError, match="cannot be"):
        await Link.open(target_of(url, "x", {}))


def ask_for_a_password(server):
    """From now on."""
    client = server.client()
    client.acl_setuser("reader", enabled=True, passwords=["+right"], keys=["*"], channels=["*"], categories=["+@all"])
    client.config_set("requirepass", "right")


@pytest.mark.parametrize(
    ("login", "environ"),
    [
        (":right@", {}),
        ("", {"CRAWLER_REDIS_PASSWORD": "right"}),
        (":${MINE}@", {"MINE": "right"}),
        ("reader:%72ight@", {}),
        ("", {"CRAWLER_REDIS_USERNAME": "reader", "CRAWLER_REDIS_PASSWORD": "right"}),
    ],
)
async def test_user_and_password_come_from_the_url_or_the_environment(tmp_path, login, environ):
    with RedisServer(tmp_path) as server:
        ask_for_a_password(server)
        link = await Link.open(target_of(server.url.replace("//", f"//{login}"), "x", environ))
        await link.server_time()
        await link.aclose()


@pytest.mark.parametrize("login", ["", ":wrongsecret@", "nobody:wrongsecret@"])
async def test_a_login_that_is_refused_is_told_without_the_password(tmp_path, login):
    with RedisServer(tmp_path) as server:
        ask_for_a_password(server)
        with pytest.raises(ConfigError, match="refuses the login") as told:
            await Link.open(target_of(server.url.replace("//", f"//{login}"), "x", {}))
        assert "wrongsecret" not in str(told.value)


async def test_a_server_on_another_machine_that_asks_for_no_password_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("crawler.fleet.server._is_here", lambda address: False)
    with RedisServer(tmp_path) as server:
        target = target_of(server.url, "x", {})
        with pytest.raises(ConfigError, match="asks for no password"):
            await Link.open(target)
        allowed = target_of(server.url, "x", {}, allow_unauthenticated=True)
        await (await Link.open(allowed)).aclose()
        server.client().config_set("requirepass", "right")
        await check_strangers(target, 1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("OOM command not allowed when used memory > 'maxmemory'.", "out of memory"),
        ("Error running script (call to f_1): @user_script:2: -OOM command not allowed", "out of memory"),
        ("MISCONF Redis is configured to save RDB snapshots", "its disk"),
        ("NOREPLICAS Not enough good replicas to write.", "replicas"),
    ],
)
def test_errors_that_pass_are_known_by_their_text(text, words):
    from redis.exceptions import ResponseError

    assert words in why(ResponseError(text), "a:1")


async def test_whoever_is_cancelled_ends_whatever_was_said_to_the_server_at_that_moment(tmp_path):
    with RedisServer(tmp_path) as server:
        async with opened_link(server) as link:

            async def ask():
                while True:
                    await link.call(Call("PING", ()))

            for moments in range(80):
                asking = asyncio.create_task(ask())
                for _ in range(moments):
                    await asyncio.sleep(0)
                asking.cancel()
                done, _ = await asyncio.wait([asking], timeout=1)
                if not done:
                    asking.cancel()
                assert done, f"after {moments} moments"
