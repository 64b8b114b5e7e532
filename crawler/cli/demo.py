"""`crawler demo`: crawl a small bundled shop on this machine, as a first look."""

from __future__ import annotations

import shlex
from importlib.resources import as_file, files
from typing import TYPE_CHECKING

import click

from crawler.cli import INTERRUPTED, typed_command
from crawler.cli.completing import directories
from crawler.cli.out import tell
from crawler.cli.page import Page
from crawler.models import OUTCOMES, PAGES

if TYPE_CHECKING:
    from crawler.directory import CrawlDirectory

PRODUCT = "/products/pocket-notebook"


@click.command(cls=Page, short_help="Crawl a small bundled shop on this machine.")
@click.option(
    "-d",
    "--directory",
    default="data/demo",
    metavar="DIR",
    shell_complete=directories,
    help="Where the files go. Default: data/demo.",
)
def demo(directory: str) -> int:
    """Serve a small shop on a loopback address, crawl it, and say what to try next.

    The shop has listings, products, a journal, and a few deliberate problems. Bundled rules make records of its
    products and its journal. A crawl that lies in DIR is moved aside. Nothing leaves this machine.
    """
    from crawler.cli.planning import plan_of  # noqa: PLC0415  (help needs none of it)
    from crawler.cli.running import run_crawl  # noqa: PLC0415
    from crawler.demo.serve import running_shop  # noqa: PLC0415

    bundled = as_file(files("crawler.demo").joinpath("crawl.yaml"))
    with bundled as config, running_shop() as url:
        tell(f"A shop is open at {url} for as long as this crawl takes.", err=True)
        plan = plan_of((url,), config, directory, ())
        code = run_crawl(plan, fresh=True)
    if code != INTERRUPTED:
        tell(f"\n{try_next(plan.directory, f'{url}{PRODUCT}')}", err=True)
    return code


def try_next(directory: CrawlDirectory, product: str) -> str:
    """What to type after a crawl in `directory`, `product` among its pages, as this machine's shell takes it."""
    crawler = typed_command()
    folder = shlex.quote(str(directory.path))
    commands = {
        f"head -1 {shlex.quote(str(directory.records(PAGES)))} | python3 -m json.tool": "one page record",
        f"cat {shlex.quote(str(directory.records(OUTCOMES)))}": "what is not a page, and why",
        f"{crawler} export {folder} products": "what rule products found",
        f"{crawler} try {shlex.quote(f'{directory.path}/{product}')}": "how it found it",
        f"{crawler} init": "your own crawl.yaml and seeds.txt",
        f"{crawler} crawl example.org --max-pages 10": "a crawl of your own",
    }
    width = max(map(len, commands))
    return "\n".join(["Try next:", *(f"  {command:<{width}}  {what}" for command, what in commands.items())])
