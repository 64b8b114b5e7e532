"""How does one worker take its part in a crawl, from joining to the end?

Theory of operation. Seven coroutines, each of which sleeps until something is said to it (`calls`), or a time has come:

    listen      events of others -> the coroutines concerned
    pulse       a heartbeat and the renewal of all leases, three times a lease; a heartbeat alone when others have to
                know something; and at the moment at which another worker's, or the leader's, would be overdue
    take        what the plan gives and nobody holds is leased, loaded, and crawled from then on
    give        what the plan gives to others is given back, once nothing of it is under way
    receive     inboxes are taken in, of partitions of which it was heard, and of all with each pulse
    lead        as the leader: plans, and the end of the crawl (`leading`)

A plan is a wish, a lease is what counts: two workers never hold a partition, whatever they have heard of plans. Events
may be lost, heartbeats may not: each brings all there is to know, so that whatever was missed is made good within a
third of a lease.

Where Redis is away, calls wait (`link`), leases lapse, and `holds` says so at once. When it is back, those that nobody
took are renewed, as if nothing had been; the others are lost, and forgotten.
"""

from __future__ import annotations

import asyncio
import logging
import time
from math import inf
from typing import TYPE_CHECKING

from msgspec.structs import replace

from crawler.errors import FrontierError
from crawler.fleet.calls import Call
from crawler.fleet.control import RUNNING, Orders
from crawler.fleet.hearing import ALL, listen
from crawler.fleet.leading import Leader
from crawler.fleet.leases import Leases
from crawler.fleet.members import Flags, Members, Units
from crawler.fleet.models import Plan

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
