"""What does a crawl look like? Draws the pictures of README.md and docs anew: docs/pictures/*.

    python scripts/pictures.py                      all of them
    python scripts/pictures.py terminal report dashboard

A real crawl of the shop of ``crawler demo``, under six names and one at which nobody answers, on loopback.
`terminal.svg` is what a terminal showed of it, frame by frame; `report.png` the top of its report; `dashboard.png` its
dashboard. Needs what `make unit` installs, and Chromium for the two photographs.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from playwright.sync_api import sync_playwright
from terminal_svg import animated, recorded

from crawler.demo.serve import running_shop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs/pictures"
COLUMNS, ROWS = 118, 26
WIDTH, HEIGHT = 1280, 900
REPORT_HEIGHT = 1260  # down to the throughput of its timeline
MOST_BYTES = 250_000
BROWSER_FLAGS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
COMMAND = ("crawl", "-c", "shops.yaml")


def main() -> None:
    """Make those that are named, or all."""
    makers = {"terminal": terminal, "report": report, "dashboard": dashboard}
    wanted = sys.argv[1:] or list(makers)
    if unknown := [name for name in wanted if name not in makers]:
        sys.exit(f"no picture is called {unknown[0]}; expected some of: {', '.join(makers)}")
    PICTURES.mkdir(exist_ok=True)
    with shop_folder() as folder:
        for name in wanted:
            made = makers[name](folder)
            if made.stat().st_size > MOST_BYTES:
                sys.exit(f"{made}: {made.stat().st_size:,} bytes, expected at most {MOST_BYTES:,}")
            print(f"{made.relative_to(ROOT)}: {made.stat().st_size:,} bytes")  # noqa: T201 - a script's own words


@contextmanager
def shop_folder() -> Iterator[Path]:
    """A folder to crawl in: `shops.yaml`, and a `crawler` that is this repository's."""
    rules = yaml.safe_load((ROOT / "crawler/demo/crawl.yaml").read_text())["extract"]["rules"]
    names = [f"{name}.example" for name in ("alder", "reed", "paper", "pens", "desk", "post")]
    with tempfile.TemporaryDirectory() as made, running_shop() as url:
        folder = Path(made)
        here = url.removeprefix("http://")
        config = {
            "name": "shops",
            "seeds": [f"http://{name}/" for name in (*names, "closed.example")],
            "budget": {"pages": 300},
            "limits": {
                "default": {"delay": "200ms"},
                "hosts": {"desk.example": {"delay": "700ms"}, "alder.example": {"delay": "100ms"}},
            },
            "fetch": {
                "user_agent": "picturebot/1.0 (+https://example.org/picturebot)",
                "resolve": {"closed.example": "127.0.0.1:9", "*.example": here},
            },
            "extract": {"rules": rules},
        }
        (folder / "shops.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
        program = folder / "bin/crawler"  # under its name, as it calls itself what it was called
        program.parent.mkdir()
        program.write_text(f"#!{sys.executable}\nfrom crawler.cli import main\n\nmain()\n")
        program.chmod(0o755)
        yield folder


def environment(folder: Path) -> dict[str, str]:
    """A terminal's, without what would turn colours or the view off."""
    kept = {name: value for name, value in os.environ.items() if name not in ("CI", "NO_COLOR", "PYTHONWARNINGS")}
    terminal = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    return kept | terminal | {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}


def terminal(folder: Path) -> Path:
    """Record the crawl on a terminal."""
    command = [folder / "bin/crawler", *COMMAND]
    frames = recorded(command, folder, environment(folder), COLUMNS, ROWS, typed=f"crawler {' '.join(COMMAND)}")
    picture = PICTURES / "terminal.svg"
    picture.write_text(animated(frames, COLUMNS, ROWS, title="A crawl of seven hosts on a terminal"))
    return picture


def report(folder: Path) -> Path:
    """Photograph the top of the report, of the crawl that `terminal` has left, or of one made for it."""
    crawl = folder / "data/shops"
    if not crawl.exists():
        code = subprocess.run(
            [folder / "bin/crawler", *COMMAND, "-q"], cwd=folder, env=environment(folder), check=False
        ).returncode
        if code not in (0, 4):  # that a shop is closed is expected
            sys.exit(f"the crawl ended with exit code {code}")
    picture = PICTURES / "report.png"
    with browser_page("light") as page:
        page.set_viewport_size({"width": WIDTH, "height": REPORT_HEIGHT})
        page.goto((crawl / "report.html").as_uri())
        page.screenshot(path=picture)
    return picture


def dashboard(folder: Path) -> Path:
    """Photograph the dashboard of a crawl that is half way."""
    picture = PICTURES / "dashboard.png"
    options = ("--set", "budget.pages=390", "--delay", "400ms", "--serve", "127.0.0.1:0")  # 30 s and more
    command = [folder / "bin/crawler", *COMMAND, "-d", "data/shown", *options]
    with (
        browser_page("dark") as page,
        subprocess.Popen(command, cwd=folder, env=environment(folder), stderr=subprocess.PIPE, text=True) as crawl,
    ):
        try:
            said = iter(crawl.stderr or ())
            url = next(found[0] for line in said if (found := re.search(r"http://127\.0\.0\.1:\d+\S*", line)))
            page.goto(url)
            page.get_by_label("this run").check()
            page.wait_for_timeout(18_000)
            page.screenshot(path=picture)
        finally:
            crawl.send_signal(signal.SIGINT)
            crawl.communicate(timeout=30)
    return picture


@contextmanager
def browser_page(scheme: str) -> Iterator[Page]:
    """A page of the machine's Chromium, or of Playwright's own; `scheme` is light or dark."""
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=chromium, args=list(BROWSER_FLAGS))
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        yield page
        browser.close()


if __name__ == "__main__":
    main()
