"""How fast are two workers that share a crawl, beside one crawl by itself, on the same machine?

    python -m benchmarks.workers [--rounds 3] [--processes 2] [--copies 1] [--full] [--set KEY=VALUE ...]

The documentation of five projects (`benchmarks.workloads.five`), each under a domain of its own (``python.test``, led
to nginx on loopback), so that they are in different partitions; with `--copies` each under several. In turns: `crawler
crawl` with its frontier in SQLite, and the same with `--frontier redis://… --processes 2` on a redis-server that keeps
an append-only file, as deploy/redis.conf has it. Pages a second from the first request in the server's log to the end
of the process, processor time a page of all its processes and of Redis, seconds that `crawler merge` takes afterwards,
and the ratio of pages a second. Ends with an error if a page is missing, is there twice, or has another record than in
the crawl by itself. Records are lean unless `--full`. Needs nginx, redis-server and Debian's packages of documentation.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING
from urllib.parse import unquote

from benchmarks.lean import LEAN_SETTINGS
from benchmarks.processes import compile_package, run
from benchmarks.workloads import CACHE, SITES, census, five
from crawler.fleet.partitions import PARTITIONS, partition_of
from crawler.models import HostKey
from tests.support.nginx import Nginx
from tests.support.redis_server import RedisServer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PASSING = ("fetched_at", "elapsed_s", "depth", "via", "seed")  #: what depends on who comes first
ENDED_WELL = (0, 4)
SERVER = ("appendonly yes", "appendfsync everysec", "maxmemory-policy noeviction")


@dataclass(frozen=True)
class Round:
    """One crawl, measured."""

    pages_per_s: float
    all_ms: float  #: CPU a page of all its processes
    redis_ms: float  #: CPU a page of Redis
    merge_s: float
    records: dict[str, str]  #: URL without the port -> what its record says


def apart() -> Path:
    """A folder with the sites beside each other, and nothing that leads from one to another."""
    root = CACHE / "bench/apart"
    root.mkdir(parents=True, exist_ok=True)
    for name in SITES:
        (root / name).unlink(missing_ok=True)
        (root / name).symlink_to((five().root / name).resolve())
    return root


def hosts(copies: int) -> list[str]:
    """Domains, in which a site's copies are `copies`."""
    return [f"{name}{copy or ''}.test" for copy in range(copies) for name in SITES]


def wanted(copies: int) -> set[str]:
    """The pages there are, as host and path."""
    paths = [unquote(path) for path in census(five()).sizes if path.count("/") > 1]
    return {
        f"{host}{path}"
        for host in hosts(copies)
        for path in paths
        if path.split("/")[1] == host.removesuffix(".test").rstrip("0123456789")
    }


def command(port: str, folder: Path, copies: int, settings: Sequence[str]) -> list[str | Path]:
    """A crawl as a user types it."""
    seeds = [
        f"http://{host}:{port}/{name}/{start}"
        for host, (name, (_, _, start)) in zip(hosts(copies), list(SITES.items()) * copies, strict=True)
    ]
    options = [f"--set={setting}" for setting in ("limits.default.concurrency=64", *settings)]
    names = '--set=fetch.resolve={"*.test": 127.0.0.1}'
    return [
        sys.executable,
        "-m",
        "crawler",
        "crawl",
        *seeds,
        "-q",
        "--delay=0",
        names,
        *options,
        "-d",
        folder / "crawl",
    ]


def records(path: Path, port: str) -> Iterator[tuple[str, str]]:
    """URL and record of each line, without what differs from crawl to crawl."""
    with path.open() as lines:
        for line in lines:
            record = json.loads(line.replace(f":{port}/", "/"))
            kept = {key: value for key, value in record.items() if key not in PASSING}
            yield unquote(record["url"].removeprefix("http://")), json.dumps(kept, sort_keys=True)


