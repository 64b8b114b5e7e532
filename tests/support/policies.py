"""Policies and requests for tests, said in few words."""

from __future__ import annotations

from crawler.config import BreakerConfig, BudgetConfig, LimitsConfig, Manners, Pace, PerAddressConfig, RobotsConfig
from crawler.models import Request
from crawler.politeness.policy import Policy
from crawler.units import Duration
from crawler.url import canonicalize, host, host_key


def request_for(url, number=1):
    url = canonicalize(url)
    return Request(url=url, host_key=host_key(url), scope_host=host(url), id=number)


def policy_for(
    clock,
    *,
    delay=1.0,
    concurrency=1,
    hosts=None,
    obey=True,
    adaptive=False,
    breaker=None,
    per_address=8,
    jitter=0.0,
    budget=None,
    pages=None,
    **rest,
):
    default = Pace(delay_s=Duration(delay), concurrency=concurrency, jitter_s=Duration(jitter))
    per_address = PerAddressConfig(concurrency=per_address)
    limits = LimitsConfig(default=default, hosts=hosts or {}, adaptive=adaptive, per_address=per_address)
    manners = Manners(
        limits=limits,
        robots=RobotsConfig(obey=obey),
        breaker=breaker or BreakerConfig(failures=None),
        budget=budget or BudgetConfig(pages=pages),
    )
    return Policy(manners, clock=clock, **rest)
