"""How fast is a whole crawl, and what does it cost? Ours against the other crawlers, of the same pages.

    python -m benchmarks.crawl [--workload five] [--rounds 3] [--only ours,colly,...] [--json FILE] [--minutes 60]

All crawl from nginx on loopback with no delay, as whole processes, one after the other, round by round, and write one
line of JSON a page: url, status, title, description, h1, number of links, words; what differs is in the last column.
Ours does so with all that a user has by default: frontier on disk, checkpoints with fsync, robots.txt. `ours-full` is
its record of a page as it is by default. Peers are installed under .cache/bench, once; one that cannot be is left out.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING
from urllib.parse import unquote

from benchmarks import limits
from benchmarks.lean import LEAN_SETTINGS
from benchmarks.peers import PEERS, Peer, UnavailableError, urls_in
from benchmarks.processes import Usage, compile_package, run
from benchmarks.workloads import CACHE, WORKLOADS, Workload, census
from tests.support.nginx import Nginx

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from typing import TextIO

ROOT = Path(__file__).resolve().parents[1]
LIMIT_S = 300  #: a crawl that takes longer is ended, and its pages so far counted
ENDED_WELL = (0, 4, 8)  #: ours: some URLs failed for reasons a retry may mend; wget2: a broken link


@dataclass(frozen=True)
class Round:
    """One crawl, measured."""

    pages: int  #: distinct pages that have a record
    missed: int  #: pages of the workload that have none
    repeated: int  #: records beyond the first of a page
    extra: int  #: records of what the workload does not count as pages
    pages_per_s: float  #: from the first request in the server's log to the end of the process
    first_request_s: float  #: from the start of the process to the first request
    main_ms: float  #: CPU a page of the process itself, which runs the event loop
    all_ms: float  #: CPU a page of all its processes
    rss_mib: float  #: peak of the sum over its processes
    pss_mib: float


def ours(start: str, folder: Path, *more: str) -> tuple[list[str | Path], Path]:
    """The command as a user types it, and where its records land."""
    settings = [f"--set={key}" for key in ("limits.default.concurrency=64", *more)]
    command = [sys.executable, "-m", "crawler", "crawl", start, "-q", "--delay", "0", *settings, "-d", folder / "crawl"]
    return command, folder / "crawl" / "pages.jsonl"


def own(name: str, *settings: str, note: str = "") -> Peer:
    """Ours as a row of the table."""

    def pages(folder: Path, _: object) -> list[str]:
        return urls_in(folder / "crawl/pages.jsonl")

    def install() -> list[str | Path]:
        compile_package()
        return []

    return Peer(name, install, lambda _, start, folder: ours(start, folder, *settings)[0], pages, note)


OURS = (own("ours", *LEAN_SETTINGS), own("ours-full", note="all that a record has by default, the main text included"))


def measure(peer: Peer, program: list[str | Path], workload: Workload, wanted: Collection[str]) -> Round:
    """One crawl of `workload` from a server of its own."""
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=CACHE / "bench"))
    try:
        with Nginx(workload.root, folder / "nginx") as server:
            usage = run(peer.command(program, server.base + workload.start, folder), limit_s=LIMIT_S, cwd=ROOT)
            hits = server.hits()
        if usage.exit_code not in ENDED_WELL and not usage.cut_short:
            raise SystemExit(f"{peer.name} ended with {usage.exit_code}")
        if not hits:
            raise SystemExit(f"{peer.name} made no request")
        recorded = [path_of(url, server.base) for url in peer.pages(folder, hits)]
        return judged(recorded, wanted, usage, min(hit.started_at for hit in hits))
    finally:
        shutil.rmtree(folder)


def path_of(url: str, base: str) -> str:
    """A URL's path, however it is escaped: two crawlers may spell one page in two ways."""
    return unquote(url.removeprefix(base).partition("#")[0])


def judged(recorded: Sequence[str], wanted: Collection[str], usage: Usage, first_request_at: float) -> Round:
    """What a crawl's records are worth, beside the pages that there are."""
    distinct = frozenset(recorded)
    expected = frozenset(unquote(path) for path in wanted)
    pages = max(1, len(distinct))
    return Round(
        pages=len(distinct),
        missed=len(expected - distinct),
        repeated=len(recorded) - len(distinct),
        extra=len(distinct - expected),
        pages_per_s=len(distinct) / (usage.ended_at - first_request_at),
        first_request_s=first_request_at - usage.began_at,
        main_ms=usage.main_cpu_s * 1000 / pages,
        all_ms=usage.tree_cpu_s * 1000 / pages,
        rss_mib=usage.peak_rss_bytes / 2**20,
        pss_mib=usage.peak_pss_bytes / 2**20,
    )