def measure(processes: int, copies: int, settings: Sequence[str]) -> Round:
    """One crawl by so many workers; 0 for one by itself."""
    folder = Path(tempfile.mkdtemp(dir=CACHE / "bench"))
    try:
        with Nginx(apart(), folder / "nginx") as server, RedisServer(folder / "redis", *SERVER) as redis:
            port = server.base.rpartition(":")[2]
            words = command(port, folder, copies, settings)
            if processes:
                words += ["--frontier", redis.url, "--processes", str(processes)]
            usage = run(words, limit_s=300)
            if usage.exit_code not in ENDED_WELL:
                raise SystemExit(f"the crawl ended with {usage.exit_code}")
            told = redis.client().info("cpu")
            merge_s = 0.0
            if processes:
                merging = run([sys.executable, "-m", "crawler", "merge", folder / "crawl"], stdout=subprocess.DEVNULL)
                merge_s = merging.ended_at - merging.began_at
            found = list(records(folder / "crawl/pages.jsonl", port))
            began_at = min(hit.started_at for hit in server.hits())
    finally:
        shutil.rmtree(folder)
    if len(dict(found)) != len(found):
        raise SystemExit("pages have several records")
    if missing := wanted(copies) - dict(found).keys():
        raise SystemExit(f"{len(missing)} pages are missing, such as {min(missing)}")
    return Round(
        pages_per_s=len(found) / (usage.ended_at - began_at),
        all_ms=usage.tree_cpu_s * 1000 / len(found),
        redis_ms=(told["used_cpu_user"] + told["used_cpu_sys"]) * 1000 / len(found),
        merge_s=merge_s,
        records=dict(found),
    )


def differing(one: Round, other: Round) -> list[str]:
    """URLs whose records are not the same in both."""
    keys = one.records.keys() | other.records.keys()
    return sorted(key for key in keys if one.records.get(key) != other.records.get(key))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--copies", type=int, default=1, help="domains that each site has")
    parser.add_argument("--full", action="store_true", help="with all that a record has by default")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="as for `crawler crawl`")
    options = parser.parse_args()
    settings = [*(() if options.full else LEAN_SETTINGS), *options.set]
    compile_package()
    (CACHE / "bench").mkdir(parents=True, exist_ok=True)
    of = {host: partition_of(HostKey(host), PARTITIONS) for host in hosts(options.copies)}
    print(f"{len(wanted(options.copies)):,} pages at {len(of)} domains in {len(set(of.values()))} partitions")
    rows: dict[str, list[Round]] = {"sqlite": [], f"{options.processes} workers": []}
    for number in range(options.rounds):
        for name, processes in zip(rows, (0, options.processes), strict=True):
            rows[name].append(measure(processes, options.copies, settings))
            print(f"round {number + 1}: {name} {rows[name][-1].pages_per_s:,.0f} pages/s", file=sys.stderr, flush=True)
    print(f"{'':12}{'pages/s':>9}{'(min - max)':>16}{'all ms':>9}{'Redis ms':>10}{'merge s':>9}")
    speeds = []
    for name, rounds in rows.items():
        every = [one.pages_per_s for one in rounds]
        speeds.append(median(every))
        all_ms, redis_ms, merge_s = (
            median(getattr(one, column) for one in rounds) for column in ("all_ms", "redis_ms", "merge_s")
        )
        spread = f"({min(every):,.0f} - {max(every):,.0f})"
        print(f"{name:12}{speeds[-1]:9,.0f}{spread:>16}{all_ms:9.2f}{redis_ms:10.3f}{merge_s:9.1f}")
    print(f"{options.processes} workers / sqlite: {speeds[1] / speeds[0]:.2f}")
    first, *others = [one for rounds in rows.values() for one in rounds]
    if different := {key for other in others for key in differing(first, other)}:
        raise SystemExit(f"{len(different)} pages have other records, such as {min(different)}")


if __name__ == "__main__":
    main()
