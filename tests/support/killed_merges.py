"""Merges that are killed, each one step later than the one before: ``python -m tests.support.killed_merges DIR``.

DIR/old is a directory with a merge in it, and workers' files that have more by now. For each step at which a file or
folder is opened, renamed, removed or made, a copy of it is made, in which a merge dies there: DIR/1, DIR/2, …; the last
one is whole. Says how many there are.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import sys
from pathlib import Path

from crawler.merging.merge import merge
from tests.support.segments import MAKING, FakeLedger, grown

EVENTS = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "shutil.rmtree", "os.link", "sqlite3.connect"}


def main() -> None:
    base = Path(sys.argv[1])
    every = int(sys.argv[2])
    for number in itertools.count(1):
        directory = base / str(number)
        shutil.copytree(base / "old", directory, symlinks=True)
        child = os.fork()
        if not child:
            _die_at(number * every, directory)
            fleet = grown(directory)
            asyncio.run(merge(fleet.write(), FakeLedger(fleet), directory, MAKING))
            os._exit(0)
        if not os.waitpid(child, 0)[1]:
            sys.stdout.write(f"{number}\n")
            return


def _die_at(number: int, directory: Path) -> None:
    arrivals = itertools.count(1)
    start = f"{directory}/"

    def heard(event: str, arguments: tuple[object, ...]) -> None:
        path = str(arguments[0]) if event in EVENTS else ""
        if path.startswith(start) and "/workers/" not in path and next(arrivals) == number:
            os._exit(9)

    sys.addaudithook(heard)


if __name__ == "__main__":
    main()
