"""What do crawlers keep of what one expects of them? Ours and four others, seen from a server's log and on disk.

    python -m benchmarks.promises [--only crawler,Scrapy] [--kills 3]

Four questions, the same to each, each with the settings that its own documentation has for that (`peers/kept.py`):

- *killed*: a crawl of `PAGES` pages, 8 requests at once, killed with SIGKILL half way (a third, two thirds, …) and
  started again as documented: pages without a record, records of a page beyond the first, torn records, pages that were
  fetched more than once, the exit code.
- *told to wait*: a page answers 503, or 429, with ``Retry-After: 3``, once. When is the host asked for anything, when
  for the page?
- *robots.txt*: it asks for a pause of 2 s and disallows a page. The shortest gap between two pages, and whether that
  page was requested.
- *why*: of a page that is missing, one that robots.txt disallows and one whose connection breaks: of how many does a
  file that is left say so, or else the log?

All traffic is on loopback. Crawlers that wait run beside one another, those that are killed do not.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.peers import UnavailableError
from benchmarks.peers.kept import CRAWLERS, Kept
from tests.support.server import Server
from tests.support.web import Fate, Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from benchmarks.peers import Command
    from tests.support.hits import Hit

ROOT = Path(__file__).resolve().parents[1]
PAGES, LATENCY_S = 600, 0.04
LIMIT_S = 150.0  #: a crawl that takes longer is ended
HTML = (("Content-Type", "text/html"),)
RETRY_AFTER_S, CRAWL_DELAY_S = 3, 2
BUSY = (503, 429)
#: what is not fetched -> words of which one must stand beside it to say why
REASONS = {
    "/gone": ("404",),
    "/private": ("robots",),
    "/broken": ("reset", "disconnect", "peer", "eof", "lost", "connection"),
}
TOLD_LINES = 50  #: of a log that may belong together: a traceback, say
UNREADABLE = ".db", ".db-wal", ".db-shm"


class Tree:
    """`PAGES` pages, each with links to ten others and to the first."""

    def respond(self, host: str, path: str, visit: int) -> Reply:  # noqa: ARG002
        number = int(path[1:] or 0) if path[1:].isdigit() or path == "/" else PAGES
        if number >= PAGES:
            return Reply(404)
        below = (child for child in range(10 * number + 1, 10 * number + 11) if child < PAGES)
        return Reply(200, HTML, _linking("/", *(f"/{child}" for child in below)), delay_s=LATENCY_S)


class Busy:
    """A page that is to be asked for again after some seconds, and three others."""

    def __init__(self, status: int) -> None:
        self._status = status

    def respond(self, host: str, path: str, visit: int) -> Reply:  # noqa: ARG002
        if path == "/robots.txt":
            return Reply(404)
        if path == "/busy" and visit == 1:
            return Reply(self._status, (("Retry-After", str(RETRY_AFTER_S)),))
        return Reply(200, HTML, _linking("/busy", "/1", "/2", "/3") if path == "/" else b"<p>Well</p>")


class Ruled:
    """A host with a robots.txt, and pages that are missing, disallowed and broken."""

    def respond(self, host: str, path: str, visit: int) -> Reply:  # noqa: ARG002
        if path == "/robots.txt":
            text = f"User-agent: *\nCrawl-delay: {CRAWL_DELAY_S}\nDisallow: /private\n"
            return Reply(200, (("Content-Type", "text/plain"),), text.encode())
        if path == "/gone":
            return Reply(404, HTML, b"<p>Not here</p>")
        if path == "/broken":
            return Reply(200, fate=Fate.RESET)
        return Reply(200, HTML, _linking("/1", "/2", *REASONS) if path == "/" else b"<p>Well</p>")


def _linking(*paths: str) -> bytes:
    links = "".join(f'<a href="{path}">x</a>' for path in paths)
    return f"<title>x</title>{links}".encode()


@dataclass
class Found:
    """What came of one crawler."""

    lost: list[int] = field(default_factory=list)  #: a number for each crawl that was killed
    twice: list[int] = field(default_factory=list)
    torn: list[int] = field(default_factory=list)
    again: list[int] = field(default_factory=list)
    codes: list[int | None] = field(default_factory=list)  #: None: ended by us
    host_after_s: list[float | None] = field(default_factory=list)  #: for each of `BUSY`
    page_after_s: list[float | None] = field(default_factory=list)
    gap_s: float | None = None
    trespassed: bool = False
    in_file: int = 0
    in_log: int = 0


class Life:
    """One process of a crawler, with all it starts, in a session of its own; its words go to `log`."""

    def __init__(self, command: Command, log: Path) -> None:
        with log.open("ab") as file:
            self._process = subprocess.Popen(
                [str(word) for word in command], cwd=ROOT, stdout=file, stderr=file, start_new_session=True
            )

    def kill_when(self, due: Callable[[], bool]) -> None:
        """Kill it once that is so, if it does not end before."""
        until = time.monotonic() + LIMIT_S
        while not due() and self._process.poll() is None and time.monotonic() < until:
            time.sleep(0.002)
        self.kill()

    def end(self) -> int | None:
        """Its exit code; None if it had to be ended."""
        try:
            return self._process.wait(LIMIT_S)
        except subprocess.TimeoutExpired:
            return None
        finally:
            self.kill()

    def kill(self) -> None:
        """SIGKILL to all of it."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def killed(kept: Kept, program: Command, folder: Path, at: int, found: Found) -> None:
    """A crawl that is killed once the server has been asked for `at` pages, and started again."""
    with Server(Tree()) as server:
        start = f"http://127.0.0.1:{server.port}/"
        first = Life(kept.command(program, start, folder, "fast", False), folder / "words")
        first.kill_when(lambda: len(server.log.hits) >= at)
        code = Life(kept.command(program, start, folder, "fast", True), folder / "words").end()
        asked = server.log.counts()
        base = start.rstrip("/")
    written = kept.written(folder)
    wanted = {start, *(f"{base}/{number}" for number in range(1, PAGES))}
    distinct = wanted & set(written.urls)
    found.lost.append(len(wanted - distinct))
    found.twice.append(len(written.urls) - len(set(written.urls)))
    found.torn.append(written.torn)
    found.again.append(sum(count > 1 for url, count in asked.items() if not url.endswith("/robots.txt")))
    found.codes.append(code)


