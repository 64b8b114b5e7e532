"""Who else crawls? A row for each crawler that `benchmarks.crawl` measures beside ours.

Each is a program of its own beside this file, written as its authors advise and run in an environment of its own; what
is chosen for speed is commented there. All take the URL to start from and the file to write records to.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.workloads import CACHE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.support.nginx import Hit

    Command = list[str | Path]

HERE = Path(__file__).parent
SELECTOLAX = "selectolax==1.0.2"
UVLOOP = "uvloop==0.23.0"


class UnavailableError(Exception):
    """A peer cannot be had on this machine; the text says why."""


@dataclass(frozen=True)
class Peer:
    """A crawler to measure: how it is installed, how it is started, where its records are."""

    name: str
    install: Callable[[], Command]  #: once; gives the words its command begins with, or raises UnavailableError
    command: Callable[[Command, str, Path], Command]  #: those words, URL to start from, a folder of its own
    pages: Callable[[Path, Iterable[Hit]], list[str]]  #: that folder, the server's log -> URLs or paths of its records
    note: str = ""  #: what it does not do that the others do
    framework: bool = False  #: a Python framework for crawling


def in_venv(folder: str, program: str, *packages: str) -> Callable[[], Command]:
    """A Python program beside this file, in an environment with these packages."""

    def install() -> Command:
        home = CACHE / "bench" / folder
        python = home / "bin/python"
        wanted = "\n".join(packages)
        if not (home / "packages").exists() or (home / "packages").read_text() != wanted:
            venv.create(home, with_pip=False, clear=True)
            pip = [sys.executable, "-m", "pip", "--python", python, "install", "-qq", "--disable-pip-version-check"]
            if subprocess.run([*pip, *packages], check=False).returncode != 0:
                raise UnavailableError(f"pip could not install {' '.join(packages)}")
            (home / "packages").write_text(wanted)
        return [python, HERE / program]

    return install


def on_path(program: str, package: str) -> Callable[[], Command]:
    """A program of the machine's own."""

    def install() -> Command:
        found = shutil.which(program)
        if found is None:
            raise UnavailableError(f"not installed: apt-get install {package}")
        return [found]

    return install


def npm(folder: str, program: str, *packages: str) -> Callable[[], Command]:
    """A program for Node beside this file, with these packages."""

    def install() -> Command:
        home = CACHE / "bench" / folder
        if shutil.which("npm") is None:
            raise UnavailableError("needs Node and npm")
        if not (home / "node_modules").exists():
            home.mkdir(parents=True, exist_ok=True)
            if subprocess.run(["npm", "install", "--silent", "--prefix", home, *packages], check=False).returncode != 0:
                raise UnavailableError(f"npm could not install {' '.join(packages)}")
        return ["env", f"NODE_PATH={home / 'node_modules'}", "node", HERE / program]

    return install


def built_with_go(source: str = "colly", binary: str = "colly") -> Command:
    """A program with colly, built once; go.mod beside its source says which version."""
    home = CACHE / "bench/colly"
    if not (home / binary).exists():
        if shutil.which("go") is None:
            raise UnavailableError("needs Go 1.24 or later")
        home.mkdir(parents=True, exist_ok=True)
        settings = {"GOFLAGS": "-mod=mod"}
        if (home / "src").exists():  # laid there by hand, as in a GOPATH, where modules cannot be fetched
            settings = {"GO111MODULE": "off", "GOPATH": f"{home}:/usr/share/gocode"}
        build = ["go", "build", "-o", home / binary, "."]
        done = subprocess.run(
            build, cwd=HERE / source, env=os.environ | settings, check=False, capture_output=True, text=True
        )
        if done.returncode != 0:
            raise UnavailableError(f"go could not build it: {done.stderr.strip().splitlines()[-1]}")
    return [home / binary]


def with_file(program: Command, start: str, folder: Path) -> Command:
    """The command of all programs beside this file."""
    return [*program, start, folder / "pages.jsonl"]


def in_file(folder: Path, _: Iterable[Hit]) -> list[str]:
    """The URLs in the records that a program wrote."""
    return urls_in(folder / "pages.jsonl")


def urls_in(records: Path) -> list[str]:
    """The URLs in a file of records, of which a crawl that was ended may have left no file or half a line."""
    written = records.read_bytes() if records.exists() else b""
    return [json.loads(line)["url"] for line in written[: written.rfind(b"\n") + 1].splitlines()]


def wget2(program: Command, start: str, folder: Path) -> Command:
    """Files are saved, by 16 threads, and nothing is remembered of hosts."""
    settings = ["--recursive", "--level=inf", "--max-threads=16", f"--directory-prefix={folder}", "--quiet"]
    return [*program, *settings, "--no-config", "--no-robots", "--no-cookies", "--no-hsts", start]


def in_log(_: Path, hits: Iterable[Hit]) -> list[str]:
    """The pages of a crawler that writes no records: what the server answered with 200 and HTML."""
    return [hit.path for hit in hits if hit.status == 200 and is_html(hit.path)]


def is_html(path: str) -> bool:
    """Whether nginx calls it text/html."""
    file = path.partition("?")[0]
    return file.endswith(("/", ".html", ".htm"))


def spider_packages() -> tuple[str, str]:
    """spider's binding for Node, and its library for this machine; the newest version that has one."""
    kind = "arm64" if os.uname().machine == "aarch64" else "x64"
    return "@spider-rs/spider-rs@0.0.157", f"@spider-rs/spider-rs-linux-{kind}-gnu@0.0.157"


REQUESTS = in_venv("requests", "requests_pool.py", "requests==2.34.2", SELECTOLAX)
SCRIPT = in_venv("script", "aiohttp_script.py", "aiohttp==3.14.5", SELECTOLAX, UVLOOP)
CRAWLEE = in_venv("crawlee", "crawlee_selectolax.py", "crawlee==1.11.0", SELECTOLAX, UVLOOP)
SCRAPLING = in_venv("scrapling", "scrapling_spider.py", "scrapling[fetchers]==0.5", UVLOOP)
SCRAPY_TUNED = in_venv("scrapy", "scrapy_tuned.py", "scrapy==2.19.0", UVLOOP)
SCRAPY_IDIOMATIC = in_venv("scrapy", "scrapy_idiomatic.py", "scrapy==2.19.0", UVLOOP)
SPIDER = npm("spider", "spider.mjs", *spider_packages())

PEERS = (
    Peer("colly", built_with_go, with_file, in_file, "Go"),
    Peer("wget2", on_path("wget2", "wget2"), wget2, in_log, "C; fetches pages and what they show, extracts nothing"),
    Peer("spider", SPIDER, with_file, in_file, "Rust; fetches and follows, extracts nothing"),
    Peer("requests-pool", REQUESTS, with_file, in_file),
    Peer("aiohttp-script", SCRIPT, with_file, in_file),
    Peer("crawlee", CRAWLEE, with_file, in_file, framework=True),
    Peer("scrapling", SCRAPLING, with_file, in_file, framework=True),
    Peer("scrapy-tuned", SCRAPY_TUNED, with_file, in_file, framework=True),
    Peer("scrapy-idiomatic", SCRAPY_IDIOMATIC, with_file, in_file, framework=True),
)
