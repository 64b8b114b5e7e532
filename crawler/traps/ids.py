"""Which parts of a site's URLs say nothing? Those whose every value leads to the same pages: session ids.

A part is stopped only if it was on the page before as well (a listing's links to its items have a part that the
listing has not), if it was seen on several pages under ever more values, and if these pages hardly ever differed by
it. From then on a page is fetched under one value only, whichever comes first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xxhash import xxh3_64_intdigest

from crawler.traps.shapes import part_names, parts

if TYPE_CHECKING:
    from crawler.models import Request, Url
    from crawler.traps.shapes import Part

MAX_PAGES, MAX_PAGES_STOPPED = 16_384, 65_536
"""Pages without some part of their URL that are remembered of a site, and those without a part that is stopped, 100 to
150 bytes each: the latter are the more as none beyond them is fetched, as it may be one of those that were."""
MAX_NAMES = 64
_LEAST_PAGES = 3
_MAX_VALUES = 1_000
_HANDED_ON = 0.9
_FETCHED = (0, 0)  # all that is remembered once a part is stopped


class Tally:
    """One part of URLs, by its name."""

    __slots__ = ("differ", "examples", "handed_on", "pages", "same", "values")

    def __init__(self) -> None:
        self.same = 0
        self.differ = 0
        self.handed_on = 0
        self.values: set[int] = set()
        self.pages: set[int] = set()
        self.examples: list[str] = []


class Ids:
    """The parts of one site's URLs.

    Args:
        copies: So many values, and one more, make a part that may be stopped.
        repeats: So many pages that said the same under another value.
        new_share: Of these, so many may have differed.
    """

    __slots__ = ("_copies", "_new_share", "_noted", "_repeats", "_seen", "_tallies", "stopped")

    def __init__(self, copies: int, repeats: int, new_share: float) -> None:
        self._copies = copies
        self._repeats = repeats
        self._new_share = new_share
        self._tallies: dict[str, Tally] = {}
        self._noted = 0  # values in all of them
        #: hash of name and rest -> what the page said, and which value it had
        self._seen: dict[int, tuple[int, int]] = {}
        self.stopped: set[str] = set()

    def __len__(self) -> int:
        return len(self._seen) + self._noted

    def forget_half(self) -> None:
        """Forget the older half of all pages, and values; of a stopped part some are then fetched once more."""
        for key in list(self._seen)[: len(self._seen) // 2]:
            del self._seen[key]
        for tally in self._tallies.values():
            tally.values.clear()
        self._noted = 0

    def tally(self, name: str) -> Tally:
        """What is known of a part."""
        return self._tallies.get(name) or Tally()

    def learn(self, request: Request, exact: int) -> list[str]:
        """Take in a page and what it says. Returns the names of parts that are to be stopped now."""
        found = []
        before: set[str] | None = None
        for part in parts(request.url):
            value, key = xxh3_64_intdigest(part.value.encode()), _key(part)
            seen = self._seen.get(key)
            if part.name in self.stopped:
                if seen is None and len(self._seen) < MAX_PAGES_STOPPED:
                    self._seen[key] = _FETCHED
            elif seen is None:
                self._remember(key, exact, value)
            elif seen[1] != value and (tally := self._tally(part.name)) is not None:
                if seen[0] != exact:
                    tally.differ += 1
                    continue
                if before is None:
                    before = _names_before(request)
                self._count(tally, key, value, request.url, handed_on=part.name in before)
                if self._is_idle(tally, self._repeats, self._copies):
                    found.append(part.name)
        self.stopped.update(found)
        return found

    def refused(self, request: Request) -> str | None:
        """The stopped part but for which the page was fetched already; None if there is none."""
        for part in parts(request.url):
            if part.name in self.stopped and part.name in _names_before(request):
                seen = self._seen.get(_key(part))
                if seen is None and len(self._seen) >= MAX_PAGES_STOPPED:
                    return part.name  # can't be told apart from what was forgotten
                if seen is not None and seen[1] != xxh3_64_intdigest(part.value.encode()):
                    return part.name
        return None

    def is_suspect(self, request: Request) -> bool:
        """Whether `request` has a part that may be stopped soon."""
        half = self._repeats / 2
        if not any(tally.same >= half for tally in self._tallies.values()):
            return False  # most sites end here, sooner than a URL is taken apart
        return any(
            (tally := self._tallies.get(part.name)) is not None
            and self._is_idle(tally, half, self._copies * 0.75)
            and _key(part) in self._seen
            for part in parts(request.url)
        )

    def _is_idle(self, tally: Tally, repeats: float, copies: float) -> bool:
        return (
            tally.same >= repeats
            and len(tally.values) > copies
            and len(tally.pages) >= _LEAST_PAGES
            and tally.differ <= self._new_share * tally.same
            and tally.handed_on >= _HANDED_ON * tally.same
        )

    def _tally(self, name: str) -> Tally | None:
        tally = self._tallies.get(name)
        if tally is None and len(self._tallies) < MAX_NAMES:
            tally = self._tallies[name] = Tally()
        return tally

    def _count(self, tally: Tally, key: int, value: int, url: Url, *, handed_on: bool) -> None:
        tally.same += 1
        tally.handed_on += handed_on
        if len(tally.values) < _MAX_VALUES and value not in tally.values:
            tally.values.add(value)
            self._noted += 1
        if len(tally.pages) < _LEAST_PAGES:
            tally.pages.add(key)
        tally.examples = [*tally.examples[-2:], url]

    def _remember(self, key: int, exact: int, value: int) -> None:
        if len(self._seen) >= MAX_PAGES:
            if self.stopped:
                return
            del self._seen[next(iter(self._seen))]
        self._seen[key] = exact, value


def _key(part: Part) -> int:
    return xxh3_64_intdigest(f"{part.name}\n{part.rest}".encode())


def _names_before(request: Request) -> set[str]:
    """The parts of the page it was found on."""
    return part_names(request.via) if request.via else set()  # type: ignore[arg-type] # canonical, as all URLs found
