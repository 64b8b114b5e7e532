"""`crawler doctor`: does everything that a crawl needs work here, and what is to be done where it does not?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from crawler.cli import FAILED, OK
from crawler.cli.completing import directories
from crawler.cli.page import Page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.cli.finding import Finding

_COLUMNS = 100
_CHECK = 12


@click.command(cls=Page, short_help="Check this installation and machine, and say what to do.")
@click.option("--host", "hosts", multiple=True, metavar="HOST", help="Look this host up and connect to it, too.")
@click.option(
    "-d",
    "--directory",
    default=Path("data"),
    metavar="DIR",
    type=click.Path(path_type=Path),
    shell_complete=directories,
    help="Where crawls are to go, which is tried for writing. Default: data.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the checks as a JSON list.")
def doctor(hosts: tuple[str, ...], directory: Path, as_json: bool) -> int:  # noqa: FBT001
    """Check Python and packages, open files, memory, processors, disks, the clock, the terminal, DNS and TLS, and crawl
    one page of a server on this machine. Nobody else is asked for anything, but each HOST.

    Each line says ok, warning or failed, and what to do. A warning stands for what will make a crawl slower or less
    safe; what failed, no crawl can do without.
    """
    from crawler.cli.out import tell, tell_json  # noqa: PLC0415  (help needs none of it)

    found = []
    for finding in _findings(directory, hosts):
        found.append(finding)
        if not as_json:
            tell("\n".join(_lines(finding)))
    bad = [finding for finding in found if finding.state == "failed"]
    if as_json:
        import msgspec  # noqa: PLC0415

        tell_json(msgspec.json.encode([finding._asdict() for finding in found]))
    else:
        tell(f"\n{_summary(found)}")
    return FAILED if bad else OK


def _findings(directory: Path, hosts: tuple[str, ...]) -> Iterator[Finding]:
    """All, as they are made. What is imported for one group may be what another finds missing."""
    from crawler.cli import doctor_packages  # noqa: PLC0415

    yield from doctor_packages.findings()
    try:
        from crawler.cli import doctor_machine, doctor_network  # noqa: PLC0415
    except ImportError as error:
        yield _gave_up(error)
        return
    yield from doctor_machine.findings(directory)
    try:
        yield from doctor_network.findings(hosts)
    except ImportError as error:
        yield _gave_up(error)


def _gave_up(error: ImportError) -> Finding:
    from crawler.cli.finding import Finding  # noqa: PLC0415

    return Finding("failed", "other checks", f"cannot be made: {error}", "see the packages above")


def _lines(finding: Finding) -> Iterator[str]:
    import textwrap  # noqa: PLC0415

    width = _COLUMNS - 9 - _CHECK
    for number, line in enumerate(textwrap.wrap(finding.found, width, break_long_words=False) or [""]):
        head = f"{finding.state:<9}{finding.check:<{_CHECK}}" if not number else " " * (9 + _CHECK)
        yield f"{head}{line}" if len(finding.check) < _CHECK or number else f"{finding.state:<9}{finding.check} {line}"
    for number, line in enumerate(textwrap.wrap(finding.do, width - 3, break_long_words=False)):
        yield f"{'':{9 + _CHECK}}{'-> ' if not number else '   '}{line}"


def _summary(found: list[Finding]) -> str:
    from crawler.wording import counted  # noqa: PLC0415

    failed = sum(finding.state == "failed" for finding in found)
    warnings = sum(finding.state == "warning" for finding in found)
    if failed and any(finding.check == "crawl" and finding.state == "ok" for finding in found):
        return f"{counted(failed, 'check')} failed, though a page of this machine was crawled."
    if failed:
        return f"{counted(failed, 'check')} failed: no crawl will work before that is mended."
    return f"Ready to crawl; {counted(warnings, 'warning')}." if warnings else "Ready to crawl."
