"""`crawler try`: show the record one page would give, asking through the policy like any request."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import click
import msgspec

from crawler.cli import NO_SEED, OK


@click.command(name="try", short_help="Show the record one page would give.")
@click.argument("url")
@click.option("-c", "--config", type=click.Path(path_type=Path), metavar="FILE", help="Configuration (YAML).")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Set any configuration key.")
def try_(url: str, config: Path | None, overrides: tuple[str, ...]) -> int:
    """Fetch URL once, and print the page record a crawl would write for it as indented JSON.

    robots.txt is obeyed and redirects are followed as in a crawl. If there is no record, what happened to the
    URL is printed instead, and the exit code is 3.
    """
    from crawler.cli.planning import plan_of  # noqa: PLC0415  (help needs none of it)
    from crawler.cli.running import run_crawl  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="crawler-try-") as folder:
        one_page = ["scope.max_depth=0", "checkpoint.fsync=false", "parse.workers=1"]
        plan = plan_of((url,), config, folder, [*overrides, *one_page])
        run_crawl(plan, fresh=False, quiet=True)
        records = plan.directory.pages.read_bytes().splitlines()
        shown = (
            records
            or plan.directory.outcomes.read_bytes().splitlines()
            or plan.directory.seeds.read_bytes().splitlines()
        )
    for line in shown:
        sys.stdout.write(msgspec.json.format(line, indent=2).decode() + "\n")
    return OK if records else NO_SEED
