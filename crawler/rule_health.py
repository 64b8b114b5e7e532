"""How do scraping rules fare: which fields are filled how often, on which hosts, and has that become worse?

Counted in the main process from what each page says of its rules (`models.Fill`). Its state travels with each
checkpoint, so that a resumed crawl counts on, exactly. Hosts are told apart as long as there is room; the others are
counted together.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import msgspec

from crawler.rule_fall import Fall
from crawler.rule_states import OTHER_HOSTS, Stored
from crawler.sinks import rejects_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from crawler.config import RuleConfig
    from crawler.models import Fill
    from crawler.rule_fall import Fallen

log = logging.getLogger(__name__)

RULES = "rules"
"""The name of the blob in which checkpoints keep it."""
MAX_CELLS = 2_000
"""Fields x hosts that are told apart: what is stored with a checkpoint is of that size, under 100 KB."""
MAX_HOSTS_TOLD = 20
MAX_TOLD = 200
"""Of warnings in one run."""
MAX_FIELDS = 200
_FEW = 20  # items: of fewer, a host's share says little


class HostFill(msgspec.Struct, frozen=True, kw_only=True):
    """How a rule fared on one host, or on all."""

    pages: int = 0  #: that it matched
    records: int = 0
    rejects: int = 0
    #: field -> share of records and rejects in which it had a value of its own, defaults not counted
    fill: dict[str, float] = {}


class RuleSummary(HostFill, frozen=True, kw_only=True):
    """How a rule fared: its part of summary.json."""

    #: those with the most records and rejects
    hosts: dict[str, HostFill] = {}


class _Tally:
    """One rule on one host, or summed."""

    __slots__ = ("falls", "filled", "items", "pages", "records", "rejects")

    def __init__(self) -> None:
        self.pages = 0
        self.items = 0  # records and rejects of which `filled` tells
        self.records = 0
        self.rejects = 0
        self.filled: dict[str, int] = {}
        self.falls: dict[str, Fall] = {}

    def add(self, other: _Tally) -> None:
        self.pages += other.pages
        self.items += other.items
        self.records += other.records
        self.rejects += other.rejects
        for field, count in other.filled.items():
            self.filled[field] = self.filled.get(field, 0) + count

    def told(self, fields: Iterable[str]) -> HostFill:
        shares = {field: round(self.filled.get(field, 0) / self.items, 4) for field in fields} if self.items else {}
        return HostFill(pages=self.pages, records=self.records, rejects=self.rejects, fill=shares)


class RuleHealth:
    """Counts how rules fare. A `crawler.checkpoint.Keeper`.

    Args:
        rules: As configured.
        function: The name of the user's own, whose records have no fields that are known.
    """

    def __init__(self, rules: Sequence[RuleConfig], function: str | None = None) -> None:
        self._fields = {rule.name: list(rule.fields) for rule in rules if rule.fields}
        if function is not None:
            self._fields[function] = []
        # What matches every page need not find anything on most, in whatever order these come.
        self._selective = {rule.name for rule in rules if rule.match is not None}
        self._tallies: dict[tuple[str, str], _Tally] = {}
        self._cells = 0
        self._changed = False
        self._state = b""
        self._stored: list[Stored] = []  # what `_state` is of
        #: what has fallen since this run began, in plain lines
        self.fallen: list[str] = []

    def saw(self, host: str, fills: Sequence[Fill]) -> None:
        """Take in what a page of `host` says of its rules."""
        for fill in fills:
            fields = self._fields.setdefault(fill.rule, [])
            for name in fill.filled.keys() - set(fields):
                if len(fields) < MAX_FIELDS:
                    fields.append(name)
            place, tally = self._tally(fill.rule, host, fields)
            self._count(place, tally, fill, fields)
            self._changed = True

    def account(self) -> dict[str, RuleSummary]:
        """All there is to tell, by rule, in the order of the configuration."""
        told = {}
        for rule, fields in self._fields.items():
            by_host = {host: tally for (of, host), tally in self._tallies.items() if of == rule}
            whole = _Tally()
            for tally in by_host.values():
                whole.add(tally)
            most = sorted(by_host.items(), key=lambda item: (-item[1].items, item[0]))[:MAX_HOSTS_TOLD]
            hosts = {host: tally.told(fields) for host, tally in most}
            told[rule] = RuleSummary(**msgspec.structs.asdict(whole.told(fields)), hosts=hosts)
        return told

    def restore(self, state: bytes) -> None:
        """See `Keeper.restore`."""
        if not state:
            return
        self._stored = msgspec.msgpack.decode(state, type=list[Stored])
        for stored in self._stored:
            tally = _Tally()
            tally.pages, tally.items = stored.pages, stored.items
            tally.records, tally.rejects = stored.records, stored.rejects
            tally.filled = dict(stored.filled)
            tally.falls = {name: Fall.restored(fall) for name, fall in stored.falls.items()}
            self._tallies[stored.rule, stored.host] = tally
            self._cells += 1 + len(stored.filled)
            fields = self._fields.setdefault(stored.rule, [])
            fields += [name for name in stored.filled if name not in fields]
        self._state = state

    def state(self) -> bytes:
        """See `Keeper.state`."""
        if self._changed:
            self._stored = [
                Stored(
                    rule=rule,
                    host=host,
                    pages=tally.pages,
                    items=tally.items,
                    records=tally.records,
                    rejects=tally.rejects,
                    filled=dict(tally.filled),
                    falls={name: fall.state() for name, fall in tally.falls.items()},
                )
                for (rule, host), tally in self._tallies.items()
            ]
            self._state = msgspec.msgpack.encode(self._stored)
            self._changed = False
        return self._state

    def carried(self, lines: Mapping[str, int]) -> bytes:
        """Count records that an earlier generation has made, which say nothing of how rules fare now: what `state`
        returned last, with them besides.

        Args:
            lines: By sink: a rule's own, or of what it rejects.
        """
        for rule, fields in list(self._fields.items()):
            records, rejects = lines.get(rule, 0), lines.get(rejects_of(rule), 0)
            if not records and not rejects:
                continue
            for tally in (self._tally_of(rule, fields), self._stored_of(rule)):
                tally.records += records
                tally.rejects += rejects
            self._changed = True
        self._state = msgspec.msgpack.encode(self._stored)
        return self._state

    def _tally_of(self, rule: str, fields: Sequence[str]) -> _Tally:
        found = self._tallies.get((rule, OTHER_HOSTS))
        if found is None:
            found = self._tallies[rule, OTHER_HOSTS] = _Tally()
            self._cells += 1 + len(fields)
        return found

    def _stored_of(self, rule: str) -> Stored:
        found = next((one for one in self._stored if (one.rule, one.host) == (rule, OTHER_HOSTS)), None)
        if found is None:
            found = Stored(rule, OTHER_HOSTS, 0, 0, 0, 0, {}, {})
            self._stored.append(found)
        return found

    async def sync(self, *, fsync: bool) -> None:
        """See `Keeper.sync`: there is nothing but the state."""

    def _tally(self, rule: str, host: str, fields: Sequence[str]) -> tuple[str, _Tally]:
        found = self._tallies.get((rule, host))
        if found is None and self._cells + len(fields) >= MAX_CELLS:
            host = OTHER_HOSTS
            found = self._tallies.get((rule, host))
        if found is None:
            found = self._tallies[rule, host] = _Tally()
            self._cells += 1 + len(fields)
        return host, found

    def _count(self, host: str, tally: _Tally, fill: Fill, fields: Sequence[str]) -> None:
        items = fill.records + fill.rejects
        tally.pages += 1
        tally.items += items
        tally.records += fill.records
        tally.rejects += fill.rejects
        shares = {"": float(bool(items))} if fill.rule in self._selective else {}
        if items:
            for field in fields:
                count = min(fill.filled.get(field, 0), items)
                tally.filled[field] = tally.filled.get(field, 0) + count
                shares[field] = count / items
        if host == OTHER_HOSTS:  # no history of its own
            return
        for field, share in shares.items():
            fall = tally.falls.get(field)
            if fall is None:
                fall = tally.falls[field] = Fall()
            if fallen := fall.saw(share):
                self._tell(fill.rule, field, host, fallen)

    def _tell(self, rule: str, field: str, host: str, fallen: Fallen) -> None:
        what = f"{rule}.{field} is filled" if field else f"{rule} finds anything"
        text = (
            f"{what} on {fallen.now:.1%} of the last {fallen.pages_now:,} pages of {host}, "
            f"and was on {fallen.before:.1%} of {fallen.pages_before:,} before: the site may have changed"
        )
        if len(self.fallen) == MAX_TOLD:
            return
        self.fallen.append(text)
        log.warning("a rule finds less than before", extra={"host": host, "why": text})
        if len(self.fallen) == MAX_TOLD:
            log.warning("what else rules find less of is no longer told")


def worst_host(rule: RuleSummary, field: str) -> tuple[str, float] | None:
    """The host where a field is filled least, if that is well below the whole; None if no host stands out."""
    shares = [
        (of.fill.get(field, 0.0), host)
        for host, of in rule.hosts.items()
        if of.records + of.rejects >= _FEW and host != OTHER_HOSTS
    ]
    if len(rule.hosts) < 2 or not shares:
        return None
    share, host = min(shares)
    return (host, share) if share < 0.8 * rule.fill.get(field, 0.0) else None
