"""`crawler demo`: crawl a small bundled shop on this machine, as a first look."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(short_help="Crawl a small bundled shop on this machine.")
@click.option("-d", "--directory", default="data/demo", metavar="DIR", help="Where the files go. Default: data/demo.")
def demo(directory: str) -> int:
    """Serve a small shop on a loopback address, crawl it, and say what to try next.

    The shop has listings, products, a blog, and a few deliberate problems. A crawl that lies in DIR is moved
    aside. Nothing leaves this machine.
    """
    from crawler.cli.planning import plan_of  # noqa: PLC0415  (help needs none of it)
    from crawler.cli.running import run_crawl  # noqa: PLC0415
    from crawler.demo.serve import running_shop  # noqa: PLC0415

    with running_shop() as url:
        click.echo(f"A shop is open at {url} for as long as this crawl takes.", err=True)
        plan = plan_of((url,), None, directory, ["limits.default.delay=20ms", "name=demo"])
        code = run_crawl(plan, fresh=True)
    pages = Path(directory) / "pages.jsonl"
    click.echo(
        f"""
Try next:
  head -1 {pages} | python3 -m json.tool     one page record
  cat {Path(directory) / "outcomes.jsonl"}            what is not a page, and why
  crawler init                                 your own crawl.yaml and seeds.txt
  crawler crawl example.org --max-pages 10     a crawl of your own""",
        err=True,
    )
    return code
