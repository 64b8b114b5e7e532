"""How does a crawl that has ended leave its report, whatever happens meanwhile?

The crawl is over and its account is on the disk: neither an error nor a signal changes what it came to.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from crawler.cli import typed_command
from crawler.cli.failing import quoted
from crawler.cli.interrupting import interruptible
from crawler.cli.out import remark

if TYPE_CHECKING:
    from crawler.plan import Plan
    from crawler.running import Result


def report_written(plan: Plan, result: Result, *, quiet: bool) -> None:
    """Write report.html, if that is wanted of a run with this result; tell where that fails."""
    from crawler.report import takes_long, wants_report, write_or_log  # noqa: PLC0415 - not before the first request

    if not wants_report(plan.config, result.ending.stopped_by):
        return
    folder = plan.directory.path
    why: str | None = "interrupted"
    with suppress(KeyboardInterrupt), interruptible():
        if not quiet and takes_long(folder, plan.pages):
            remark(f"The crawl has ended. Writing {plan.directory.report} …")
        why = write_or_log(folder, pages=plan.pages, config=plan.written_config())
    if why is not None:
        words = ["report", str(folder)]
        if plan.pages and plan.config.frontier == "memory":  # else the store knows
            words += ["--pages", str(plan.pages)]
        later = f"{typed_command()} {' '.join(map(quoted, words))}"
        remark(f"There is no report.html: {why}. Once that is mended: {later}")
