"""Which stage of a crawl is a sampled stack at work for? Told by the innermost of its functions that is the crawler's.

The table names modules by pattern, or one function of a module as ``module:function``; the most exact line decides,
that is the longest. A module that serves all stages (`CALLER`) counts for the one that calls it. What no line names is
`OTHER`: a mistake of the table, to be mended here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache

OTHER, START_UP, EVENT_LOOP, CALLER = "other", "start-up", "event loop", ""

#: of the process that runs the loop
MAIN = {
    "fetch/*": "fetch",
    "reach.py": "fetch",
    "addresses.py": "fetch",
    "engine.py:_fetch": "fetch",
    "gate.py": "fetch",
    "politeness/*": "politeness",
    "errands.py": "politeness",
    "control.py": "politeness",
    "engine.py": "politeness",  # feed and what it waits for
    "frontier/*": "frontier",
    "fleet/*": "frontier",
    "holding.py": "frontier",
    "sharing.py": "frontier",
    "shared_seeds.py": "frontier",
    "parse/*": "hand-over",
    "pools.py": "hand-over",
    "handover.py": "hand-over",
    "engine.py:_parse": "hand-over",
    "engine.py:_parsed": "hand-over",
    "ledger.py": "ledger",
    "in_flight.py": "ledger",
    "alone.py": "ledger",
    "stats.py": "ledger",
    "counters.py": "ledger",
    "reasons.py": "ledger",
    "rule_health.py": "ledger",
    "rule_fall.py": "ledger",
    "rule_states.py": "ledger",
    "traps/*": "ledger",
    "checkpoint.py": "checkpoint",
    "batch.py": "checkpoint",
    "heap.py": "checkpoint",
    "export/*": "checkpoint",
    "archive/*": "checkpoint",
    "outputs.py": "checkpoint",
    "sinks.py": "checkpoint",
    "given.py": "checkpoint",
    "events.py": "checkpoint",
    "seedlist.py": "checkpoint",
    "spool.py": "checkpoint",
    "refresh/*": "checkpoint",
    "progress.py": "progress",
    "live/*": "progress",
    "dashboard/*": "progress",
    "report/*": "progress",
    "machine.py": "progress",
    "sparing.py": "progress",
    "views.py": "progress",
    "eta.py": "progress",
    "summary.py": "progress",
    "summary_rules.py": "progress",
    "summary_traps.py": "progress",
    "wording.py": "progress",
    "rule_history.py": "progress",
    "extract/*": "hand-over",  # pages that no process parses
    "url.py": CALLER,
    "units.py": CALLER,
    "models.py": CALLER,
    "known.py": CALLER,
    "marks.py": CALLER,
    "scope.py": CALLER,
    "errors.py": CALLER,
    "clock.py": CALLER,
    **dict.fromkeys(
        (
            "__init__.py",
            "__main__.py",
            "shortage.py",
            "account.py",
            "api.py",
            "blocking.py",
            "asked.py",
            "assembly.py",
            "build.py",
            "claims.py",
            "cli/*",
            "config/*",
            "directory.py",
            "enrolling.py",
            "fetchers.py",
            "generations.py",
            "merging/*",
            "parts.py",
            "plan.py",
            "renames.py",
            "reopen.py",
            "resume.py",
            "retry.py",
            "running.py",
            "runs.py",
            "seedfile.py",
            "seeds.py",
            "stores.py",
        ),
        START_UP,
    ),
}

#: of a parser worker
WORKER = {
    "parse/framing.py": "wire in",
    "parse/framing.py:encode_result": "wire out",
    "parse/framing.py:result_frame": "wire out",
    "parse/board.py": "wire in",
    "parse/worker.py": "wire out",  # where it sends
    "parse/known.py": "wire out",
    "parse/known.py:learn": "wire in",
    "parse/heap.py": "parse",
    "heap.py": "parse",
    "parse/entry.py": CALLER,
    "parse/forkserver.py": START_UP,
    "parse/launcher.py": START_UP,
    "extract/content.py": "decode content",
    "extract/stream_ends.py": "decode content",
    "archive/unpacked.py": "decode content",
    "extract/mime.py": "charset",
    "extract/charset*.py": "charset",
    "extract/encodings.py": "charset",
    "extract/html.py": "parse",
    "extract/walk.py": "parse",
    "extract/skim.py": "parse",
    "extract/links.py": "links",
    "extract/targets.py": "links",
    "extract/url_parts.py": "links",
    "extract/pictures.py": "links",
    "scope.py": "links",
    "extract/head.py": "head",
    "extract/robots_meta.py": "head",
    "extract/text.py": "text",
    "extract/body_text.py": "text",
    "extract/main_*.py": "text",
    "extract/markdown*.py": "text",
    "extract/reading.py": "text",
    "extract/words.py": "text",
    "extract/word_count.py": "text",
    "extract/*": "features",
    "extract/record*.py": "record",
    "extract/page.py": "record",
    "extract/html_page.py": "record",
    "extract/describe.py": "record",
    "extract/chosen.py": "record",
    "extract/settings.py": START_UP,
    "extract/rule*.py": "rules",
    "extract/scraping.py": "rules",
    "extract/hook*.py": "rules",
    "extract/transform*.py": "rules",
    "extract/robots.py": "robots and sitemaps",
    "extract/robots_match.py": "robots and sitemaps",
    "extract/sitemap*.py": "robots and sitemaps",
    "url.py": CALLER,
    "units.py": CALLER,
    "models.py": CALLER,
    "marks.py": CALLER,
    "errors.py": CALLER,
    "clock.py": CALLER,
    "config/*": START_UP,
    "__init__.py": START_UP,
}

_FRAME = re.compile(r"^(?P<function>.*) \((?P<file>[^()]*?)(?::\d+)?\)$")
_OURS = "crawler/"
#: where a loop or a thread begins: frames outside of it say nothing of what it is at
_LOOP_STARTS = frozenset(("run", "run_until_complete", "run_forever", "_run_once", "_run"))
_FOREIGN = {"aiohttp/": "fetch", "aiofiles/": "checkpoint"}


@dataclass(frozen=True, eq=False)
class Kind:
    """What a thread is for: the loop itself, what runs beside it, or pages."""

    name: str
    table: dict[str, str]
    otherwise: str  #: the stage of a stack that none of our functions is part of


LOOP = Kind("the event loop", MAIN, EVENT_LOOP)
BESIDE = Kind("threads beside it", MAIN, "files and look-ups")
WORKERS = Kind("parser workers", WORKER, OTHER)


@dataclass(frozen=True)
class Frame:
    """One function of a stack."""

    function: str  #: without its class
    file: str  #: as ``crawler/engine.py`` or ``asyncio/runners.py``


@cache
def frame(text: str) -> Frame:
    """Of a profiler's ``Class.function (package/module.py:12)``."""
    parts = _FRAME.match(text)
    return Frame(parts["function"].rpartition(".")[2], parts["file"]) if parts else Frame(text, "")


