"""A crawl of as many pages as asked for that has ended, without one: its files and its store, as a crawl would have
left them.

Records are put together from pieces that are encoded once, so that 100,000 of them take seconds. What a report must say
of them follows from their numbers: `Large`.
"""

from __future__ import annotations

import random
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from crawler.account import Summary
from crawler.clock import rfc3339
from crawler.config import CrawlConfig, ExtractConfig, RuleConfig
from crawler.config.file import dump
from crawler.directory import CrawlDirectory
from crawler.export.outcomes import OutcomeRecord
from crawler.frontier.sqlite_schema import open_store
from crawler.models import Outcome, Robots
from tests.support.small_crawl import page_record, request
from tests.support.web import WORDS

if TYPE_CHECKING:
    from pathlib import Path

BEGAN_AT = 1_800_000_000.0
RULE = RuleConfig(name="product", fields={"name": "h1", "price": ".price"})
_KINDS = [
    (Outcome.FAILED, "http_404", 404),
    (Outcome.FAILED, "timeout", None),
    (Outcome.REDIRECTED, None, 301),
    (Outcome.EXCLUDED, "robots", None),
    (Outcome.FETCHED, "not_html", 200),
]
_LANGUAGES = ("en", "de", "fr", "ja", None)
_BODIES = 200


@dataclass
class Large:
    """What was made."""

    pages: int
    folder: Path
    outcomes: Counter = field(default_factory=Counter)
    reasons: Counter = field(default_factory=Counter)
    #: host -> pages
    hosts: Counter = field(default_factory=Counter)
    duplicates: int = 0  #: pages that share their bytes with others
    dead: int = 0  #: URLs
    pending: int = 0


