"""`crawler crawl`: crawl a seed list into a directory of JSONL."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import click

from crawler.cli.completing import directories, paths, settings
from crawler.cli.page import Page
from crawler.errors import ConfigError, ParseError
from crawler.parse.server import Server


@click.command(cls=Page, short_help="Crawl a seed list into a directory of JSONL.")
@click.argument("seeds", nargs=-1, metavar="[SEED]...", shell_complete=paths)
@click.option("-c", "--config", type=click.Path(path_type=Path), metavar="FILE", help="Configuration (YAML).")
@click.option(
    "-d",
    "--directory",
    metavar="DIR",
    shell_complete=directories,
    help="Where the crawl's files go; {date} is today's. Default: data/NAME.",
)
@click.option("--delay", metavar="TIME", help="Pause between request starts on a host (limits.default.delay).")
@click.option("--depth", metavar="N", help="Follow links at most N hops from a seed (scope.max_depth).")
@click.option("--max-pages", metavar="N", help="Stop after N page records (budget.pages).")
@click.option("--frontier", metavar="URL", help="Share the crawl through a Redis: redis://HOST:PORT/0 (frontier).")
@click.option("--processes", metavar="N", help="With --frontier URL: this machine crawls with N workers.")
@click.option("--process", hidden=True, metavar="I/N", help="Which of --processes N this one is.")
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    shell_complete=settings,
    help="Set any configuration key.",
)
@click.option("--resume", is_flag=True, help="Go on with the crawl in DIR; begin it if there is none.")
@click.option("--retry-failed", is_flag=True, help="Resume, and try again what failed.")
@click.option("--where", metavar="EXPR", help="Of what failed only this, such as 'reason=timeout host=*.example.org'.")
@click.option("--repair", is_flag=True, help="Resume a damaged crawl: what its files lack is fetched again.")
@click.option("--refresh", is_flag=True, help="Crawl the finished crawl in DIR again; ask for what has changed.")
@click.option("--due", is_flag=True, help="With --refresh, visit only pages that are likely to have changed by now.")
@click.option("--fresh", is_flag=True, help="Move a crawl that lies in DIR aside and start anew.")
@click.option(
    "-o", "--output", metavar="FILE|-", shell_complete=paths, help="Page records go to FILE; to stdout as well with -."
)
@click.option(
    "--dry-run", is_flag=True, help="Ask hosts for robots.txt and sitemaps; show what would be fetched, and how fast."
)
@click.option(
    "--serve", metavar="ADDRESS:PORT", help="Show the crawl on a page there while it runs: 8600 is 127.0.0.1:8600."
)
@click.option("-q", "--quiet", is_flag=True, help="No progress and no summary: errors only, and what is unsafe.")
@click.option("-v", "--verbose", is_flag=True, help="Log every request and why each host waits, to stderr too.")
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    metavar="text|json",
    help="Lines of text, or JSON objects (log.format).",
)
def crawl(  # noqa: PLR0917  (one parameter per option)
    seeds: tuple[str, ...],
    config: Path | None,
    directory: str | None,
    delay: str | None,
    depth: str | None,
    max_pages: str | None,
    frontier: str | None,
    processes: str | None,
    process: str | None,
    overrides: tuple[str, ...],
    resume: bool,  # noqa: FBT001
    retry_failed: bool,  # noqa: FBT001
    where: str | None,
    repair: bool,  # noqa: FBT001
    refresh: bool,  # noqa: FBT001
    due: bool,  # noqa: FBT001
    fresh: bool,  # noqa: FBT001
    output: str | None,
    dry_run: bool,  # noqa: FBT001
    serve: str | None,
    quiet: bool,  # noqa: FBT001
    verbose: bool,  # noqa: FBT001
    log_format: str | None,
) -> int:
    """Crawl from each SEED into DIR/pages.jsonl, one JSON record a page, and DIR/RULE.jsonl for each scraping rule.

    A SEED is one of the arguments below. Seeds given here replace those of the configuration. With --resume they are
    added to the crawl's own; without a FILE, the configuration is that of the crawl: DIR/crawl.yaml.

    Ctrl-C lets what is in flight finish, for at most ten seconds; a second one does not wait. Whatever ends a crawl,
    nothing is lost and nothing is written twice: --resume goes on.

    --refresh visits all URLs of a finished crawl again, asking servers for what is new since. The next generation is
    made in DIR@2 (DIR@3, …), and takes the place of DIR, which becomes DIR@1, once it is whole; --refresh goes on with
    one that was interrupted.
    """
    options: list[str | tuple[str, str]] = []
    if delay is not None:
        options += [("--delay", "limits.default.rate=null"), ("--delay", f"limits.default.delay={delay}")]
    if depth is not None:
        options.append(("--depth", f"scope.max_depth={depth}"))
    if max_pages is not None:
        options.append(("--max-pages", f"budget.pages={max_pages}"))
    if frontier is not None:
        options.append(("--frontier", f"frontier={frontier}"))
    if log_format is not None:
        options.append(("--log-format", f"log.format={log_format}"))
    resume = resume or retry_failed or repair
    if resume and fresh:
        raise ConfigError("--fresh begins anew, and --resume, --retry-failed and --repair go on: expected one of them")
    if where is not None and not retry_failed:
        raise ConfigError("--where says what --retry-failed tries again: expected both, or neither")
    _check_refresh(output, refresh=refresh, due=due, fresh=fresh, dry_run=dry_run)
    if serve is not None and dry_run:
        raise ConfigError("--serve shows a crawl, and --dry-run makes none: expected one of them")
    with ExitStack() as stack:
        server = _server(stack)  # first of all: it loads what parsers need while this process loads the rest
        if process is not None:
            from crawler.cli.parent import end_with_parent  # noqa: PLC0415

            end_with_parent()
        from crawler.cli.planning import STDOUT, plan_of, refresh_plan_of  # noqa: PLC0415  (help needs none of it)
        from crawler.cli.processes import processes_of  # noqa: PLC0415
        from crawler.cli.remarks import contact_remarks  # noqa: PLC0415
        from crawler.cli.seed_advice import seed_remarks  # noqa: PLC0415
        from crawler.enrolling import refuse_alone  # noqa: PLC0415

        many = processes_of(processes)
        plan = (
            plan_of(seeds, config, directory, [*options, *overrides], output, resume=resume)
            if not refresh
            else (refresh_plan_of(seeds, config, directory, [*options, *overrides], due=due))
        )
        if retry_failed:
            from crawler.dataset.where import where_of  # noqa: PLC0415

            plan = replace(plan, retry=where_of(where or ""))
        plan = replace(plan, repair=repair)
        refuse_alone(plan.config, repair=repair, retry=retry_failed, output=output is not None)
        if many:
            from crawler.cli.processes import run_processes  # noqa: PLC0415

            return run_processes(plan, many, fresh=fresh, quiet=quiet)
        if dry_run:
            from crawler.cli.dry_run import dry_run as run_dry  # noqa: PLC0415

            return run_dry(plan, server)
        from crawler.cli.running import run_crawl  # noqa: PLC0415

        remarks = [
            *contact_remarks(plan.config),
            *(() if resume or refresh else seed_remarks(plan.items(), plan.config.urls)),
        ] * (not process)
        stream = output == STDOUT
        return run_crawl(
            plan,
            fresh=fresh,
            stream=stream,
            quiet=quiet or process is not None,
            verbose=verbose and process is None,
            remarks=remarks,
            server=server,
            serve=serve,
            process=process or "",
        )


def _check_refresh(output: str | None, *, refresh: bool, due: bool, fresh: bool, dry_run: bool) -> None:
    """Refuse what goes with no refresh, or with nothing else.

    Raises:
        ConfigError: It was asked for.
    """
    if due and not refresh:
        raise ConfigError("--due says what --refresh visits: expected both, or neither")
    if not refresh:
        return
    if fresh:
        raise ConfigError(
            "--fresh begins anew, and --refresh crawls again what is finished: expected one of them; to begin a "
            "refresh anew, remove the directory in which it is made"
        )
    if output is not None:
        raise ConfigError("-o: page records of a refresh go to its directory, as the next one needs them there")
    if dry_run:
        raise ConfigError("--dry-run shows how a crawl begins, and --refresh goes on from one: expected one")


def _server(stack: ExitStack) -> Server | None:
    """For the parser pool, which may not be one of processes: where none can be started, it is for that pool to say."""
    try:
        server = Server()
    except ParseError:
        return None
    stack.callback(server.close)
    return server
