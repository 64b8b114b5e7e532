"""The redis-servers that failure tests run against do what these tests take for granted."""

from __future__ import annotations

import ssl
import threading
import time
from contextlib import suppress

import pytest

from tests.support.redis_cluster import RedisCluster
from tests.support.redis_replica import RedisPair
from tests.support.redis_server import (
    CERTIFICATES,
    RedisServer,
    acl_options,
    free_port,
    require_redis,
    tls_options,
)
from tests.support.tcp_proxy import TcpProxy


@pytest.fixture(autouse=True, scope="module")
def installed():
    require_redis()


def client_at(port, **more):
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    return redis.Redis(port=port, socket_timeout=5, retry=Retry(NoBackoff(), 0), **more)


def test_a_cut_proxy_says_nothing_and_delivers_once_it_is_mended(tmp_path):
    with RedisServer(tmp_path) as server, TcpProxy(server.port) as proxy:
        client = client_at(proxy.port)
        client.set("a", 1)
        proxy.cut()
        asked = threading.Thread(target=client.incr, args=("a",))
        asked.start()
        asked.join(0.1)
        assert asked.is_alive()
        assert server.client().get("a") == b"1"
        proxy.mend()
        asked.join(5)
        assert server.client().get("a") == b"2"


def test_a_slow_proxy_delays_each_way(tmp_path):
    with RedisServer(tmp_path) as server, TcpProxy(server.port, delay_s=0.01) as proxy:
        client = client_at(proxy.port)
        client.ping()
        began = time.monotonic()
        client.ping()
        assert time.monotonic() - began >= 0.02


def test_a_failover_leads_to_the_replica_with_what_it_had(tmp_path):
    import redis

    with RedisPair(tmp_path) as pair:
        client = client_at(pair.name.port)
        client.set("a", 1)
        assert client.execute_command("WAIT", 1, 5000) == 1
        pair.fail_over()
        with suppress(redis.ConnectionError):  # of a connection that was closed
            client.get("a")
        assert client.get("a") == b"1"
        client.set("b", 2)


@pytest.mark.slow
def test_a_cluster_has_three_nodes_that_share_the_keys(tmp_path):
    import redis

    with RedisCluster(tmp_path) as cluster:
        with redis.RedisCluster.from_url(cluster.url) as client:
            for number in range(30):
                client.set(f"key{number}", number)
            assert [client.get(f"key{number}") for number in range(30)] == [b"%d" % n for n in range(30)]
        assert all(node.client().dbsize() for node in cluster.nodes)


def test_a_server_can_be_full_and_have_room_again(tmp_path):
    import redis

    with RedisServer(tmp_path) as server:
        client = server.client()
        server.fill()
        with pytest.raises(redis.exceptions.OutOfMemoryError):
            client.set("a", "b" * 100_000)
        server.make_room()
        client.set("a", "b" * 100_000)


def test_a_server_speaks_tls_to_a_user_who_knows_the_password(tmp_path):
    import redis

    port = free_port()
    with RedisServer(tmp_path, *tls_options(port), *acl_options("crawler", "secret-word")) as server:
        with pytest.raises(redis.exceptions.AuthenticationError):
            server.client().ping()
        login = {"username": "crawler", "password": "secret-word"}
        trusted = {"ssl": True, "ssl_ca_certs": str(CERTIFICATES / "authority.pem"), "ssl_check_hostname": False}
        assert client_at(port, **login, **trusted).ping()
        with pytest.raises((redis.exceptions.ConnectionError, ssl.SSLError)):
            client_at(port, **login, ssl=True).ping()