def make(folder: Path, pages: int, *, hosts: int = 300, links: int = 20, words: int = 150) -> Large:
    """Make it in `folder`. For ten pages there are three other ends, one of them a dead link."""
    folder.mkdir(exist_ok=True)
    draw = random.Random(7)
    made = Large(pages, folder)
    directory = CrawlDirectory(folder)
    config = CrawlConfig(name="large", seeds=("https://host-0.test/",), extract=ExtractConfig(rules=(RULE,)))
    directory.config.write_text(dump(config))
    others = pages * 3 // 10
    rows = []  # (id, host number, depth, via, url), (outcome, reason, status, target, at, has_page)
    tails = [_tail(draw, body, others, links, words) for body in range(_BODIES)]
    step_s = 3600 / max(1, pages)
    with directory.records("pages").open("wb") as out:
        for number in range(pages):
            host = min(int(draw.expovariate(8 / hosts)), hosts - 1)
            depth, url = number.bit_length() // 2, f"https://host-{host}.test/page/{number}"
            at = BEGAN_AT + number * step_s
            digest = number if number % 20 else number // 200 * 200
            out.write(_line(tails[number % _BODIES], url, depth, at, digest, number))
            made.hosts[f"host-{host}.test"] += 1
            rows.append((number + 1, host + 1, depth, url, Outcome.FETCHED, None, 200, at, 1))
    made.duplicates = sum(n for n in Counter(n // 200 for n in range(0, pages, 20)).values() if n > 1)
    made.outcomes[Outcome.FETCHED] = pages
    encoder = msgspec.json.Encoder()
    with directory.records("outcomes").open("wb") as out:
        for number in range(others):
            outcome, reason, status = _KINDS[number % len(_KINDS)]
            host, depth, at = number % hosts, 1 + number % 5, BEGAN_AT + 3600 * number / max(1, others)
            end = _end(number, host, outcome, reason, status, depth, at)
            out.write(encoder.encode(end) + b"\n")
            made.outcomes[outcome] += 1
            made.reasons[outcome, reason] += reason is not None
            made.dead += reason == "http_404"
            rows.append((pages + number + 1, host + 1, depth, end.url, outcome, reason, status, at, 0))
    _write_items(directory, pages // 5)
    made.pending = pages // 50
    _store(directory, rows, made, hosts, dump(config).encode())
    directory.write_summary(_summary(made))
    return made


def _tail(draw, body, others, links, words):
    """The part of a record after what tells pages apart."""
    text = " ".join(draw.choices(WORDS, k=words))
    there = [f"https://host-{n % 300}.test/page/{n}" for n in draw.sample(range(10_000), links - 1)]
    gone = f"https://host-{body * 5 % 300}.test/other/{body * 5 % max(1, others)}"
    record = page_record(
        request("x"),
        title=f"{draw.choice(WORDS)} {body} <b>",
        lang_detected=_LANGUAGES[body % len(_LANGUAGES)],
        h1=(text[:40],),
        text=text,
        word_count=words,
        content_type=("text/html; charset=utf-8", "application/xhtml+xml", None)[body % 3],
        truncated=("body",) if body % 50 == 0 else (),
    )
    plain = msgspec.to_builtins(record)
    plain["links"] = [{"url": url, "text": "a link", "rel": None} for url in (*there, gone)]
    plain["n_links"] = links
    for key in ("url", "depth", "fetched_at", "elapsed_s", "content_digest", "body_bytes"):
        del plain[key]
    return msgspec.json.encode(plain)[1:] + b"\n"


def _line(tail, url, depth, at, digest, number):
    elapsed_s = 0.02 + (number * 7919 % 1000) / 1000
    head = (
        f'{{"url":"{url}","depth":{depth},"fetched_at":"{rfc3339(at)}","elapsed_s":{elapsed_s:.3f},'
        f'"content_digest":"sha256:{digest:064x}","body_bytes":{2000 + number % 50_000},'
    )
    return head.encode() + tail


def _end(number, host, outcome, reason, status, depth, at):
    return OutcomeRecord(
        url=f"https://host-{host}.test/other/{number}",
        outcome=outcome,
        reason=reason,
        status=status,
        target="https://host-0.test/page/0" if outcome is Outcome.REDIRECTED else None,
        attempts=1,
        depth=depth,
        via="https://host-0.test/page/0",
        seed="https://host-0.test/",
        at=rfc3339(at),
    )


def _write_items(directory, items):
    with directory.records(RULE.name).open("wb") as out:
        for number in range(items):
            line = {"_url": f"https://host-0.test/page/{number}", "_rule": RULE.name, "name": f"thing {number}"}
            out.write(msgspec.json.encode(line | {"price": f"{number % 90}.50" if number % 3 else None}) + b"\n")


def _store(directory, rows, made, hosts, config):
    robots = msgspec.json.encode(Robots(rules=((False, "/other/"),), crawl_delay_s=2.0)).decode()
    counters = {"elapsed_ms": 3_600_000, "pages": made.pages, "attempts": made.pages * 13 // 10, "wire_bytes": 10**9}
    counters |= {f"reason {outcome} {reason}": n for (outcome, reason), n in made.reasons.items() if reason}
    counters |= {"refused scope.stay_on: host": 12_345, "status 200": made.pages, "status 404": made.dead}
    first = len(rows) + 1
    waiting = [(first + n, 1, 9, f"https://host-0.test/waits/{n}") for n in range(made.pending)]
    with closing(open_store(directory.store, fsync=False)) as db:
        db.execute("BEGIN")
        db.executemany(
            "INSERT INTO host (id, name, ready_at, delay_s, failures, retired, pages, backoff_s, latency_s) "
            "VALUES (?, ?, 0, ?, 0, NULL, 0, ?, ?)",
            [(n + 1, f"host-{n}.test", 2.0 * (n % 7 == 0), 8.0 * (n % 11 == 3), 0.2) for n in range(hosts)],
        )
        db.execute("INSERT INTO seed VALUES (1, 'https://host-0.test/', 'host-0.test')")
        db.executemany("INSERT INTO url VALUES (?, ?, 32, ?, NULL, 1, ?, NULL)", [row[:4] for row in rows] + waiting)
        db.executemany("INSERT INTO done VALUES (?, ?, ?, ?, NULL, 1, ?, ?)", [(row[0], *row[4:]) for row in rows])
        db.executemany("UPDATE tally SET urls = ? WHERE outcome = ?", [(n, of) for of, n in made.outcomes.items()])
        db.executemany(
            "INSERT INTO robots VALUES (?, 0, NULL, ?)", [(f"https://host-{n}.test", robots) for n in range(hosts)]
        )
        db.executemany("INSERT INTO counter VALUES (?, ?)", counters.items())
        names = ("pages", "outcomes", RULE.name)
        db.executemany("INSERT INTO file VALUES (?, ?)", [(n, directory.records(n).stat().st_size) for n in names])
        db.execute("INSERT INTO blob VALUES ('config', ?)", (config,))
        db.execute("COMMIT")


def _summary(made):
    reasons: dict[str, dict[str, int]] = {}
    for (outcome, reason), count in made.reasons.items():
        if reason:
            reasons.setdefault(outcome, {})[reason] = count
    return Summary(
        complete=False,
        stopped_by="budget.pages",
        started_at=rfc3339(BEGAN_AT),
        ended_at=rfc3339(BEGAN_AT + 3600),
        admitted=sum(made.outcomes.values()) + made.pending,
        pending=made.pending,
        outcomes={str(outcome): count for outcome, count in made.outcomes.items()},
        reasons=reasons,
        refusals={"scope.stay_on: host": 12_345},
        seeds={"given": 1, "bad": 0, "fetched": 1},
        pages=made.pages,
        wire_bytes=10**9,
        attempts=made.pages * 13 // 10,
        statuses={200: made.pages, 404: made.dead},
        elapsed_s=3600.0,
        name="large",
    )
