"""May a crawl be trusted to this server?

It must not throw keys away when its memory is full, must know the commands that are used, and, on another machine, must
ask who comes. What it says of itself is asked for with INFO: managed servers often forbid CONFIG.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final

from redis.asyncio.cluster import RedisCluster
from redis.exceptions import RedisError

from crawler.errors import ConfigError, FrontierError

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from crawler.fleet.target import Target

OLDEST: Final = (6, 2)
"""The first version that trims a stream by the least id that is kept (XTRIM MINID)."""

KEEPING: Final = "noeviction"


def check_authorities(target: Target) -> None:
    """See that the file of authorities is one.

    Raises:
        ConfigError: It is not.
    """
    if target.ca is None:
        return
    try:
        ssl.create_default_context(cafile=target.ca)
    except OSError as error:
        raise ConfigError(f"{target.ca}, the ca of Redis at {target.address}, cannot be used ({error})") from error


async def is_cluster(client: Redis) -> bool:
    """Whether the server is a node of a cluster."""
    return bool((await client.info("cluster")).get("cluster_enabled"))


async def check_server(client: Redis | RedisCluster, target: Target) -> list[str]:
    """See what the server, or each that writes in a cluster, says of itself.

    Returns:
        What the user should know: that nothing is kept on disk.

    Raises:
        ConfigError: It is too old, throws away keys, or is a cluster with a database that is not there.
    """
    if isinstance(client, RedisCluster) and target.database:
        raise ConfigError(f"Redis at {target.address} is a cluster, which has database 0 alone")
    warnings = []
    for address, told in await _told(client, target):
        version = str(told.get("redis_version", "0"))
        if _numbers(version) < OLDEST:
            wanted = ".".join(map(str, OLDEST))
            raise ConfigError(f"{address} is Redis {version}; a crawl needs Redis {wanted} or later, or Valkey")
        policy = told.get("maxmemory_policy", KEEPING)
        if policy != KEEPING:
            raise ConfigError(
                f"{address} throws keys away when its memory is full (maxmemory-policy {policy}), and a crawl's with "
                f"them; set maxmemory-policy {KEEPING}"
            )
        if not await _is_kept(client, told):
            warnings.append(f"{address} keeps nothing on disk: if it ends, the crawl is lost (appendonly yes)")
    return warnings


async def check_strangers(target: Target, silence_s: float) -> None:
    """See that a server on another machine answers nobody who does not say who he is.

    Raises:
        ConfigError: It does.
        FrontierError: It cannot be reached.
    """
    context = ssl.create_default_context(cafile=target.ca) if target.tls else None
    try:
        async with asyncio.timeout(silence_s):
            reader, writer = await asyncio.open_connection(target.host, target.port, ssl=context)
            try:
                if _is_here(writer.get_extra_info("peername")[0]):
                    return
                writer.write(b"PING\r\n")
                answer = await reader.readline()
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
    except (OSError, TimeoutError) as error:
        what = "does not answer" if isinstance(error, TimeoutError) else str(error)
        raise FrontierError(f"Redis at {target.address} cannot be reached: {what}") from error
    if answer.startswith((b"+PONG", b"-LOADING", b"-MASTERDOWN")):
        raise ConfigError(
            f"Redis at {target.address} is on another machine and asks for no password, so that anybody may read and "
            "change the crawl; give it one (requirepass, or an ACL user), or set fleet.allow_unauthenticated: true"
        )


def _is_here(address: str) -> bool:
    """Whether nobody else can reach it."""
    return ip_address(address.partition("%")[0]).is_loopback


async def _told(client: Redis | RedisCluster, target: Target) -> list[tuple[str, dict[str, Any]]]:
    """Of each server that writes, its address, and what INFO says."""
    if not isinstance(client, RedisCluster):
        return [(f"Redis at {target.address}", await client.info())]
    await client.initialize()
    told = []
    for node in client.get_primaries():
        answer = await client.execute_command("INFO", target_nodes=node)
        told.append((f"Redis at {node.host}:{node.port}", answer.get(node.name, answer)))
    return told


async def _is_kept(client: Redis | RedisCluster, told: dict[str, Any]) -> bool:
    """Whether it writes what it holds to disk, as far as it tells."""
    if told.get("aof_enabled"):
        return True
    try:
        saved = await client.config_get("save")
    except RedisError:
        return True  # a server that does not say how it is set up is somebody's who sees to it
    values = saved.values() if isinstance(saved, dict) else ()
    return any(values)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
