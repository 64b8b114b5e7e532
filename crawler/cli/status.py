"""`crawler status`: how does a crawl stand that several workers share, and what is it told?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from crawler.cli import OK
from crawler.cli.completing import directories
from crawler.cli.page import Page

if TYPE_CHECKING:
    from crawler.cli.status_acts import Wish


@click.command(cls=Page, short_help="Show a crawl that workers share, and tell it what to do.")
@click.argument("place", metavar="URL|DIR", shell_complete=directories)
@click.argument("name", required=False, metavar="[NAME]")
@click.option("--json", "as_json", is_flag=True, help="Print the same facts as one JSON object.")
@click.option("--watch", is_flag=True, help="Show it again every 2 seconds, until it is over.")
@click.option("--pause", is_flag=True, help="Have all workers start nothing more for now.")
@click.option("--resume", is_flag=True, help="Have them go on.")
@click.option("--stop", is_flag=True, help="End the crawl for all workers; what is left stays, to be gone on with.")
@click.option(
    "--limit",
    "limits",
    nargs=2,
    multiple=True,
    metavar="HOST KEY=VALUE,...",
    help="Have hosts asked at another pace from now on: delay, rate, concurrency or jitter; `default` takes it back.",
)
@click.option("--forget", metavar="NAME", help="Remove the crawl from Redis, all that is known of it, once it is over.")
def status(
    place: str,
    name: str | None,
    *,
    as_json: bool,
    watch: bool,
    pause: bool,
    resume: bool,
    stop: bool,
    limits: tuple[tuple[str, str], ...],
    forget: str | None,
) -> int:
    """Show how the crawl NAME stands that workers share on the Redis or Valkey at URL: what they do, who holds what,
    and how many URLs are known, ended and pending. DIR is the directory of one of its workers' machines. Where there is
    one crawl, NAME need not be given; of several, a list is shown.

    User and password may be in CRAWLER_REDIS_USERNAME and CRAWLER_REDIS_PASSWORD. What the crawl is told reaches all
    workers at once, and those that join later.
    """
    import asyncio  # noqa: PLC0415  (help needs none of it)

    from crawler.cli.interrupting import interruptible  # noqa: PLC0415
    from crawler.cli.status_acts import wishes_of  # noqa: PLC0415
    from crawler.errors import ConfigError  # noqa: PLC0415

    if forget is not None and "://" in place:
        name = name or forget  # which has to be what it is called anyway
    wishes = wishes_of(pause=pause, resume=resume, stop=stop, limits=limits, forget=forget)
    if watch and forget is not None:
        raise ConfigError("--watch and --forget: once it is forgotten there is nothing to watch")
    with interruptible():
        return asyncio.run(_status(place, name, wishes, as_json=as_json, watch=watch))


async def _status(place: str, name: str | None, wishes: list[Wish], *, as_json: bool, watch: bool) -> int:
    from crawler.cli.out import remark  # noqa: PLC0415
    from crawler.cli.status_shown import show, show_list, watch_on  # noqa: PLC0415

    try:
        from crawler.fleet.looking import looking  # noqa: PLC0415
    except ModuleNotFoundError as error:
        from crawler.errors import ConfigError  # noqa: PLC0415

        raise ConfigError(f"{error.name} is not installed, which a Redis takes: pip install 'crawler[redis]'") from None
    url, prefix = (place, None) if "://" in place else _kept(Path(place))
    async with looking(url, prefix, name, waiting=remark if watch else None) as found:
        look = found.chosen(needed=bool(wishes))
        if look is None:
            show_list(await found.list(), as_json=as_json)
            return OK
        for wish in wishes:
            remark(await wish(look))
        if watch:
            return await watch_on(look, as_json=as_json)
        if not wishes:
            show(await look.status(), as_json=as_json)
    return OK


def _kept(directory: Path) -> tuple[str, str]:
    """Where the crawl is kept whose workers write to `directory`, and its prefix.

    Raises:
        ConfigError: None does.
    """
    from crawler.errors import ConfigError  # noqa: PLC0415
    from crawler.merging.segments import FLEET, read_fleet  # noqa: PLC0415

    if (fleet := read_fleet(directory)) is None:
        raise ConfigError(
            f"{directory}: no directory of a crawl that workers share, which has a {FLEET}; expected such a one, or "
            "redis://HOST:PORT/0"
        )
    return fleet.url, fleet.prefix
