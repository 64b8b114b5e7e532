"""`crawler why`: what happened to a URL, and where it was found?"""

from __future__ import annotations

import time
from pathlib import Path

import click

from crawler.cli import NO_SEED, OK
from crawler.cli.completing import directories
from crawler.cli.merging import merged_first
from crawler.cli.page import Page


@click.command(cls=Page, short_help="Say what happened to a URL, and where it was found.")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path), shell_complete=directories)
@click.argument("url")
@click.option("--json", "as_json", is_flag=True, help="Print the same facts as one JSON object.")
def why(directory: Path, url: str, as_json: bool) -> int:  # noqa: FBT001
    """Say how URL ended in the crawl in DIR or what it waits for, on which pages it was found, and which rule of
    robots.txt or of the scope keeps it out. For a URL the crawl never admitted, name the nearest that it has.

    URL may be a host, tried as https, then as http. DIR may be of a crawl that runs, was interrupted or has ended;
    it is only read, and told as of the last checkpoint.
    """
    import msgspec  # noqa: PLC0415  (help needs none of it)

    from crawler.cli.out import tell, tell_json  # noqa: PLC0415
    from crawler.cli.telling import told  # noqa: PLC0415
    from crawler.dataset.why import explain  # noqa: PLC0415

    merged_first(directory)
    now = time.time()
    facts = explain(directory, url, now)
    if as_json:
        tell_json(msgspec.json.encode(facts))
    else:
        tell(told(facts, now))
    return OK if facts.known else NO_SEED