def compare(
    peers: Sequence[Peer], workload: Workload, rounds: int, until: float, lines: TextIO | None = None
) -> dict[Peer, list[Round]]:
    """Measure interleaved rounds of one workload, one at least, and print their table."""
    counted = census(workload)
    print(f"\n{workload.name}: {counted}", flush=True)
    bound = limits.measure(workload, list(counted.sizes))
    print(f"  {bound}", flush=True)
    programs = installed(peers)
    results: dict[Peer, list[Round]] = {peer: [] for peer in programs}
    for number in range(rounds):
        for peer, program in programs.items():
            if number and time.monotonic() > until:
                break
            one = measure(peer, program, workload, counted.sizes)
            results[peer].append(one)
            print(f"round {number + 1}: {peer.name} {one.pages_per_s:,.0f} pages/s", file=sys.stderr, flush=True)
            if lines is not None:
                row = {"workload": workload.name, "crawler": peer.name, "limit": bound.pages_per_s}
                lines.write(json.dumps(row | vars(one)) + "\n")
                lines.flush()
    report(results, bound.pages_per_s)
    return results


def is_faultless(results: dict[Peer, list[Round]], own_crawls: Iterable[Peer]) -> bool:
    """Whether these of ours found all pages, each once."""
    return not any(one.missed or one.repeated for peer in own_crawls for one in results.get(peer, ()))


def installed(peers: Iterable[Peer]) -> dict[Peer, list[str | Path]]:
    """Those that can be had, with the words their commands begin with."""
    programs = {}
    for peer in peers:
        try:
            programs[peer] = peer.install()
        except UnavailableError as reason:
            print(f"  {peer.name} is left out: {reason}")
    return programs


def report(results: dict[Peer, list[Round]], bound: float) -> None:
    """A row a crawler, of medians; then ours beside the best."""
    print(
        f"  {'':17}{'pages/s':>8}{'(min - max)':>16}{'of limit':>9}{'main ms':>9}{'all ms':>8}"
        f"{'RSS MiB':>9}{'PSS MiB':>9}{'start s':>9}"
    )
    speeds = {}
    for peer, rounds in results.items():
        middle = {name: median(getattr(one, name) for one in rounds) for name in Round.__dataclass_fields__}
        every = [one.pages_per_s for one in rounds]
        speed = speeds[peer] = middle["pages_per_s"]
        spread = f"({min(every):,.0f} - {max(every):,.0f})"
        print(
            f"  {peer.name:17}{speed:8,.0f}{spread:>16}{speed / bound:9.0%}{middle['main_ms']:9.3f}"
            f"{middle['all_ms']:8.3f}{middle['rss_mib']:9.0f}{middle['pss_mib']:9.0f}{middle['first_request_s']:9.2f}"
            f"  {remarks(peer, rounds)}".rstrip()
        )
    for told in standings(speeds):
        print(f"  {told}")


def remarks(peer: Peer, rounds: Iterable[Round]) -> str:
    """What a row's figures have to be read with: pages missed or repeated in the worst round, and the peer's note."""
    said = [peer.note] if peer.note else []
    for what in ("missed", "repeated", "extra"):
        worst = max(getattr(one, what) for one in rounds)
        if worst:
            said.append(f"{what} {worst:,}")
    return "; ".join(said)


def standings(speeds: dict[Peer, float]) -> list[str]:
    """How many times as fast as the best of the others ours is."""
    if OURS[0] not in speeds:
        return []
    others = {peer: speed for peer, speed in speeds.items() if peer not in OURS}
    frameworks = {peer: speed for peer, speed in others.items() if peer.framework}
    told = []
    for kind, group in (("best of the others", others), ("best Python framework", frameworks)):
        if group:
            best = max(group, key=lambda peer: group[peer])
            told.append(f"ours / {kind} ({best.name}): {speeds[OURS[0]] / group[best]:.2f}")
    return told


def main() -> None:
    every = (*OURS, *PEERS)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workload", choices=(*WORKLOADS, "all"), default="all")
    parser.add_argument("--only", metavar="NAME,NAME", help=f"of {', '.join(peer.name for peer in every)}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="append a line of JSON for each crawl")
    parser.add_argument(
        "--minutes", type=float, default=60, help="begin no crawl of a second or later round after that"
    )
    arguments = parser.parse_args()
    names = arguments.only.split(",") if arguments.only else [peer.name for peer in every]
    if unknown := set(names) - {peer.name for peer in every}:
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    (CACHE / "bench").mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + arguments.minutes * 60
    lines = arguments.json.open("a") if arguments.json else None
    chosen = [peer for peer in every if peer.name in names]
    makers = [make for name, make in WORKLOADS.items() if arguments.workload in ("all", name)]
    compared = [compare(chosen, make(), arguments.rounds, until, lines) for make in makers]
    if not all(is_faultless(results, OURS) for results in compared):
        raise SystemExit("ours missed or repeated pages")


if __name__ == "__main__":
    main()
