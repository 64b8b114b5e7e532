"""Replies that are lost, networks that are cut, servers that forget their last second: nothing is done twice."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import pytest
from redis.exceptions import ConnectionError as AwayError

from crawler.errors import FrontierError
from crawler.fleet.keys import Keys
from crawler.fleet.link import Link
from crawler.fleet.store import PartitionStore
from crawler.fleet.target import target_of
from tests.support.fleet_store import PREFIX, all_rows, change, end, leased, opened_store, request
from tests.support.redis_cluster import RedisCluster
from tests.support.redis_replica import RedisPair
from tests.support.redis_server import RedisServer, free_port, require_redis, server_binary
from tests.support.tcp_proxy import TcpProxy


@pytest.fixture(autouse=True)
def _needed():
    require_redis()


async def test_a_commit_whose_reply_is_lost_is_sent_again_and_applied_once(tmp_path, monkeypatch):
    with RedisServer(tmp_path) as server:
        async with opened_store(server) as store:
            lease = await leased(store)
            send, lost = store._link._send, iter([True, True])

            async def losing(*args):
                answers = await send(*args)
                if next(lost, False):
                    raise AwayError("the reply is lost")
                return answers

            monkeypatch.setattr(store._link, "_send", losing)
            assert await store.commit([change(lease, admitted=[request(1)], ended=[end(1)])]) == set()
            (tally,) = await store.tallies([0])
            assert (tally.commit, tally.urls, sum(tally.ended.values())) == (1, 1, 1)


@pytest.mark.slow
async def test_what_a_cut_network_delivers_late_changes_nothing(tmp_path):
    """Each attempt lies in the cut, and all arrive once it is mended."""
    trouble = asyncio.Event()
    with RedisServer(tmp_path) as server, TcpProxy(server.port) as proxy:
        async with opened_store(proxy, lambda _: trouble.set(), silence_s=0.5) as store:
            lease = await leased(store)
            proxy.cut()
            going = asyncio.create_task(store.commit([change(lease, admitted=[request(1)])]))
            await trouble.wait()
            proxy.mend()
            assert await going == set()
            assert await store.commit([change(lease, commit=1, admitted=[request(2)])]) == set()
            assert len(await all_rows(store)) == 2


async def test_a_worker_that_is_ahead_of_a_server_that_forgot_is_refused_and_begins_from_there(tmp_path):
    with RedisServer(tmp_path) as server:
        async with opened_store(server) as store:
            lease = await leased(store)
            await store.commit([change(lease, admitted=[request(1)])])
            server.client().save()
            await store.commit([change(lease, commit=1, admitted=[request(2)])])
            server.kill()
            server.start()
            assert await store.commit([change(lease, commit=2, admitted=[request(3)])]) == {0}
            again = await leased(store)
            assert (again.commit, again.urls) == (1, 1)
            assert await store.commit([change(lease, commit=1, admitted=[request(2)])]) == {0}  # by the old fence
            assert await store.commit([change(again, admitted=[request(2)])]) == set()


async def test_no_two_workers_have_one_fence_though_the_server_forgets_that_it_gave_it(tmp_path):
    with RedisServer(tmp_path) as server:
        async with opened_store(server) as store:
            server.client().save()
            first = await leased(store)
            server.kill()
            server.start()
            second = await leased(store, worker=2)
            assert second.fence != first.fence
            assert await store.commit([change(first, admitted=[request(1)])]) == {0}
            assert await store.renew({0: first.fence}, 1, 60) == {0}


async def test_a_replica_takes_over_and_goes_on_where_the_primary_was(tmp_path):
    with RedisPair(tmp_path) as pair:
        async with opened_store(pair) as store:
            lease = await leased(store)
            await store.commit([change(lease, admitted=[request(1)])])
            assert pair.primary.client().wait(1, 5000) == 1
            pair.fail_over()
            assert await store.commit([change(lease, commit=1, admitted=[request(2)])]) == set()  # scripts and all
            assert len(await all_rows(store)) == 2


@pytest.mark.slow
async def test_a_cluster_keeps_partitions_on_all_its_nodes(tmp_path):
    with RedisCluster(tmp_path) as cluster:
        async with opened_store(cluster) as store:
            assert store._link.is_clustered
            leases, _ = await store.acquire(range(64), 1, 60)
            for number in range(2):
                changes = [change(lease, commit=number, admitted=[request(number)]) for lease in leases]
                assert await store.commit([*changes[1:], change(leases[0], commit=9)]) == {0}
                assert await store.commit(changes[:1]) == set()
                for node in cluster.nodes:
                    assert node.client().dbsize() > 10
                    node.client().script_flush()
            await store.deliver({partition: [request(5)] for partition in range(64)})
            tallies = await store.tallies(range(64))
            assert {(tally.urls, tally.commit, tally.inbox) for tally in tallies} == {(2, 2, 1)}
            assert await store.posted_to(range(66)) == list(range(64))
            fences = {lease.partition: lease.fence for lease in leases}
            assert await store.renew({**fences, 5: 1}, 1, 60) == {5}
            await store.release(fences, 1)
            assert {tally.owner for tally in await store.tallies(range(64))} == {0}
            assert len(await all_rows(store, 63)) == 2
            assert await store._link.server_time() > 0


@pytest.mark.slow
async def test_a_node_of_a_cluster_that_is_away_is_waited_for(tmp_path):
    trouble = asyncio.Event()
    with RedisCluster(tmp_path) as cluster:
        async with opened_store(cluster, lambda _: trouble.set(), silence_s=0.5) as store:
            leases, _ = await store.acquire(range(30), 1, 60)
            cluster.nodes[2].pause()
            changes = [change(lease, admitted=[request(1)]) for lease in leases]
            going = asyncio.create_task(store.commit(changes))
            await trouble.wait()
            cluster.nodes[2].unpause()
            assert await going == set()
            assert {tally.urls for tally in await store.tallies(range(30))} == {1}


@pytest.fixture
def tls_options(tmp_path):
    """Of a server that has a certificate for 127.0.0.1."""
    if b"SSL_CTX" not in Path(server_binary()).read_bytes():
        pytest.skip("the server was built without TLS")
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=redis "
        f"-addext subjectAltName=IP:127.0.0.1 -keyout {tmp_path}/key.pem -out {tmp_path}/cert.pem"
    )
    subprocess.run(command.split(), check=True, capture_output=True)
    return (
        *(f"tls-cert-file {tmp_path}/cert.pem", f"tls-key-file {tmp_path}/key.pem"),
        *("tls-auth-clients no", f"tls-ca-cert-file {tmp_path}/cert.pem"),
    )


async def test_a_server_is_reached_through_tls_if_its_certificate_is_its_own(tmp_path, tls_options):
    port = free_port()
    with RedisServer(tmp_path / "redis", f"tls-port {port}", *tls_options):
        link = await Link.open(target_of(f"rediss://127.0.0.1:{port}?ca={tmp_path}/cert.pem", "x", {}))
        store = PartitionStore(link, Keys(PREFIX))
        assert await store.commit([change(await leased(store), admitted=[request(1)])]) == set()
        await link.aclose()
        with pytest.raises(FrontierError, match="certificate"):
            await Link.open(target_of(f"rediss://127.0.0.1:{port}", "x", {}))
        with pytest.raises(FrontierError, match="localhost"):
            await Link.open(target_of(f"rediss://localhost:{port}?ca={tmp_path}/cert.pem", "x", {}))