@cache
def stage_of(module: str, function: str, kind: Kind) -> str:
    """What a function of ours is part of; `module` as ``fetch/http.py``."""
    lines = [
        line
        for line in kind.table
        if fnmatchcase(module, line.partition(":")[0]) and line.partition(":")[2] in ("", function)
    ]
    return kind.table[max(lines, key=len)] if lines else OTHER


def inside(frames: list[Frame], kind: Kind) -> list[Frame] | None:
    """The part of a stack, outermost first, that tells what it is at work for; None while it loads."""
    if any(one.file.startswith("<frozen importlib") for one in frames):
        return None
    begins = _serves if kind is WORKERS else _begins_loop
    begun = [place for place, one in enumerate(frames) if begins(one)]
    return frames[begun[-1] :] if begun else None


def stage(frames: list[Frame], kind: Kind) -> str:
    """What a stack, outermost first, is at work for."""
    frames_inside = inside(frames, kind)
    if frames_inside is None:
        return START_UP
    for one in reversed(frames_inside):
        if one.file.startswith(_OURS):
            found = stage_of(one.file.removeprefix(_OURS), one.function, kind)
            if found != CALLER:
                return found
    for one in reversed(frames_inside):
        for package, found in _FOREIGN.items():
            if one.file.startswith(package):
                return found
    return kind.otherwise


def _serves(one: Frame) -> bool:
    return one == Frame("serve", "crawler/parse/worker.py")


def _begins_loop(one: Frame) -> bool:
    return one.function in _LOOP_STARTS and one.file.startswith(("asyncio/", "uvloop/", "threading.py"))
