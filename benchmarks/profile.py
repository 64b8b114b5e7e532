"""Where does the time of a crawl go? By stage: of the event loop, of the threads beside it, and of a parser worker.

    python -m benchmarks.profile [--workload documentation|generated] [--lean] [--set KEY=VALUE ...] [--crawls N]

Crawls from nginx on loopback, once as it is, for the processor time of each thread, and then under py-spy, for its
shares: the main process by itself, and then all, for the workers. Only samples of threads that run count (idle ones do
not), so that the microseconds a page add up to what was measured without the profiler; the loop has a core of its own
meanwhile, as a thread that waits for a core looks like one that runs. Needs a quiet machine, and says if it was not.
Prints a table for each, and writes a flame graph of the loop and of the workers, its boxes coloured by stage. Start-up
is a row of its own: of the loop what was spent before the first request in the server's log, of the workers what loads
them, before they are forked. py-spy is installed into .cache/bench/profile once. Linux only.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import venv
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.flame import Box, flame_graph
from benchmarks.lean import LEAN_SETTINGS
from benchmarks.stages import BESIDE, EVENT_LOOP, LOOP, START_UP, WORKERS, Kind, frame, inside, stage
from benchmarks.threads import Spent, crawl_watched
from benchmarks.workloads import CACHE, Workload, documentation, generated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

FOLDER = CACHE / "bench/profile"
PY_SPY = "py-spy==0.4.3"
MOST_WAITING = 1.3  #: times as many samples as its processor time accounts for
CRAWLS = {"documentation": 4, "generated": 1}
_PROCESS, _THREAD = re.compile(r'process (\d+):"'), re.compile(r"thread \((\d+)\)(?:: [^;]*)?;?")


@dataclass
class Samples:
    """What was seen of one kind of thread."""

    kind: Kind
    stages: Counter[str] = field(default_factory=Counter)
    flames: Box = field(default_factory=Box)
    expected: float = 0.0  #: how many its processor time accounts for, where that matters

    def add(self, stack: list[str], samples: int) -> None:
        """Count a stack, outermost function first."""
        frames = [frame(text) for text in stack]
        found = stage(frames, self.kind)
        self.stages[found] += samples
        if found != START_UP:
            names = [f"{one.function} ({one.file})" for one in inside(frames, self.kind) or ()]
            self.flames.add(names, found, samples)


def install_py_spy() -> Path:
    """The profiler, in an environment of its own, made once."""
    profiler = FOLDER / "bin/py-spy"
    if not profiler.exists():
        venv.create(FOLDER, with_pip=True, clear=True)
        subprocess.run([FOLDER / "bin/pip", "install", "-qq", "--disable-pip-version-check", PY_SPY], check=True)
    return profiler


def under(
    profiler: Path, rate: int, options: tuple[str, ...], stacks: Path, command: list[str], _folder: Path
) -> list[str]:
    """`command`, sampled. It is not stopped for that: waking from each stop would look like work."""
    how = ("--nonblocking", "--threads", "--rate", str(rate), *options)
    return [str(profiler), "record", *how, "--format", "raw", "--output", str(stacks), "--", *command]


def read_stacks(lines: Iterable[str], main: int) -> Iterator[tuple[Kind, list[str], int]]:
    """Samples: what they are of, the stack, outermost function first, and how often it was seen."""
    for line in lines:
        text, _, samples = line.rpartition(" ")
        processes, threads = _PROCESS.findall(text), list(_THREAD.finditer(text))
        if not threads:
            continue
        stack = [part for part in text[threads[-1].end() :].split(";") if part]
        if (int(processes[-1]) if processes else main) == main:
            yield LOOP if int(threads[-1][1]) == main else BESIDE, stack, int(samples)
        elif inside([frame(text) for text in stack], WORKERS):
            yield WORKERS, stack, int(samples)  # the rest is what loads them, which is measured


def sample(
    workload: Workload,
    settings: tuple[str, ...],
    profiler: Path,
    rate: int,
    options: tuple[str, ...],
    wanted: list[Samples],
) -> None:
    """Crawl once, and add what was seen. The profiler may lag behind: its samples get fewer, and none is wrong."""
    stacks = FOLDER / "stacks.txt"
    spent, _, main = crawl_watched(workload, settings, partial(under, profiler, rate, options, stacks))
    by_kind = {samples.kind: samples for samples in wanted}
    for kind, stack, count in read_stacks(stacks.read_text().splitlines(), main):
        if kind in by_kind:
            by_kind[kind].add(stack, count)
    if LOOP in by_kind:
        by_kind[LOOP].expected += (spent.loop_s - spent.starting_s) * rate


def print_table(samples: Samples, us_a_page: float, starting_us: float) -> None:
    """A row a stage, the dearest first: shares of what is sampled once it runs, and start-up as measured."""
    steady = {found: count for found, count in samples.stages.most_common() if found != START_UP}
    total = sum(steady.values())
    print(f"\n{samples.kind.name}: {us_a_page:.1f} us CPU a page")
    print(f"  {'stage':22}{'us a page':>10}{'share':>8}")
    for found, count in steady.items():
        print(f"  {found:22}{count / total * (us_a_page - starting_us):10.1f}{count / total:8.1%}")
    if starting_us:
        print(f"  {START_UP:22}{starting_us:10.1f}")
    print(f"  {total} samples: a share of 20 % is good to {40 / max(total, 1) ** 0.5:.1f} points")
    if 0 < samples.expected * MOST_WAITING < total:
        print(f"  but it ran for {samples.expected:.0f} of them only, and waited for a core in the others, most of all")
        print(f"  in its {EVENT_LOOP}: the machine is too busy for this table")


def print_all(spent: list[Spent], found: list[Samples], name: str) -> None:
    """The tables, and where the flame graphs are."""

    def us(seconds: Callable[[Spent], float]) -> float:
        return median(one.us(seconds(one)) for one in spent)

    starting, loading = us(lambda one: one.starting_s), us(lambda one: one.loading_s)
    rows = {
        LOOP: (us(lambda one: one.loop_s), starting),
        BESIDE: (us(lambda one: one.beside_s), 0.0),
        WORKERS: (us(lambda one: one.parsing_s) + loading, loading),
    }
    for samples in found:
        us_a_page, starting_us = rows[samples.kind]
        print_table(samples, us_a_page, starting_us)
        if samples.flames.samples and samples.kind is not BESIDE:
            graph = FOLDER / f"{name}-{'loop' if samples.kind is LOOP else 'worker'}.svg"
            steady_us = us_a_page - starting_us
            title = f"{samples.kind.name}, {name}: {steady_us:.1f} us a page, start-up left out"
            stages = [row for row, _ in samples.stages.most_common() if row != START_UP]
            graph.write_text(flame_graph(title, samples.flames, stages, steady_us))
            print(f"  {graph}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workload", choices=CRAWLS, default="generated")
    parser.add_argument("--lean", action="store_true", help="the fields of the comparison, instead of the full record")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="as for `crawler crawl`")
    parser.add_argument("--crawls", type=int, help="how many; 4 of the documentation, 1 of the generated pages")
    parser.add_argument("--rate", type=int, default=200, help="samples a second")
    arguments = parser.parse_args()
    profiler = install_py_spy()
    workload = documentation() if arguments.workload == "documentation" else generated()
    settings = (*(LEAN_SETTINGS if arguments.lean else ()), *arguments.set)
    loop, beside, workers = found = [Samples(LOOP), Samples(BESIDE), Samples(WORKERS)]
    spent = []
    for _ in range(arguments.crawls or CRAWLS[arguments.workload]):
        spent.append(crawl_watched(workload, settings)[0])
        sample(workload, settings, profiler, arguments.rate, (), [loop, beside])
        sample(workload, settings, profiler, arguments.rate, ("--subprocesses",), [workers])
    print(f"{arguments.workload}, {spent[0].pages} pages, {'lean' if arguments.lean else 'full'} record")
    print_all(spent, found, arguments.workload)


if __name__ == "__main__":
    main()
