"""Reports of crawls that never were, of any size: for what draws them."""

from __future__ import annotations

import math
import random
from typing import Any

import msgspec

from crawler.models import Outcome
from crawler.reasons import REASONS
from crawler.report import facts
from crawler.traps.shapes import Kind
from crawler.traps.verdict import Verdict
from crawler.wording import meaning

BEGAN = 1_795_820_230.0  # 2026-11-27 22:57:10 UTC
BOUNDS = tuple(round(0.001 * 10 ** (n / 5), 6) for n in range(26))  # 1 ms to 100 s
EMPTY = facts.Report(name="empty", directory="data/empty", version="crawler 1.0", made_at=BEGAN, state="unfinished")
CONFIG = """\
name: stationers
seeds: [https://shop.example/, seeds.txt]
scope:
  stay_on: domain
  exclude: ["*/logout*"]
limits:
  default: {delay: 1s, concurrency: 1}
  hosts:
    "*.shop.example": {rate: 5/s, concurrency: 4}
extract:
  rules: [rules/products.yaml]
"""


def latency_of(rng: random.Random, count: int, typical_s: float) -> facts.Latency:
    """Lognormal times around a median."""
    values = sorted(typical_s * math.exp(rng.gauss(0, 0.6)) for _ in range(min(max(count, 1), 400)))
    at = lambda share: values[min(len(values) - 1, int(share * len(values)))]  # noqa: E731
    buckets = [0] * (len(BOUNDS) + 1)
    for value in values:
        buckets[next((place for place, bound in enumerate(BOUNDS) if value <= bound), len(BOUNDS))] += 1
    return facts.Latency(
        count=count,
        mean_s=sum(values) / len(values),
        p50_s=at(0.5),
        p90_s=at(0.9),
        p99_s=at(0.99),
        max_s=values[-1],
        bounds_s=BOUNDS,
        buckets=tuple(n * count // len(values) for n in buckets),
    )


def a_host(rng: random.Random, number: int) -> facts.Host:
    pages = int(4_000 / (number + 1) ** 0.8) + 1
    whys = ("limits.default", "robots.txt: Crawl-delay", "it answers slowly", "limits.hosts: *.shop.example")
    failed = int(pages * rng.choice((0, 0, 0.01, 0.05, 0.3)))
    return facts.Host(
        host=f"{rng.choice(('www', 'shop', 'blog', 'docs'))}{number}.{rng.choice(('shop.example', 'press.example'))}",
        pages=pages,
        redirected=pages // 9,
        excluded=pages // 23,
        failed=failed,
        others=pages // 40,
        pending=number % 7 * 3,
        body_bytes=pages * rng.randrange(8_000, 90_000),
        latency=latency_of(rng, pages + failed, rng.choice((0.03, 0.12, 0.4, 1.5))),
        requests=pages + pages // 9 + failed * 2 + 1,
        delay_s=(1.0, 5.0, 2.35, 0.2)[number % 4],
        why=whys[number % 4],
        waited_s=pages * 0.8,
        retired="dns" if number % 17 == 16 else None,
    )


def a_report(*, hosts: int = 12, items: int = 12, steps: int = 90, seed: int = 1) -> facts.Report:
    """A crawl in the midst of life: everything a page can show is there, `items` of each."""
    rng = random.Random(seed)
    each = tuple(a_host(rng, number) for number in range(hosts))
    url = lambda path: f"https://www{rng.randrange(9)}.shop.example/{path}/{rng.randrange(10**6)}?ref=list"  # noqa: E731
    pages = sum(host.pages for host in each)
    outcomes: dict[str, int] = {
        Outcome.FETCHED: pages + sum(host.others for host in each),
        Outcome.REDIRECTED: sum(host.redirected for host in each),
        Outcome.UNCHANGED: 0,
        Outcome.EXCLUDED: sum(host.excluded for host in each),
        Outcome.FAILED: sum(host.failed for host in each),
    }
    pending = sum(host.pending for host in each)
    throughput = [int(40 + 25 * math.sin(n / 9) + rng.randrange(12)) * (n % 61 < 55) for n in range(steps)]
    version = "crawler 1.0, CPython 3.11.7, Linux x86_64"
    return facts.Report(
        name="stationers",
        directory="data/stationers",
        version="crawler 1.0",
        made_at=BEGAN + 5_000,
        state="finished",
        stopped_by="budget.pages",
        runs=(
            facts.Run(command="crawler crawl -c crawl.yaml --max-pages 20000", began_at=BEGAN, ended_at=BEGAN + 3_000,
                      ended="stop", version=version),
            facts.Run(command="crawler crawl -c crawl.yaml --max-pages 20000 --resume", began_at=BEGAN + 3_600,
                      ended_at=BEGAN + 4_840, ended="budget.pages", version=version),
        ),
        config=CONFIG,
        seeds=facts.Seeds(items=("https://shop.example/", "seeds.txt"), n_items=2, given=41, bad=2, fetched=38,
                          bad_examples=(("htp://shop.example/x", "expected http or https"), ("", "no host"))),
        began_at=BEGAN,
        ended_at=BEGAN + 4_840,
        elapsed_s=4_240.0,
        admitted=sum(outcomes.values()) + pending,
        outcomes=outcomes,
        pending=pending,
        pages=pages,
        wire_bytes=pages * 9_000,
        body_bytes=sum(host.body_bytes for host in each),
        attempts=sum(host.requests or 0 for host in each),
        snoozes=311,
        timeline=facts.Timeline(
            began_at=BEGAN, step_s=4_840 / steps, pages=tuple(throughput),
            failed=tuple(int(rng.random() ** 6 * 9) * bool(n) for n in throughput),
            others=tuple(n // 5 for n in throughput), body_bytes=tuple(n * 34_000 for n in throughput),
        ),
        statuses={200: pages, 301: outcomes[Outcome.REDIRECTED], 304: 3, 404: 310, 429: 12, 500: 7, 503: 44, 799: 1},
        content_types={"text/html": pages - 70, "application/xhtml+xml": 61, "": 9},
        charsets={"utf-8": pages - 412, "windows-1252": 390, "shift_jis": 22},
        languages={"en": pages // 2, "de": pages // 3, "fr": pages // 9, "": pages // 20,
                   **{f"x{n}": 5 for n in range(items)}},
        depths={n: (int(pages * 0.3 * math.exp(-abs(n - 3))), int(60 * math.exp(-abs(n - 4)))) for n in range(9)},
        latency=latency_of(rng, pages, 0.18),
        hosts=each,
        n_hosts=max(hosts, int(hosts * 1.5)),
        other_hosts=facts.Host(host="all other hosts", pages=120, pending=pending - sum(host.pending for host in each),
                               body_bytes=4_000_000, latency=latency_of(rng, 120, 0.3)),
        reasons=reasons_of(rng, outcomes, items, url),
        refusals=tuple(
            facts.Refused(rule=f"scope.exclude: */logout{n}*", count=9_000 // (n + 1), examples=(url("out"), url("in")))
            for n in range(items // 2)
        ),
        duplicates=facts.Duplicates(
            groups=31, pages=97,
            largest=tuple((40 // (n + 1) + 2, (url("copy"), url("copy"), url("copy"))) for n in range(items)),
        ),
        rules=tuple(a_rule(rng, n, url) for n in range(3)),
        fallen=("products: price was filled in 99.8 % of records of the crawl before, and is in 61.0 %",),
        biggest=tuple(facts.PageFacts(url=url("big"), body_bytes=9_000_000 // (n + 1), elapsed_s=0.4 + n / 9,
                                      title=f"Catalogue {n}") for n in range(items)),
        slowest=tuple(facts.PageFacts(url=url("slow"), body_bytes=9_000 * (n + 1), elapsed_s=28 / (n + 1))
                      for n in range(items)),
        dead_links=tuple(
            facts.DeadLink(url=url("gone"), reason=("http_404", "http_410", "dns")[n % 3],
                           n_linked_from=14 // (n + 1) + 1,
                           linked_from=tuple(url("from") for _ in range(min(5, 14 // (n + 1) + 1))))
            for n in range(items)
        ),
        n_dead_links=items * 3,
        robots=tuple(
            facts.RobotsFacts(origin=f"https://{host.host}", verdict=("rules", "allows all", "http_503")[n % 3],
                              disallowed=n * 3 % 40, crawl_delay_s=5.0 if n % 4 == 1 else None, sitemaps=n % 2)
            for n, host in enumerate(each)
        ),
        n_robots=hosts,
        truncated={"text": 12, "links": 3},
        needs_js=17,
        traps=(
            Verdict(site="shop.example", pattern="www3.shop.example/calendar/{date}", kind=Kind.CALENDAR,
                    evidence="32 pages found on repeats say the same but for numbers and dates, and lead nowhere new: "
                             "2 contents again and again; 0 found there said something new",
                    examples=(url("calendar"), url("calendar")), excluded=1_204),
        ),
        changes=facts.Changes(
            new=310, changed=items * 2, unchanged=pages, gone=items, back=3,
            fields={"text": items * 2, "title": 3, "products": 2},
            changed_pages=tuple(
                facts.Changed(url=url("changed"), fields=("title", "text")[: 1 + n % 2],
                              similarity=(0.5 + n / 99, None)[n % 2],
                              items=("products: 1 added, 2 changed (price)", "reviews: 4 removed")[: n % 3])
                for n in range(items)
            ),
            gone_urls=tuple(
                facts.Gone(url=url("gone"), reason=("http_404", "redirected", "robots")[n % 3], status=404,
                           target=url("target") if n % 3 == 1 else "")
                for n in range(items)
            ),
            new_urls=tuple(url("new") for _ in range(items)),
            back_urls=tuple(url("back") for _ in range(3)),
        ),
        unverified=("*.intranet.example",),
        remarks=("links.jsonl is not written (export.links): dead links name the page they were found on first.",),
    )  # fmt: skip


def reasons_of(rng: random.Random, outcomes: dict[str, int], items: int, url: Any) -> tuple[facts.Reason, ...]:
    """Reasons that share what ended in the way each belongs to, the most first."""
    names = {
        Outcome.FAILED: ["http_404", "timeout", "dns", "http_503", "reset", *list(REASONS)[14:]][:items],
        Outcome.EXCLUDED: ["robots", "noindex", "trap"],
        Outcome.FETCHED: ["not_html", "sitemap"],
    }
    each = []
    for outcome, reasons in names.items():
        left = outcomes[outcome] if outcome != Outcome.FETCHED else outcomes[outcome] // 40
        for reason in dict.fromkeys(reasons):
            count = max(1, left * 3 // 5)
            left -= count
            urls = tuple(url("reason") for _ in range(min(3, count)))
            each.append(
                facts.Reason(outcome=outcome, reason=reason, meaning=meaning(reason), count=count, examples=urls)
            )
    return tuple(sorted(each, key=lambda one: -one.count))


def a_rule(rng: random.Random, number: int, url: Any) -> facts.Rule:
    records = 4_321 // (number + 1)
    name = ("products", "reviews", "authors")[number % 3]
    fields = ("url", "name", "price", "currency", "rating", "in_stock")
    return facts.Rule(
        name=name,
        records=records,
        rejects=12 * number,
        items=records + 12 * number,
        pages=records + 5,
        fields=tuple(
            facts.Field(name=field, filled=int(records * (1, 1, 0.61, 0.99, 0.2, 0)[place]),
                        samples=('"Pocket notebook A6"', "12.5", "true")[: 3 * (place < 5)])
            for place, field in enumerate(fields)
        ),
        rejected=tuple((f"price: expected a number, got {rng.choice(('sold out', '-'))!r}", url("reject"))
                       for _ in range(2 * number)),
    )  # fmt: skip


def with_every_text(report: facts.Report, text: str) -> facts.Report:
    """`report` with `text` before and after whatever a site, a user or a server may have written."""
    return _marked(report, text)


def _marked(value: Any, text: str) -> Any:
    match value:
        case Outcome() | Kind():  # of our own
            return value
        case str():
            return f"{value}{text}" if value.startswith("http") else f"{text}{value}{text}"
        case tuple():
            return tuple(_marked(item, text) for item in value)
        case dict():
            return {_marked(key, text): item for key, item in value.items()}
        case msgspec.Struct():
            changed = {name: _marked(getattr(value, name), text) for name in value.__struct_fields__}
            return msgspec.structs.replace(value, **changed)
    return value
