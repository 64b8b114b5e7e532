"""What must the fetch section satisfy beyond its types?  Its part of `crawler.config.rules`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.config.base import dotted_key
from crawler.config.fetching import DIRECT, ENVIRONMENT
from crawler.config.headers import (
    auth_problem,
    contact_problem,
    header_name_problem,
    header_value_problem,
    user_agent_problem,
)
from crawler.config.hosts import address_problem, host_problem, name_problem, network_problem, split_port
from crawler.config.problem import Problem, quoted
from crawler.config.proxies import proxy_problem
from crawler.config.secrets import LEFT_OUT, Spot, reference_problem, shown, stand_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from crawler.config import FetchConfig, HostFetchConfig


def fetching(fetch: FetchConfig) -> Iterator[Problem]:
    """Everything wrong with `fetch`. What is secret is not quoted; what was left out is for `secrets` to tell."""
    if problem := user_agent_problem(fetch.user_agent):
        yield Problem("fetch.user_agent", quoted(fetch.user_agent), problem)
    if fetch.contact is not None and (problem := contact_problem(fetch.contact)):
        yield Problem("fetch.from", quoted(fetch.contact), problem)
    yield from _headers(fetch.headers, "fetch")
    yield from _proxies(fetch.proxy, "fetch")
    for pattern, address in fetch.resolve.items():
        key = dotted_key("fetch.resolve", pattern)
        if problem := name_problem(pattern):
            yield Problem(key, quoted(pattern), problem)
        if problem := address_problem(address):
            yield Problem(key, quoted(address), problem)
    for position, network in enumerate(fetch.allow_addresses):
        if problem := network_problem(network):
            yield Problem(f"fetch.allow_addresses[{position}]", quoted(network), problem)
    for pattern, host in fetch.hosts.items():
        key = dotted_key("fetch.hosts", pattern)
        if problem := host_problem(pattern):
            every = "; for every host write it into fetch itself" if pattern == "*" else ""
            yield Problem(key, quoted(pattern), problem + every)
        yield from _host(pattern, host, key)


def _host(pattern: str, host: HostFetchConfig, key: str) -> Iterator[Problem]:
    yield from _headers(host.headers, key)
    yield from _proxies(host.proxy, key)
    if host.verify is False and pattern.startswith("*."):
        from crawler.url import is_public_suffix  # noqa: PLC0415 - its list takes long to load

        if is_public_suffix(split_port(pattern.removeprefix("*."))[0]):
            expected = f"expected hosts of one owner: {pattern} covers everybody's, none of whom could be told apart"
            yield Problem(f"{key}.verify", "false", expected)
    if host.cookies == "":
        yield Problem(f"{key}.cookies", '""', "expected the path of a cookies.txt file")
    if host.auth is None:
        return
    yield from _text(Spot("auth", f"{key}.auth"), host.auth)
    for name in host.headers:
        if name.lower() == "authorization":
            expected = "expected auth or this header, not both: auth is sent as Authorization"
            yield Problem(dotted_key(f"{key}.headers", name), name, expected)


def _headers(headers: Mapping[str, str], key: str) -> Iterator[Problem]:
    known: dict[str, str] = {}
    for name, value in headers.items():
        dotted = dotted_key(f"{key}.headers", name)
        if problem := header_name_problem(name):
            yield Problem(dotted, quoted(name), problem)
        elif (before := known.setdefault(name.lower(), name)) != name:
            yield Problem(dotted, name, f"expected each header once, whatever its case: there is {before}")
        else:
            yield from _text(Spot("header", dotted, name), value)


def _proxies(proxy: str | tuple[str, ...] | None, key: str) -> Iterator[Problem]:
    if isinstance(proxy, str):
        if proxy not in (DIRECT, ENVIRONMENT):
            yield from _text(Spot("proxy", f"{key}.proxy"), proxy)
        return
    for position, url in enumerate(proxy or ()):
        dotted = f"{key}.proxy[{position}]"
        if url in (DIRECT, ENVIRONMENT):
            yield Problem(dotted, url, f"expected it alone, without a list: proxy: {url}")
        else:
            yield from _text(Spot("proxy", dotted), url)


def _text(spot: Spot, text: str) -> Iterator[Problem]:
    """What is wrong with a text that may hold secrets and ``${NAME}``, as far as that can be seen without a value."""
    if LEFT_OUT in text:
        return
    problem = reference_problem(text)
    if problem is None and spot.kind == "header":
        problem = header_value_problem(text)
    elif problem is None and not text.startswith("${"):  # which may be all of it
        problem = auth_problem(text) if spot.kind == "auth" else proxy_problem(stand_in(text))
    if problem:
        yield Problem(spot.key, quoted(shown(spot, text)), problem)
