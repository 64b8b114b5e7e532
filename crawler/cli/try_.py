"""`crawler try`: show the record one page would give, asking through the policy like any request."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from crawler.cli import INTERRUPTED, NO_SEED, OK

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.command(name="try", short_help="Show the record one page would give.")
@click.argument("url")
@click.option("-c", "--config", type=click.Path(path_type=Path), metavar="FILE", help="Configuration (YAML).")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Set any configuration key.")
def try_(url: str, config: Path | None, overrides: tuple[str, ...]) -> int:
    """Fetch URL once, and print the page record a crawl would write for it as indented JSON.

    URL may be a host, tried as https. robots.txt is obeyed and redirects are followed as in a crawl. If there is
    no record, what happened to the URL is printed instead, and the exit code is 3.
    """
    from crawler.cli.planning import plan_of  # noqa: PLC0415  (help needs none of it)
    from crawler.cli.running import run_crawl  # noqa: PLC0415
    from crawler.models import OUTCOMES, PAGES  # noqa: PLC0415
    from crawler.seeds import single_seed  # noqa: PLC0415

    single_seed(url)  # a list of seeds is a mistake here
    with tempfile.TemporaryDirectory(prefix="crawler-try-") as folder:
        one_page = ["scope.max_depth=0", "checkpoint.fsync=false", "parse.workers=1"]
        one_page += ["sitemaps.follow=false", "export.sitemaps=false"]
        one_page += ["frontier=memory", "export.compress=none", "export.links=false"]
        plan = plan_of((url,), config, folder, [*overrides, *one_page])
        if run_crawl(plan, fresh=False, quiet=True) == INTERRUPTED:
            return INTERRUPTED
        records = plan.directory.records(PAGES).read_bytes().splitlines()
        endings = plan.directory.records(OUTCOMES).read_bytes().splitlines()
    for line in records or endings:
        click.echo(msgspec.json.format(line, indent=2))
    if records:
        return OK
    click.echo(_why(endings), err=True)
    return NO_SEED


def _why(endings: Sequence[bytes]) -> str:
    """Why there is no record: how the last of the URLs ended, in words."""
    from crawler.export.outcomes import OutcomeRecord  # noqa: PLC0415
    from crawler.wording import meaning  # noqa: PLC0415

    end = msgspec.json.decode(endings[-1], type=OutcomeRecord)
    reason = ": ".join(filter(None, (end.reason, end.reason and meaning(end.reason))))
    return f"No page record: {end.url} {end.outcome}" + (f" ({reason})" if reason else "")
