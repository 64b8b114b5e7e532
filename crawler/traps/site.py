"""What does one site repeat, and where does that lead? All hosts of a registrable domain are one site.

A page is a *repeat* if its site has said the same under many other URLs. That alone is common: versions,
translations, pages that are not there. A trap has more: its repeats are found on repeats, again and again, and hardly
anything new is. So what is stopped is only ever what was found on a repeat (or on one more choice of facets), and what
a page of substance leads to is always fetched: however many URLs a site has, those that such pages list come to an end
by themselves.

There are two ways to be a repeat. *Exact*: the same words and numbers, for all URLs. *Loose*: the same but for numbers,
compared within one family of URLs (`shapes`) only, and only if no link leads out of it that was not there before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xxhash import xxh3_64_intdigest

from crawler.traps.group import MAX_CONTENTS, MAX_FAMILY_CONTENTS, Group
from crawler.traps.ids import Ids
from crawler.traps.shapes import Kind, family
from crawler.url import Url

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from crawler.config import TrapsConfig
    from crawler.marks import Marks
    from crawler.models import Link, Request
    from crawler.traps.shapes import Family

MAX_REPEATS, MAX_FAMILIES = 16_384, 32
"""Of one site: hashes of URLs of repeats, and families, that are remembered."""
SUBSTANCE, EXACT, LOOSE = 0, 1, 2
HOSTS_OF_MIRRORS = 5
REPEATS = "repeats"  #: of no family in particular

_SHARES = {Kind.CALENDAR: 1.0, Kind.PAGINATION: 0.5, Kind.FACETS: 0.1, Kind.DEEP: 0.5}
"""How many copies make a repeat, of ``traps.copies``: the fewer, the less such URLs are worth."""
_SUSPICIOUS = 2
_WATCHED = 6  # times `traps.pages`, after which an innocent site is left alone


class Site:
    """One site.

    Args:
        name: Its registrable domain, or host.
        config: The thresholds.
    """

    __slots__ = (
        "_config", "_signs", "_watched_for", "deep", "groups", "hosts", "ids", "name", "next_at", "pages_at", "pause_s",
        "repeats", "stopped", "threshold", "watched", "whole",
    )  # fmt: skip

    def __init__(self, name: str, config: TrapsConfig) -> None:
        self.name = name
        self._config = config
        self.whole = Group(MAX_CONTENTS)
        self.groups: dict[Family, Group] = {}
        self.ids = Ids(config.copies, max(1, config.pages // 2), config.new_share)
        #: hash of a repeat's URL -> `EXACT`, `LOOSE` or both added; `SUBSTANCE` for a choice that was none
        self.repeats: dict[int, int] = {}
        #: patterns of families, and `REPEATS`
        self.stopped: set[str] = set()
        self.watched = False
        self.threshold = _SUSPICIOUS
        self._signs = 0
        self._watched_for = 0
        self.hosts: set[str] = set()
        self.deep = 0
        #: monotonic: when a suspect may be requested, when a page came last; what lies between two pages
        self.next_at = self.pages_at = self.pause_s = 0.0

    def __len__(self) -> int:
        """How much is remembered, in hashes."""
        families = sum(map(len, self.groups.values()))
        return len(self.whole.contents) + len(self.repeats) + len(self.ids) + families + 16

    @property
    def has_stopped(self) -> bool:
        """Whether anything of it is stopped."""
        return bool(self.stopped or self.ids.stopped)

    def forget_half(self) -> None:
        """Forget the older half of what is large."""
        for table in (self.repeats, self.whole.contents):
            for key in list(table)[: len(table) // 2]:
                del table[key]
        for group in self.groups.values():
            group.forget()
        self.ids.forget_half()

    def learn(self, request: Request, marks: Marks, links: Iterable[Link]) -> list[tuple[Kind, str]]:
        """Take in a page. Returns what is to be stopped now, sorts of traps and patterns."""
        config, of = self._config, family(request.url, self._config.depth)
        exact, copies = self.whole.seen_either(marks.words, marks.others)
        is_exact, is_new, is_loose, group, loose = copies > config.copies, copies == 1, False, None, 0
        if of is not None and (group := self._group(of)) is not None:
            group.pages += 1
            if of.kind is Kind.FACETS:
                group.choose(request)
            loose, alike = group.seen_either(marks.loose_words, marks.loose_others)
            leads_on = group.leads_on(marks.leads if of.kind is not Kind.FACETS else _new(links, marks.leads))
            is_loose = alike > _SHARES[of.kind] * config.copies and not leads_on
            is_new = is_new and (alike == 1 or leads_on)
            is_exact = is_exact and not leads_on
        found_on_repeat = self._is_repeat(request.via)
        if found_on_repeat:
            self.whole.found_on_repeat(request, exact, repeat=is_exact, fresh=is_new)
            if is_exact:
                self._note_place(request, of)
        if group is not None and of is not None and (found_on_repeat or self._is_mere_choice(of, request.via)):
            group.found_on_repeat(request, loose, repeat=is_loose, fresh=is_new)
        if is_exact or is_loose:
            self._remember(request.url, is_exact * EXACT + is_loose * LOOSE)
        elif is_new and of is not None and of.kind is Kind.FACETS:
            self._remember(request.url, SUBSTANCE)
        self._suspect(sign=not is_new)
        return self._to_stop(request, exact, of, group)

    def refused(self, request: Request) -> str | None:
        """The stopped pattern that `request` is part of; None if it may be made."""
        if self.ids.stopped and (name := self.ids.refused(request)):
            return name
        if request.via is None:
            return None
        of, how = family(request.url, self._config.depth), self._is_repeat(request.via)
        if of is not None and of.pattern in self.stopped and (how or self._is_mere_choice(of, request.via)):
            return of.pattern
        return REPEATS if how & EXACT and REPEATS in self.stopped else None

    def is_suspect(self, request: Request) -> bool:
        """Whether `request` is part of what will be stopped if it goes on like that."""
        if self.ids.is_suspect(request):
            return True
        if request.via is None:
            return False
        of, how, half = family(request.url, self._config.depth), self._is_repeat(request.via), self._config.pages / 2
        if how & EXACT and self._is_trap(self.whole, half):
            return True
        group = self.groups.get(of) if of is not None else None
        if of is None or group is None or not self._is_trap(group, half):
            return False
        if of.kind is Kind.FACETS and not group.are_choices:
            return False  # of numbers, not of choices: it will never be stopped
        return bool(how) or self._is_mere_choice(of, request.via)

    def pattern_of_part(self, name: str) -> str:
        """How a stopped part of URLs is shown."""
        return f"{self.name}/*{name}=*" if not name.startswith(("segment", "all")) else f"{self.name}/* ({name})"

    def pattern_of_repeats(self) -> str:
        """How the exact repeats of the whole site are shown."""
        if len(self.hosts) >= HOSTS_OF_MIRRORS:
            return f"*.{self.name}/*"
        return f"{min(self.hosts, default=self.name)}/*"

    def _kind_of_repeats(self) -> Kind:
        """What they amount to."""
        if len(self.hosts) >= HOSTS_OF_MIRRORS:
            return Kind.MIRRORS
        return Kind.DEEP if self.deep * 2 > self.whole.counted.repeats else Kind.SAME_PAGE

    def _to_stop(self, request: Request, exact: int, of: Family | None, group: Group | None) -> list[tuple[Kind, str]]:
        pages = self._config.pages
        found = [(Kind.SESSION, name) for name in self.ids.learn(request, exact)] if self.watched else []
        if REPEATS not in self.stopped and self._is_trap(self.whole, pages):
            self.stopped.add(REPEATS)
            found.append((self._kind_of_repeats(), REPEATS))
        if group is None or of is None or of.pattern in self.stopped or not self._is_trap(group, pages):
            return found
        if of.kind is not Kind.FACETS or group.are_choices:
            self.stopped.add(of.pattern)
            found.append((of.kind, of.pattern))
        return found

    def _is_trap(self, group: Group, pages: float) -> bool:
        counted = group.counted
        return counted.repeats >= pages and counted.fresh <= self._config.new_share * counted.repeats

    def _is_mere_choice(self, of: Family, url: str | None) -> bool:
        """Whether the page at `url` is a choice of the family, and was not seen to be of substance.

        Each choice leads to all that have one more: those found on the first few would be far too many.
        """
        if of.kind is not Kind.FACETS or url is None or xxh3_64_intdigest(url.encode()) in self.repeats:
            return False
        return family(Url(url), self._config.depth) == of

    def _is_repeat(self, url: str | None) -> int:
        """How the page at `url` is a repeat; 0 if it is none, or not known to be one."""
        return self.repeats.get(xxh3_64_intdigest(url.encode()), 0) if url else 0

    def _remember(self, url: str, how: int) -> None:
        if len(self.repeats) >= MAX_REPEATS:
            del self.repeats[next(iter(self.repeats))]
        self.repeats[xxh3_64_intdigest(url.encode())] = how

    def _group(self, of: Family) -> Group | None:
        group = self.groups.get(of)
        if group is None:
            if len(self.groups) >= MAX_FAMILIES and not self._forget_family():
                return None
            group = self.groups[of] = Group(MAX_FAMILY_CONTENTS)
        return group

    def _forget_family(self) -> bool:
        """Make room for another, if there is one that is not stopped."""
        known = [of for of in self.groups if of.pattern not in self.stopped]
        if not known:
            return False
        for group in self.groups.values():
            group.pages //= 2  # so that an old one does not stay for ever
        del self.groups[min(known, key=lambda of: self.groups[of].pages)]
        return True

    def _note_place(self, request: Request, of: Family | None) -> None:
        if len(self.hosts) < HOSTS_OF_MIRRORS:
            self.hosts.add(request.host_key)
        self.deep += of is not None and of.kind is Kind.DEEP

    def _suspect(self, *, sign: bool) -> None:
        """Watch the site if there is reason to; stop watching when nothing came of it."""
        self._signs += sign
        if not self.watched:
            self.watched = self._signs >= self.threshold
            self._watched_for = 0
            return
        self._watched_for += 1
        if self._watched_for >= _WATCHED * self._config.pages and not self.has_stopped:
            found = max([self.whole.counted.repeats, *(g.counted.repeats for g in self.groups.values())])
            if found < self._config.pages / 4:
                self.watched, self.threshold, self._signs = False, self.threshold * 4, 0
            self._watched_for = 0


def _new(links: Iterable[Link], leads: Collection[int]) -> list[int]:
    """Those of `leads` that are not known to the crawl, as far as that is known.

    Choices among many items lead to others each time. That they are new in this combination makes them no better.
    """
    new = {link.fingerprint for link in links}
    return [fingerprint for fingerprint in leads if fingerprint in new]