def told_to_wait(kept: Kept, program: Command, folder: Path, found: Found) -> None:
    """A crawl of `Busy` for each way to say so."""
    for status in BUSY:
        here = folder / str(status)
        here.mkdir()
        with Server(Busy(status)) as server:
            Life(kept.command(program, f"http://127.0.0.1:{server.port}/", here, "polite", False), here / "words").end()
            hits = server.log.hits
        place = next((place for place, hit in enumerate(hits) if hit.path == "/busy"), len(hits))
        later = [(hit.at - hits[place].at, hit.path) for hit in hits[place + 1 :]]
        found.host_after_s.append(next((after_s for after_s, _ in later), None))
        found.page_after_s.append(next((after_s for after_s, path in later if path == "/busy"), None))


def ruled(kept: Kept, program: Command, folder: Path, found: Found) -> None:
    """A crawl of `Ruled`."""
    with Server(Ruled()) as server:
        Life(kept.command(program, f"http://127.0.0.1:{server.port}/", folder, "polite", False), folder / "words").end()
        hits: Sequence[Hit] = [hit for hit in server.log.hits if hit.path != "/robots.txt"]
    others = (pair for pair in pairwise(hits) if pair[0].path != pair[1].path)  # Go sends again what broke, at once
    found.gap_s = min((later.at - earlier.at for earlier, later in others), default=None)
    found.trespassed = any(hit.path == "/private" for hit in hits)
    for path, words in REASONS.items():
        files = any(_says(text, path, words) for text in _texts(folder))
        found.in_file += files
        lines = (folder / "words").read_text(errors="replace").splitlines()
        found.in_log += not files and any(
            _says("\n".join(lines[place : place + TOLD_LINES]), path, words) for place in range(len(lines))
        )


def _says(text: str, path: str, words: Sequence[str]) -> bool:
    return path in text and any(word in text.lower() for word in words)


def _texts(folder: Path) -> Iterator[str]:
    """What is told in one place each: the lines of the files a crawl left, its log apart; of a .json all of it."""
    for file in folder.rglob("*"):
        if file.is_file() and file.name not in ("words", "crawl.log") and file.suffix not in UNREADABLE:
            text = file.read_text(errors="replace")
            yield from [text] if file.suffix == ".json" else text.splitlines()


def measured(kept: Sequence[tuple[Kept, Command]], kills: int) -> dict[str, Found]:
    """All of it."""
    found = {one.name: Found() for one, _ in kept}
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)

        def folder(*parts: object) -> Path:
            made = home / "-".join(map(str, parts)).replace(" ", "_")
            made.mkdir()
            return made

        with ThreadPoolExecutor(4) as pool:
            waits = [
                pool.submit(act, one, program, folder(act.__name__, one.name), found[one.name])
                for one, program in kept
                for act in (told_to_wait, ruled)
            ]
            for wait in waits:
                wait.result()
        for number in range(1, kills + 1):
            for one, program in kept:
                here = folder("killed", number, one.name)
                killed(one, program, here, PAGES * number // (kills + 1), found[one.name])
                shutil.rmtree(here)
    return found


def table(found: dict[str, Found]) -> str:
    """What was found, in Markdown."""
    head = (
        "| | pages lost | recorded twice | torn | fetched again | exit code | host asked after 503, 429 "
        "| page asked again | gap kept | disallowed page | says why: file, log |"
    )
    rows = [head, f"|{'---|' * (head.count('|') - 1)}"]
    for name, one in found.items():
        cells = [name, *(_each(values) for values in (one.lost, one.twice, one.torn, one.again))]
        cells.append(_each([code if code is not None else f"none in {LIMIT_S:.0f} s" for code in one.codes]))
        cells += [", ".join(map(_seconds, times)) for times in (one.host_after_s, one.page_after_s, [one.gap_s])]
        cells += ["requested" if one.trespassed else "not requested", f"{one.in_file}, {one.in_log} of {len(REASONS)}"]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def _each(values: Sequence[object]) -> str:
    texts = [str(value) for value in values]
    return texts[0] if len(set(texts)) == 1 else ", ".join(texts)


def _seconds(seconds: float | None) -> str:
    return "never" if seconds is None else f"{seconds:.1f} s"


def main() -> None:
    """Measure, and print two tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="names, or beginnings of names, separated by commas")
    parser.add_argument("--kills", type=int, default=3, help="crawls of each that are killed (3)")
    options = parser.parse_args()
    chosen = tuple(name for name in options.only.split(",") if name)
    ready: list[tuple[Kept, Command]] = []
    for one in CRAWLERS:
        if chosen and not one.name.startswith(chosen):
            continue
        try:
            ready.append((one, one.install()))
        except UnavailableError as error:
            print(f"{one.name} is left out: {error}")
    print(
        f"{options.kills} crawls of {PAGES} pages, each killed once; 503 or 429 with Retry-After: {RETRY_AFTER_S}; "
        f"Crawl-delay: {CRAWL_DELAY_S}\n"
    )
    print(table(measured(ready, options.kills)))
    print("\n| | started again after a kill | polite by |\n|---|---|---|")
    for one, _ in ready:
        print(f"| {one.name} | {one.resumed} | {one.polite} |")


if __name__ == "__main__":
    main()
